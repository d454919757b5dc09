#include "loadgen/workload/workload.h"

namespace roomcheck::loadgen {
namespace {

// Every member leaves after a while and comes back at once, to the same room.
class Churn final : public Workload {
 public:
  std::string_view name() const override { return "churn"; }
  std::string_view latency() const override { return "fan_out"; }
  bool comes_and_goes() const override { return true; }
};

}  // namespace

const Workload& churn() {
  static const Churn workload;
  return workload;
}

}  // namespace roomcheck::loadgen
