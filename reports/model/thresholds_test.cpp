#include "reports/model/thresholds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/result.h"

namespace roomcheck::reports {
namespace {

using Json = nlohmann::ordered_json;
using testing::HasSubstr;

const Json kResult = Json::parse(R"({
  "schema": "roomcheck.load/1",
  "delivery": {"expected": 1000, "lost": 3, "duplicated": 0},
  "latency": {"fan_out": {"corrected": {"p50_ns": 2000000, "p99_ns": 61000000, "histogram": "HIST"},
                          "uncorrected": {"p99_ns": 9000000}}},
  "generator": {"cpu_per_delivery_ns": 5100, "loop_lag": {"p99_ns": 1000}}
})");

Threshold judged(const std::string& expression) {
  return judge(parse_requirements({expression}, kResult).at(0), kResult);
}

std::string why_not(const std::string& expression) {
  try {
    parse_requirements({expression}, kResult);
    return "accepted";
  } catch (const BadInput& e) {
    return e.what();
  }
}

TEST(Thresholds, ShortPathsMeanTheCorrectedLatency) {
  EXPECT_EQ(parse_requirements({"fan_out.p99<50ms"}, kResult).at(0).path, "latency.fan_out.corrected.p99_ns");
  EXPECT_EQ(judged("fan_out.p99<50ms").value, 61e6);
  EXPECT_FALSE(judged("fan_out.p99<50ms").passed);
  EXPECT_TRUE(judged("fan_out.p99 <= 61ms").passed);
  EXPECT_TRUE(judged("fan_out.uncorrected.p99<9.5ms").passed);
  EXPECT_TRUE(judged("latency.fan_out.corrected.p50_ns==2ms").passed);
}

TEST(Thresholds, AnyNumberOfTheResultCanBeNamed) {
  EXPECT_FALSE(judged("delivery.lost==0").passed);
  EXPECT_TRUE(judged("delivery.lost!=0").passed);
  EXPECT_TRUE(judged("delivery.lost<=3").passed);
  EXPECT_TRUE(judged("delivery.expected>999").passed);
  EXPECT_TRUE(judged("delivery.expected>=1000").passed);
  EXPECT_TRUE(judged("generator.cpu_per_delivery<6us").passed);
  EXPECT_TRUE(judged("generator.loop_lag.p99<1s").passed);
}

TEST(Thresholds, AnUnknownPathIsRefusedWithTheNearest) {
  EXPECT_THAT(why_not("fanout.p99<50ms"), HasSubstr("did you mean fan_out.p99?"));
  EXPECT_THAT(why_not("delivery.losst==0"), HasSubstr("did you mean delivery.lost?"));
  EXPECT_THAT(why_not("schema==1"), HasSubstr("has no number"));
  EXPECT_THAT(why_not("delivery==0"), HasSubstr("has no number"));
}

TEST(Thresholds, ATimeNeedsAUnitAndACountMustNotHaveOne) {
  EXPECT_THAT(why_not("fan_out.p99<50"), HasSubstr("needs a unit"));
  EXPECT_THAT(why_not("delivery.lost<5ms"), HasSubstr("without a unit"));
  EXPECT_THAT(why_not("fan_out.p99<soon"), HasSubstr("250ms"));
  EXPECT_THAT(why_not("delivery.lost"), HasSubstr("PATH COMPARISON NUMBER"));
  EXPECT_THAT(why_not("delivery.lost=0"), HasSubstr("PATH COMPARISON NUMBER"));
}

TEST(Thresholds, NothingMayBeLostUnlessSomethingElseWasSaidAboutIt) {
  const auto defaults = with_defaults({});
  ASSERT_EQ(defaults.size(), 4u);
  EXPECT_EQ(defaults[0].expression, "delivery.lost==0");
  const auto mine = with_defaults(parse_requirements({"delivery.lost<100"}, kResult));
  ASSERT_EQ(mine.size(), 4u);
  EXPECT_EQ(mine.back().expression, "delivery.lost<100");
  EXPECT_EQ(mine.front().expression, "delivery.duplicated==0");
}

}  // namespace
}  // namespace roomcheck::reports
