#include "libs/base/result.h"
#include "loadgen/workload/workload.h"

namespace roomcheck::loadgen {
namespace {

// Every client is alone in its room, so the members of the room's group are its channel name (Addresses).
class Direct final : public Workload {
 public:
  std::string_view name() const override { return "direct"; }
  std::string_view latency() const override { return "direct"; }
  Origin origin() const override { return Origin::channel; }
  bool alone() const override { return true; }
  const target::Template& message(const target::Profile& profile) const override {
    return profile.direct->event;
  }
  void require(const target::Profile& profile) const override {
    if (!profile.direct)
      throw BadInput("workload direct: profile " + profile.name +
                     " does not say what a direct send is; give it a field \"direct\" (docs/PROFILES.md)");
  }
};

}  // namespace

const Workload& direct() {
  static const Direct workload;
  return workload;
}

}  // namespace roomcheck::loadgen
