#include <cmath>

#include "loadgen/hash.h"
#include "loadgen/schedule/arrivals.h"

namespace roomcheck::loadgen {
namespace {

class Poisson final : public Arrivals {
 public:
  explicit Poisson(std::uint64_t seed) : seed_(seed) {}

  long double position(std::uint64_t n) override {
    if (n < n_) {
      n_ = 0;
      position_ = 0;
    }
    for (; n_ < n; ++n_) position_ -= std::log(uniform(seed_, n_));
    return position_;
  }

 private:
  const std::uint64_t seed_;
  std::uint64_t n_ = 0;
  long double position_ = 0;
};

}  // namespace

std::unique_ptr<Arrivals> make_poisson(std::uint64_t seed) { return std::make_unique<Poisson>(seed); }

}  // namespace roomcheck::loadgen
