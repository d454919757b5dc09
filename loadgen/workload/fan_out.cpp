#include "loadgen/workload/workload.h"

namespace roomcheck::loadgen {
namespace {

class FanOut final : public Workload {
 public:
  std::string_view name() const override { return "fan-out"; }
  std::string_view latency() const override { return "fan_out"; }
};

}  // namespace

const Workload& fan_out() {
  static const FanOut workload;
  return workload;
}

}  // namespace roomcheck::loadgen
