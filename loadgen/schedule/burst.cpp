#include "loadgen/schedule/arrivals.h"

namespace roomcheck::loadgen {
namespace {

class Burst final : public Arrivals {
 public:
  explicit Burst(std::uint64_t size) : size_(size) {}
  long double position(std::uint64_t n) override { return static_cast<long double>(n - n % size_); }

 private:
  const std::uint64_t size_;
};

}  // namespace

std::unique_ptr<Arrivals> make_burst(std::uint64_t size) { return std::make_unique<Burst>(size); }

}  // namespace roomcheck::loadgen
