#include "loadgen/metrics.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "loadgen/report.h"
#include "reports/model/thresholds.h"

namespace roomcheck::loadgen {
namespace {

TEST(Metrics, EachHasAMeaning) {
  for (const Metric& metric : all_metrics()) EXPECT_NE(metric.meaning, "") << metric.path;
}

TEST(Metrics, EachCanStandInAThresholdAsItIsListed) {
  Scenario scenario;
  scenario.kernel_timestamps = true;
  for (const Workload* workload : all_workloads()) {
    WorkloadPlan plan;
    plan.workload = workload;
    scenario.workloads.push_back(plan);
  }
  const auto shape = to_json(blank_result(scenario, target::load_profile("seed"), ""));
  for (const Metric& metric : all_metrics()) {
    const std::string expression = metric.path + (metric.unit == "time" ? "<5ms" : "<5");
    EXPECT_NO_THROW(reports::parse_requirements({expression}, shape)) << expression;
  }
}

}  // namespace
}  // namespace roomcheck::loadgen
