#include "libs/base/result.h"
#include "loadgen/workload/workload.h"

namespace roomcheck::loadgen {
namespace {

class Push final : public Workload {
 public:
  std::string_view name() const override { return "push"; }
  std::string_view latency() const override { return "push"; }
  Origin origin() const override { return Origin::group; }
  const target::Template& message(const target::Profile& profile) const override {
    return profile.push->event;
  }
  void require(const target::Profile& profile) const override {
    if (!profile.push)
      throw BadInput("workload push: profile " + profile.name +
                     " does not say what a push is; give it a field \"push\" (docs/PROFILES.md)");
  }
};

}  // namespace

const Workload& push() {
  static const Push workload;
  return workload;
}

}  // namespace roomcheck::loadgen
