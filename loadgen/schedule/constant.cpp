#include "loadgen/schedule/arrivals.h"

namespace roomcheck::loadgen {
namespace {

class Constant final : public Arrivals {
 public:
  long double position(std::uint64_t n) override { return static_cast<long double>(n); }
};

}  // namespace

std::unique_ptr<Arrivals> make_constant() { return std::make_unique<Constant>(); }

}  // namespace roomcheck::loadgen
