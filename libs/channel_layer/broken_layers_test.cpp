// Each check of the contract suite can fail: a layer that is broken in just that point is caught by the test
// that the fault names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "libs/testkit/broken_layer.h"
#include "libs/testkit/paths.h"
#include "libs/testkit/process.h"

namespace roomcheck::channel_layer {
namespace {

using testing::HasSubstr;
using testing::IsSupersetOf;

testkit::Outcome contract(std::string_view test, const std::map<std::string, std::string>& environment) {
  return testkit::run({testkit::bin_dir() + "/channel_layer_contract_test",
                       "--gtest_filter=Backends/Contract." + std::string(test) + "/memory"},
                      environment);
}

TEST(BrokenLayers, EachIsCaughtByTheTestItNames) {
  for (const testkit::LayerFault& fault : testkit::layer_faults()) {
    const testkit::Outcome whole = contract(fault.caught_by, {});
    EXPECT_EQ(whole.exit_code, 0) << fault.caught_by;
    EXPECT_THAT(whole.out, HasSubstr("[  PASSED  ] 1 test")) << fault.caught_by;
    const testkit::Outcome broken =
        contract(fault.caught_by, {{"ROOMCHECK_LAYER_FAULT", std::string(fault.name)}});
    EXPECT_EQ(broken.exit_code, 1) << fault.name << " was not caught: " << broken.out;
  }
}

TEST(BrokenLayers, EveryRequirementThatTheSuiteChecksHasOne) {
  std::set<std::string_view> broken;
  for (const testkit::LayerFault& fault : testkit::layer_faults()) broken.insert(fault.requirement);
  EXPECT_THAT(broken, IsSupersetOf({"layer.send-receive", "layer.types", "layer.no-aliasing", "layer.group",
                                    "layer.names", "layer.capacity-send", "layer.capacity-group",
                                    "layer.channel-capacity-patterns", "layer.expiry",
                                    "layer.membership-renewed", "layer.flush"}));
}

}  // namespace
}  // namespace roomcheck::channel_layer
