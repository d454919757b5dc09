#include "loadgen/workload/workload.h"

namespace roomcheck::loadgen {
namespace {

// Everybody comes at once, as after a restart: clients connect from the start of the run on, at the connect
// rate, while those who are in already talk.
class JoinStorm final : public Workload {
 public:
  std::string_view name() const override { return "join-storm"; }
  std::string_view latency() const override { return "fan_out"; }
  bool joins_in_the_run() const override { return true; }
};

}  // namespace

const Workload& join_storm() {
  static const JoinStorm workload;
  return workload;
}

}  // namespace roomcheck::loadgen
