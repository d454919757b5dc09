#include "libs/base/result.h"
#include "loadgen/workload/workload.h"

namespace roomcheck::loadgen {
namespace {

class Echo final : public Workload {
 public:
  std::string_view name() const override { return "echo"; }
  std::string_view latency() const override { return "echo"; }
  bool alone() const override { return true; }
  std::string path(const target::Profile& profile, std::string_view) const override {
    return profile.echo->path;
  }
  const target::Template& message(const target::Profile& profile) const override {
    return profile.echo->send;
  }
  void require(const target::Profile& profile) const override {
    if (!profile.echo)
      throw BadInput("workload echo: profile " + profile.name +
                     " has no echo route; give it a field \"echo\" (docs/PROFILES.md)");
  }
};

}  // namespace

const Workload& echo() {
  static const Echo workload;
  return workload;
}

}  // namespace roomcheck::loadgen
