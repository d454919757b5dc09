// Every renderer's output, to the letter: what changes here is what people and pipelines see change.
#include <gtest/gtest.h>

#include "libs/base/result.h"
#include "libs/testkit/files.h"
#include "reports/model/junit.h"
#include "reports/model/plain.h"
#include "reports/render/annotations.h"
#include "reports/render/html.h"
#include "reports/render/markdown.h"
#include "reports/render/matrix.h"
#include "reports/samples/samples.h"

namespace roomcheck::reports {
namespace {

using namespace samples;

std::string differs(const std::string& name, const std::string& text) {
  return testkit::differs_from_golden("reports/golden/" + name, text);
}

// A page without what is the same in each: style, scripts, uPlot.
std::string body(const std::string& page) {
  const std::size_t begin = page.find("<main>"), end = page.find("</main>");
  return page.substr(begin, end - begin) + "</main>\n";
}

std::vector<Implementation> implementations() {
  return {{"reference", sample_conformance()}, {"tutorial|1", sample_partial()}};
}

TEST(Golden, Html) {
  EXPECT_EQ(differs("report.html.gold",
                    body(render_html({{"load.json", small_load()}, {"suite.json", sample_conformance()}}))),
            "");
}

TEST(Golden, Matrix) {
  EXPECT_EQ(differs("matrix.html.gold", body(render_matrix_html(implementations()))), "");
  EXPECT_EQ(differs("matrix.md.gold", render_matrix_markdown(implementations())), "");
}

TEST(Golden, Markdown) {
  EXPECT_EQ(differs("report.md.gold",
                    render_markdown({{"load.json", small_load()}, {"suite.json", sample_conformance()}})),
            "");
}

TEST(Golden, Junit) {
  LoadResult invalid = small_load();
  invalid.valid = false;
  invalid.invalid_because = {"1.1 % of the sends left more than 1 ms late"};
  EXPECT_EQ(differs("conformance.junit.gold", to_junit(sample_conformance())), "");
  EXPECT_EQ(differs("load.junit.gold", to_junit(invalid)), "");
}

TEST(Golden, Annotations) {
  ConformanceResult suite = sample_conformance();
  suite.cases[4].message = "50 % of a:b, c\nlost";
  EXPECT_EQ(differs("annotations.gold",
                    to_annotations(suite) + to_annotations(sample_partial()) + to_annotations(small_load())),
            "");
}

TEST(Golden, Csv) {
  LoadResult load = small_load();
  load.rooms[0].room = "a \"room\", quoted";
  std::string all;
  for (const char* table : {"series", "latency", "rooms"}) all += to_csv(load, table);
  EXPECT_EQ(differs("tables.csv.gold", all + to_csv(sample_conformance(), "")), "");
  EXPECT_THROW(to_csv(load, "cases"), BadInput);
  EXPECT_THROW(to_csv(sample_conformance(), "rooms"), BadInput);
}

TEST(Golden, Hgrm) {
  EXPECT_EQ(differs("latency.hgrm.gold", to_hgrm(small_load().latency["fan_out"].corrected)), "");
  EXPECT_EQ(differs("empty.hgrm.gold", to_hgrm({})), "");
}

TEST(Junit, AFailedShouldIsRedOnlyWhereItFailedTheRun) {
  ConformanceResult result = sample_conformance();
  result.cases.resize(1);
  CaseResult& should = result.cases[0];
  should.level = Level::should;
  should.verdict = Verdict::fail;
  should.message = "slow";
  result.verdict = "pass";
  EXPECT_NE(to_junit(result).find("failures=\"0\" errors=\"0\" skipped=\"1\""), std::string::npos);
  result.verdict = "fail";  // --strict
  EXPECT_NE(to_junit(result).find("failures=\"1\""), std::string::npos);
}

TEST(Markdown, NeverGrowsBeyondItsLimitAndSaysWhenItWasCut) {
  ConformanceResult result = sample_conformance();
  for (int i = 0; i < 300; ++i) result.cases.push_back(result.cases[4]);
  const std::string whole = render_markdown({{"a", result}});
  EXPECT_LE(whole.size(), kMarkdownLimit);
  const std::string cut = render_markdown({{"a", result}}, 2000);
  EXPECT_LE(cut.size(), 2000u);
  EXPECT_NE(cut.find("Shortened"), std::string::npos);
  EXPECT_NE(cut.find("FAILED"), std::string::npos);
}

TEST(Markdown, TextOfAResultIsNeverMarkup) {
  ConformanceResult result = sample_conformance();
  result.cases[4].message = "<img src=x> | [a](b) *c*\nd";
  result.cases[4].transcript = {"```", "</details>"};
  const std::string text = render_markdown({{"a", result}});
  EXPECT_NE(text.find("&lt;img src=x> \\| \\[a\\](b) \\*c\\* d"), std::string::npos);
  EXPECT_NE(text.find("\n````\n"), std::string::npos) << "the fence is longer than any in the transcript";
}

}  // namespace
}  // namespace roomcheck::reports
