#include "reports/render/html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/regex.h"

namespace roomcheck::reports {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

LoadResult load() {
  LoadResult out;
  out.target = "ws://127.0.0.1:8801";
  out.command = "loadgen --clients 5";
  out.delivery.expected = 1234567;
  out.delivery.delivered = 1234567;
  Latency& fan_out = out.latency["fan_out"];
  for (int i = 1; i <= 1000; ++i) {
    fan_out.corrected.record(milliseconds(i));
    fan_out.uncorrected.record(milliseconds(i) / 2);
  }
  out.series = {{0, "connect", 5, 0, 0, 0, 0, 0, ""},
                {1'000'000'000, "run", 5, 1, 5, 1'530'000, 2'000'000, 3'000'000, ""}};
  out.rooms = {{"r1", 5, 10, 10, 0, 1'530'000, 2'000'000, 3'000'000}};
  out.thresholds = {{"delivery.lost==0", 0, true}};
  return out;
}

ConformanceResult conformance() {
  ConformanceResult out;
  out.verdict = "fail";
  out.cases = {{"echo.replies/one",
                "echo.replies",
                "echo",
                Level::must,
                Verdict::fail,
                "no answer came",
                "the text x",
                "nothing in 2 s",
                "A message is answered.",
                "",
                5,
                {"+0.1 ms > text x"}},
               {"echo.only-self/one",
                "echo.only-self",
                "echo",
                Level::must,
                Verdict::pass,
                "",
                "",
                "",
                "",
                "",
                5,
                {}}};
  return out;
}

std::string page(AnyResult result) { return render_html({{"result.json", std::move(result)}}); }

TEST(LoadPage, ARunThatMetEveryThresholdPassed) {
  EXPECT_THAT(page(load()), HasSubstr("<h2>PASSED</h2>"));
  EXPECT_THAT(page(load()), HasSubstr("1,234,567"));
  EXPECT_THAT(page(load()), HasSubstr("1.53 ms"));
  EXPECT_THAT(page(load()), HasSubstr("loadgen --clients 5"));
}

TEST(LoadPage, AMissedThresholdFailsItAndSaysByHowMuch) {
  LoadResult result = load();
  result.thresholds.push_back({"fan_out.p99<50ms", 61'000'000, false});
  EXPECT_THAT(page(result), HasSubstr("<h2>FAILED</h2>"));
  EXPECT_THAT(page(result), HasSubstr("missed fan_out.p99&lt;50ms: it was 61.0 ms"));
}

TEST(LoadPage, ARunThatEndedEarlyFailedAndSaysWhy) {
  LoadResult result = load();
  result.failed_because = {"the target closed the port"};
  EXPECT_THAT(page(result), HasSubstr("<h2>FAILED</h2>"));
  EXPECT_THAT(page(result), HasSubstr("<li>the target closed the port</li>"));
}

TEST(LoadPage, AnInvalidRunIsNotToBeBelievedWhateverItsThresholdsSay) {
  LoadResult result = load();
  result.valid = false;
  result.invalid_because = {"7.0 % of the sends were late"};
  EXPECT_THAT(page(result), HasSubstr("<h2>NOT TO BE BELIEVED</h2>"));
  EXPECT_THAT(page(result), HasSubstr("<li>7.0 % of the sends were late</li>"));
  EXPECT_THAT(page(result), Not(HasSubstr("<h2>PASSED</h2>")));
}

TEST(LoadPage, NamesTheOffenders) {
  LoadResult result = load();
  result.delivery.lost = 1;
  result.delivery.offenders = {{"lost", "r1", 2, 3, 4}};
  EXPECT_THAT(page(result),
              HasSubstr("message 3 of sender 2 in room <code>r1</code> never reached member 4"));
}

TEST(LoadPage, MemoryIsDrawnWhereItIsKnown) {
  LoadResult result = load();
  EXPECT_THAT(page(result), Not(HasSubstr("\"kind\":\"memory\"")));
  EXPECT_THAT(page(result), Not(HasSubstr("in the second half of the run")));
  result.series[1].rss_bytes = 3 << 20;
  EXPECT_THAT(page(result), HasSubstr(R"("series":[{"label":"generator","values":[null,3.0]}])"));
}

TEST(LoadPage, AnEmptyResultIsStillAPage) {
  EXPECT_THAT(page(LoadResult()), HasSubstr("</html>"));
  EXPECT_THAT(page(LoadResult()), Not(HasSubstr("data-chart=")));
}

TEST(LoadPage, TheCurveEndsAtTheLargestSample) {
  const std::string html = page(load());
  EXPECT_THAT(html, HasSubstr(R"("kind":"percentiles")"));
  const auto found = Regex(R"re("corrected","values":\[([^\]]*)\])re").find(html);
  ASSERT_TRUE(found);
  const std::string values = (*found)[1];
  EXPECT_EQ(values.substr(values.rfind(',') + 1), "1000.0");
}

TEST(ConformancePage, AFailedCaseUnfoldsWithAllThatIsKnown) {
  const std::string html = page(conformance());
  EXPECT_THAT(html, HasSubstr("<h2>FAILED</h2>"));
  for (const char* part : {"<details><summary>no answer came</summary>", "the text x", "nothing in 2 s",
                           "A message is answered.", "+0.1 ms &gt; text x", "1 of 2 passed"})
    EXPECT_THAT(html, HasSubstr(part));
}

TEST(ConformancePage, EachVerdictHasItsWord) {
  const auto word = [](const char* verdict) {
    ConformanceResult result = conformance();
    result.verdict = verdict;
    return page(result);
  };
  EXPECT_THAT(word("pass"), HasSubstr("<h2>PASSED</h2>"));
  EXPECT_THAT(word("partial"), HasSubstr("<h2>PARTIAL</h2>"));
  EXPECT_THAT(word("invalid"), HasSubstr("<h2>NOT TO BE BELIEVED</h2>"));
}

TEST(Page, TextOfAResultIsNeverMarkup) {
  const std::string evil = "</script><script>alert(1)</script><!--\"'&";
  LoadResult result = load();
  result.rooms[0].room = result.target = result.command = result.series[0].phase = evil;
  result.versions = result.environment = {{evil, evil}};
  result.scenario = {{evil, evil}};
  result.delivery.offenders = {{evil, evil, 1, 2, 3}};
  result.connections.by_error = {{evil, 1}};
  result.thresholds = {{evil, 1, false}};
  result.invalid_because = result.failed_because = {evil};
  ConformanceResult cases = conformance();
  CaseResult& c = cases.cases[0];
  c.id = c.section = c.message = c.expected = c.actual = c.sentence = evil;
  c.transcript = {evil};
  const std::string html = render_html({{evil, result}, {evil, cases}});
  EXPECT_THAT(html, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(html, Not(HasSubstr("<!--")));
  EXPECT_THAT(html, HasSubstr("&lt;/script&gt;&lt;script&gt;alert(1)"));
  EXPECT_THAT(html, HasSubstr("\\u003c/script>"));
}

TEST(Page, LoadsNothing) {
  const std::string html = render_html({{"a.json", load()}, {"b.json", conformance()}});
  EXPECT_FALSE(Regex(R"((src|href)\s*=\s*["']?(https?:|//))").find(html));
  EXPECT_THAT(html, Not(HasSubstr("@import")));
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
}

TEST(Page, CarriesTheLicenceOfWhatItCarries) {
  EXPECT_THAT(page(load()), HasSubstr("Permission is hereby granted"));
  EXPECT_THAT(page(conformance()), Not(HasSubstr("Permission is hereby granted")));
}

TEST(Page, SeveralResultsHaveContents) {
  const std::string html = render_html({{"a.json", load()}, {"b.json", conformance()}});
  EXPECT_THAT(html, HasSubstr("<a href=\"#r2\">Conformance run</a>"));
  EXPECT_THAT(html, HasSubstr("<section id=r2>"));
  EXPECT_FALSE(page(load()).find("aria-label=Contents") != std::string::npos);
}

}  // namespace
}  // namespace roomcheck::reports
