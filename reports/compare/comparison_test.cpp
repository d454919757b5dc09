#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "libs/base/result.h"
#include "libs/testkit/files.h"
#include "reports/compare/render.h"
#include "reports/samples/samples.h"

namespace roomcheck::reports {
namespace {

using testing::HasSubstr;
using testing::Not;

// Runs whose fan-out latency is `factor` times that of the sample, each with a luck of its own of a few per
// cent.
std::vector<LoadRun> runs(const std::string& name, int count, double factor, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<LoadRun> out;
  for (int i = 0; i < count; ++i) {
    LoadResult result = samples::small_load();
    result.latency.clear();
    result.delivery = {};
    result.delivery.expected = result.delivery.delivered = 300;
    const double luck = 1 + static_cast<double>(random() % 1000) / 20000;  // up to 5 %
    for (const char* what : {"fan_out", "last"})
      for (int k = 1; k <= 1000; ++k)
        result.latency[what].corrected.record(
            Nanoseconds(static_cast<std::int64_t>((1e6 + 1e3 * k) * factor * luck)));
    out.push_back({name + std::to_string(i + 1) + ".json", result});
  }
  return out;
}

const MetricComparison& metric(const LoadComparison& c, const std::string& name) {
  for (const MetricComparison& m : c.metrics)
    if (m.name == name) return m;
  throw std::out_of_range(name);
}

std::string refusal(std::vector<LoadRun> base, std::vector<LoadRun> fresh,
                    const CompareOptions& options = {}) {
  try {
    compare(std::move(base), std::move(fresh), options);
    return "accepted";
  } catch (const BadInput& e) {
    return e.what();
  }
}

TEST(CompareLoad, AFifthSlowerIsWorseAndARegression) {
  const LoadComparison c = compare(runs("base", 8, 1, 1), runs("new", 8, 1.2, 2), {});
  const MetricComparison& p50 = metric(c, "fan_out.p50");
  EXPECT_EQ(p50.difference, Difference::worse);
  EXPECT_NEAR(p50.ratio, 1.2, 0.04);
  EXPECT_LT(p50.interval.low, p50.ratio);
  EXPECT_GT(p50.interval.high, p50.ratio);
  EXPECT_GT(p50.interval.low, 1.1);
  EXPECT_TRUE(c.regression());
  EXPECT_EQ(headline(c).word, "WORSE");
}

TEST(CompareLoad, AFifthFasterIsBetterAndNone) {
  const LoadComparison c = compare(runs("base", 8, 1, 1), runs("new", 8, .8, 2), {});
  EXPECT_EQ(metric(c, "last.p99").difference, Difference::better);
  EXPECT_FALSE(c.regression());
  EXPECT_EQ(headline(c).word, "BETTER");
}

TEST(CompareLoad, TheSameCannotBeToldApartAndSaysHowManyRunsWouldTell) {
  const LoadComparison c = compare(runs("base", 8, 1, 1), runs("new", 8, 1, 2), {});
  EXPECT_EQ(metric(c, "fan_out.p50").difference, Difference::none);
  EXPECT_GE(metric(c, "fan_out.p50").needed_runs, c.least_runs);
  EXPECT_TRUE(c.can_tell());
  EXPECT_FALSE(c.regression());
  EXPECT_THAT(to_text(c), HasSubstr("no difference can be told; 5 % would take"));
}

TEST(CompareLoad, RunsThatScatterTooMuchToSeeTheLimitSaySo) {
  auto base = runs("base", 8, 1, 1), fresh = runs("new", 8, 1, 2);
  for (std::size_t i = 0; i < base.size(); ++i)  // from half to double, the same on both sides
    for (LoadRun* run : {&base[i], &fresh[i]})
      run->result.target_process = {1, 1000 + static_cast<std::int64_t>(400 * i + (run == &base[i] ? 0 : 1))};
  CompareOptions options;
  options.metrics = {"target_process.cpu_per_delivery"};
  EXPECT_THAT(headline(compare(base, fresh, options)).sentence,
              HasSubstr("scatter too much to be sure to see 5 % of target_process.cpu_per_delivery"));
}

TEST(CompareLoad, WorseByLessThanAllowedIsSaidButNoRegression) {
  CompareOptions options;
  options.max_regression = .3;
  const LoadComparison c = compare(runs("base", 8, 1, 1), runs("new", 8, 1.2, 2), options);
  EXPECT_EQ(metric(c, "fan_out.p50").difference, Difference::worse);
  EXPECT_FALSE(c.regression());
  EXPECT_EQ(headline(c).word, "WORSE, WITHIN THE LIMIT");
  options.max_regression_of["fan_out.p99"] = .1;
  const LoadComparison one = compare(runs("base", 8, 1, 1), runs("new", 8, 1.2, 2), options);
  EXPECT_TRUE(metric(one, "fan_out.p99").regression);
  EXPECT_FALSE(metric(one, "fan_out.p50").regression);
}

TEST(CompareLoad, WorseButPerhapsNotByMoreThanAllowedIsNoRegression) {
  CompareOptions options;
  options.max_regression = .19;
  const LoadComparison c = compare(runs("base", 8, 1, 1), runs("new", 8, 1.2, 2), options);
  EXPECT_GT(metric(c, "fan_out.p50").ratio, 1.19);
  EXPECT_FALSE(c.regression());
  EXPECT_EQ(headline(c).word, "WORSE, PERHAPS BEYOND THE LIMIT");
  EXPECT_THAT(to_text(c), HasSubstr("whether by more than the 19 % allowed cannot be told"));
  options.max_regression = 0;
  EXPECT_TRUE(compare(runs("base", 8, 1, 1), runs("new", 8, 1.2, 2), options).regression());
}

// Two sides of CPU times on a machine whose speed may double from pair to pair, and by a few per
// cent within one.
struct Sides {
  std::vector<LoadRun> base, fresh;
};
Sides drifting(std::size_t pairs, double factor, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto luck = [&](double spread) { return 1 + spread * static_cast<double>(random() % 1000) / 1000; };
  Sides out{runs("base", static_cast<int>(pairs), 1, 1), runs("new", static_cast<int>(pairs), 1, 2)};
  for (std::size_t i = 0; i < pairs; ++i) {
    const double speed = 5000 * luck(1);
    out.base[i].result.target_process = {1, static_cast<std::int64_t>(speed * luck(.05))};
    out.fresh[i].result.target_process = {1, static_cast<std::int64_t>(speed * luck(.05) * factor)};
  }
  return out;
}

CompareOptions paired() {
  CompareOptions out;
  out.paired = true;
  out.metrics = {"target_process.cpu_per_delivery"};
  return out;
}

TEST(CompareLoad, InPairsWhatTheMachineDidToBothDoesNotCount) {
  const Sides sides = drifting(8, 1.2, 3);
  CompareOptions apart = paired();
  apart.paired = false;
  EXPECT_FALSE(compare(sides.base, sides.fresh, apart).regression());
  const LoadComparison c = compare(sides.base, sides.fresh, paired());
  EXPECT_TRUE(c.regression());
  EXPECT_NEAR(c.metrics[0].ratio, 1.2, .03);
  EXPECT_GT(c.metrics[0].interval.low, 1.1);
  EXPECT_LT(c.metrics[0].interval.high, 1.3);
  EXPECT_THAT(to_text(c), HasSubstr("changes of pairs"));
  EXPECT_THAT(to_markdown(c), HasSubstr("signed-rank"));
}

TEST(CompareLoad, WhatIsNoPairIsRefused) {
  Sides sides = drifting(8, 1, 3);
  sides.fresh.pop_back();
  EXPECT_THAT(refusal(sides.base, sides.fresh, paired()),
              HasSubstr("8 runs of BASE and 7 of NEW are no pairs"));
  const LoadComparison c = compare(drifting(5, 2, 3).base, drifting(5, 2, 3).fresh, paired());
  EXPECT_FALSE(c.can_tell());
  EXPECT_THAT(headline(c).sentence, HasSubstr("5 pairs cannot tell any difference"));
  EXPECT_THAT(headline(c).sentence, HasSubstr("it takes 6 pairs for 1 metric."));
}

TEST(CompareLoad, OfAPairBothAreBelievableOrNoneCounts) {
  CompareOptions options = paired();
  options.metrics.push_back("fan_out.p50");
  Sides sides = drifting(9, 1, 3);
  sides.base[2].result.valid = false;
  sides.fresh[4].result.failed_because = {"the target is gone"};
  const LoadComparison c = compare(sides.base, sides.fresh, options);
  EXPECT_EQ(c.base.size(), 8u);
  EXPECT_EQ(c.base[4].source, "base6.json");
  EXPECT_EQ(c.fresh[4].source, "new6.json");
  EXPECT_EQ(metric(c, "target_process.cpu_per_delivery").base.size(), 8u);
  EXPECT_EQ(metric(c, "fan_out.p50").base.size(), 7u);
  EXPECT_EQ(metric(c, "fan_out.p50").fresh.size(), 7u);
  EXPECT_THAT(to_html(c), HasSubstr("</html>"));
}

TEST(CompareLoad, TooFewRunsProveNothingHoweverFarApart) {
  const LoadComparison c = compare(runs("base", 3, 1, 1), runs("new", 3, 5, 2), {});
  EXPECT_FALSE(c.can_tell());
  EXPECT_FALSE(c.regression());
  EXPECT_EQ(c.least_runs, 5u);  // four metrics: 4 * 2/252 < .05, but 4 * 2/70 is not
  EXPECT_EQ(headline(c).word, "CANNOT TELL");
  EXPECT_THAT(headline(c).sentence, HasSubstr("it takes 5 a side"));
}

TEST(CompareLoad, ARunThatIsNotToBeBelievedIsSetAside) {
  auto fresh = runs("new", 6, 1, 2);
  fresh[2].result.valid = false;
  fresh[2].result.invalid_because = {"the generator was busy"};
  const LoadComparison c = compare(runs("base", 6, 1, 1), fresh, {});
  EXPECT_EQ(metric(c, "fan_out.p50").fresh.size(), 5u);
  EXPECT_THAT(c.set_aside, testing::ElementsAre("new3.json (the generator was busy)"));
  for (LoadRun& run : fresh) run.result.valid = false;
  const LoadComparison none = compare(runs("base", 6, 1, 1), fresh, {});
  EXPECT_FALSE(none.can_tell());
  EXPECT_THAT(headline(none).sentence, HasSubstr("No run of NEW"));
  EXPECT_THAT(to_html(none), HasSubstr("</html>"));
  const LoadComparison nothing = compare(fresh, fresh, {});
  EXPECT_FALSE(nothing.can_tell());
  EXPECT_THAT(to_text(nothing), HasSubstr("CANNOT TELL"));
}

// On a machine that others use, too, schedules are not kept; what a process used of the CPU is true all the
// same.
TEST(CompareLoad, WhatTheTargetUsedCountsAlsoInRunsWhoseScheduleWasNotKept) {
  const auto with_cpu = [](std::vector<LoadRun> all, std::int64_t cpu) {
    for (LoadRun& run : all) {
      run.result.valid = false;
      run.result.target_process = {1000 * cpu, cpu++};
    }
    return all;
  };
  CompareOptions options;
  options.metrics = {"target_process.cpu_per_delivery"};
  const LoadComparison c =
      compare(with_cpu(runs("base", 4, 1, 1), 2000), with_cpu(runs("new", 4, 1, 2), 2400), options);
  EXPECT_TRUE(c.can_tell());
  EXPECT_TRUE(c.regression());
  EXPECT_EQ(c.set_aside.size(), 8u);
  EXPECT_EQ(some_set_aside(c).back(), "and 5 more");
  EXPECT_THAT(to_html(c), HasSubstr("All of them"));
  options.metrics.push_back("fan_out.p50");
  EXPECT_FALSE(compare(with_cpu(runs("base", 9, 1, 1), 2000), with_cpu(runs("new", 9, 1, 2), 2000), options)
                   .can_tell());
  auto gone = with_cpu(runs("new", 4, 1, 2), 2400);
  gone[1].result.target_process.reset();
  EXPECT_THAT(refusal(with_cpu(runs("base", 4, 1, 1), 2000), gone, options), HasSubstr("not every run"));
}

TEST(CompareLoad, AFaultThatBaseNeverHadIsARegressionAtFirstSight) {
  auto fresh = runs("new", 8, 1, 2);
  fresh[4].result.delivery.duplicated = 1;
  const LoadComparison c = compare(runs("base", 8, 1, 1), fresh, {});
  EXPECT_TRUE(c.regression());
  EXPECT_THAT(headline(c).sentence, HasSubstr("duplicated"));
  auto base = runs("base", 8, 1, 1);
  base[0].result.delivery.duplicated = 1;
  EXPECT_FALSE(compare(base, fresh, {}).regression()) << "both do it, once in eight runs";
}

TEST(CompareLoad, OnlyRunsOfOneScenarioAreCompared) {
  auto fresh = runs("new", 8, 1, 2);
  fresh[3].result.scenario["rate"] = 20;
  EXPECT_EQ(
      refusal(runs("base", 8, 1, 1), fresh),
      "new4.json: its scenario differs from that of base1.json at /rate: only runs of one scenario can be "
      "compared");
}

TEST(CompareLoad, WhereTheTargetIsDoesNotMatterButHowManyNodesItHas) {
  auto base = runs("base", 8, 1, 1), fresh = runs("new", 8, 1, 2);
  for (LoadRun& run : base) run.result.scenario["targets"] = {"ws://127.0.0.1:1"};
  for (LoadRun& run : fresh) run.result.scenario["targets"] = {"ws://127.0.0.1:2"};
  EXPECT_NO_THROW(compare(base, fresh, {}));
  fresh[0].result.scenario["targets"].push_back("ws://127.0.0.1:3");
  EXPECT_THAT(refusal(base, fresh), HasSubstr("at /targets"));
}

TEST(CompareLoad, AnUnknownMetricIsRefusedWithTheNearest) {
  CompareOptions options;
  options.metrics = {"fanout.p50"};
  EXPECT_THAT(refusal(runs("a", 8, 1, 1), runs("b", 8, 1, 1), options),
              HasSubstr("did you mean fan_out.p50?"));
  options.metrics.clear();
  options.max_regression_of["fan_out.max"] = .1;
  EXPECT_THAT(refusal(runs("a", 8, 1, 1), runs("b", 8, 1, 1), options),
              HasSubstr("add --metric fan_out.max"));
}

TEST(CompareLoad, OfDeliveriesMoreIsBetter) {
  auto fresh = runs("new", 8, 1, 2);
  for (std::size_t i = 0; i < fresh.size(); ++i) fresh[i].result.delivery.delivered = 200 + i;
  CompareOptions options;
  options.metrics = {"delivery.delivered"};
  const LoadComparison c = compare(runs("base", 8, 1, 1), fresh, options);
  EXPECT_EQ(c.metrics.at(0).difference, Difference::worse);
  EXPECT_TRUE(c.metrics.at(0).regression);
  EXPECT_EQ(compare(fresh, runs("base", 8, 1, 1), options).metrics.at(0).difference, Difference::better);
}

// The judgement as a whole, on latencies of equal servers and of one that is a fifth slower.
TEST(Simulation, EqualSidesAreHardlyEverToldApartAndAFifthAlways) {
  int wrong = 0, seen = 0;
  constexpr int kTrials = 40;
  for (std::uint64_t trial = 0; trial < kTrials; ++trial) {
    wrong += compare(runs("a", 6, 1, 10 + trial), runs("b", 6, 1, 1000 + trial), {}).regression() ? 1 : 0;
    seen += compare(runs("a", 6, 1, 10 + trial), runs("b", 6, 1.2, 1000 + trial), {}).regression() ? 1 : 0;
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(seen, kTrials);
}

// What ci/prove-comparison shows on a real machine, often enough to trust it.
TEST(Simulation, PairsOnADriftingMachineAreJudgedRight) {
  int wrong = 0, seen = 0;
  constexpr int kTrials = 50;
  for (std::uint64_t trial = 0; trial < kTrials; ++trial) {
    const Sides same = drifting(8, 1, 10 + trial), slower = drifting(8, 1.2, 1000 + trial);
    wrong += compare(same.base, same.fresh, paired()).regression() ? 1 : 0;
    seen += compare(slower.base, slower.fresh, paired()).regression() ? 1 : 0;
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(seen, kTrials);
}

TEST(CompareConformance, NewlyFailingNewlyPassingAndChanged) {
  const ConformanceResult base = samples::sample_conformance();
  ConformanceResult fresh = base;
  for (CaseResult& c : fresh.cases) {
    if (c.id == "broadcast.reaches-all/three-members") c.verdict = Verdict::pass;
    if (c.id == "broadcast.order/one-sender") {
      c.verdict = Verdict::crash;
      c.message = "the target is gone";
    }
    if (c.id == "connect.accepts/tls") c.verdict = Verdict::pass;
  }
  fresh.cases.pop_back();
  const ConformanceComparison c = compare({base}, {fresh});
  ASSERT_EQ(c.changes.size(), 4u);
  EXPECT_EQ(c.changes[0].id, "broadcast.order/one-sender");
  EXPECT_EQ(c.changes[0].kind, CaseChange::Kind::newly_failing);
  EXPECT_EQ(c.changes[1].kind, CaseChange::Kind::newly_passing);
  EXPECT_EQ(c.changes[2].kind, CaseChange::Kind::changed);
  EXPECT_EQ(c.changes[3].after, std::nullopt);
  EXPECT_TRUE(c.regression(false));
  EXPECT_EQ(compare({fresh}, {fresh}).changes.size(), 0u);
}

TEST(CompareConformance, AFailedShouldCountsOnlyWhereItIsStrict) {
  ConformanceResult base = samples::sample_conformance();
  base.cases.resize(1);
  base.cases[0].level = Level::should;
  ConformanceResult fresh = base;
  fresh.cases[0].verdict = Verdict::fail;
  EXPECT_FALSE(compare({base}, {fresh}).regression(false));
  EXPECT_TRUE(compare({base}, {fresh}).regression(true));
}

TEST(CompareConformance, OfSeveralRunsTheWorstCounts) {
  const ConformanceResult good = samples::sample_partial();
  ConformanceResult flaky = good;
  flaky.cases[0].verdict = Verdict::fail;
  EXPECT_TRUE(compare({good, good}, {good, flaky}).regression(false));
  EXPECT_FALSE(compare({good, flaky}, {good, flaky}).regression(false));
}

std::string differs(const std::string& name, const std::string& text) {
  return testkit::differs_from_golden("reports/golden/" + name, text);
}

std::string body(const std::string& page) {
  const std::size_t begin = page.find("<main>"), end = page.find("</main>");
  return page.substr(begin, end - begin) + "</main>\n";
}

TEST(Golden, CompareLoad) {
  auto fresh = runs("new", 6, 1.2, 2);
  fresh[0].result.delivery.lost = 2;
  fresh[1].result.valid = false;
  fresh[1].result.invalid_because = {"the generator was busy"};
  CompareOptions options;
  options.metrics = {"fan_out.p50", "last.p99", "connections.opened"};
  const LoadComparison c = compare(runs("base", 6, 1, 1), fresh, options);
  EXPECT_EQ(differs("compare_load.txt.gold", to_text(c)), "");
  EXPECT_EQ(differs("compare_load.md.gold", to_markdown(c)), "");
  EXPECT_EQ(differs("compare_load.json.gold", to_json_text(c)), "");
  EXPECT_EQ(differs("compare_load.html.gold", body(to_html(c))), "");
}

TEST(Golden, CompareConformance) {
  const ConformanceComparison c = compare({samples::sample_partial()}, {samples::sample_conformance()});
  EXPECT_EQ(differs("compare_conformance.txt.gold", to_text(c, false)), "");
  EXPECT_EQ(differs("compare_conformance.md.gold", to_markdown(c, false)), "");
  EXPECT_EQ(differs("compare_conformance.json.gold", to_json_text(c, false)), "");
  EXPECT_EQ(differs("compare_conformance.html.gold", body(to_html(c, false))), "");
}

}  // namespace
}  // namespace roomcheck::reports
