#include "ci/house/documents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <sstream>

#include "libs/base/regex.h"
#include "libs/testkit/files.h"
#include "libs/testkit/paths.h"

namespace roomcheck::house {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string text_of(const std::string& file) { return testkit::slurp(testkit::source_dir() + "/" + file); }

std::map<std::string, std::string> all_tests() {
  std::map<std::string, std::string> out;
  for (const char* top : {"libs", "reference_server"})
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(testkit::source_dir()) / top))
      if (entry.path().string().find("_test.cpp") != std::string::npos)
        out.merge(tests_in(testkit::slurp(entry.path().string())));
  return out;
}

TEST(Limits, EachHasItsOptionItsCounterAndATestThatReadsIt) {
  const std::string security = text_of("docs/SECURITY.md");
  EXPECT_GT(table(security, "limit").size(), 20u);
  EXPECT_THAT(wrong_limits(security, text_of("reference_server/help.gold"),
                           text_of("reference_server/pages.cpp"), all_tests()),
              IsEmpty());
}

TEST(WrongLimits, SeesWhatIsMissing) {
  const std::string head = "| limit | option | beyond it | counter | proved by |\n|---|---|---|---|---|\n";
  const std::string help = "\nLimits:\n  --most SIZE\n";
  const std::map<std::string, std::string> tests = tests_in("\nTEST(A, B) { most_total }\nTEST_F(A, C) {}\n");
  const auto wrong = [&](const std::string& row) {
    return wrong_limits(head + row + "\n", help, "\"most_total\"", tests);
  };
  EXPECT_THAT(wrong("| x | `--most` | 1 | `most_total` | `A.B` |"), IsEmpty());
  EXPECT_THAT(wrong("| x | `--most` | 1 | none: why | `A.C` |"), IsEmpty());
  EXPECT_THAT(wrong("| x | `--most` | 1 | – | `A.C` |"), ElementsAre(HasSubstr("has no counter")));
  EXPECT_THAT(wrong("| x | `--most` | 1 | none: why | |"), ElementsAre("\"x\" is proved by no test"));
  EXPECT_THAT(wrong("| x | `--most` | 1 | none: why | `A.D` |"), ElementsAre(HasSubstr("not there: A.D")));
  EXPECT_THAT(wrong("| x | `--most` | 1 | `most_total` | `A.C` |"), ElementsAre(HasSubstr("do not read")));
  EXPECT_THAT(wrong("| x | `--most` | 1 | `least_total` | `A.B` |"),
              ElementsAre(HasSubstr("counted nowhere"), HasSubstr("do not read")));
  EXPECT_THAT(wrong("| x | `--least` | 1 | `most_total` | `A.B` |"),
              ElementsAre(HasSubstr("--help has not"), HasSubstr("--most of --help is in no row")));
  EXPECT_THAT(wrong("| x | `--most` | 1 |"), Not(IsEmpty()));
}

// docs/RFC6455.md names cases that there are, and every MUST of SPEC.md that has its source in the RFC.
TEST(Rfc6455, EachRuleIsAssertedByCasesThatThereAre) {
  std::set<std::string> cases, named;
  std::istringstream list(text_of("conformance/cases/list.gold"));
  for (std::string line; std::getline(list, line);) cases.insert(line.substr(0, line.find(' ')));
  const auto rules = table(text_of("docs/RFC6455.md"), "section");
  EXPECT_GT(rules.size(), 40u);
  for (const std::vector<std::string>& rule : rules) {
    ASSERT_EQ(rule.size(), 3u) << rule[0];
    EXPECT_NE(rule[2], "") << rule[1];
    for (const std::string& id : code_words(rule[2])) {
      EXPECT_TRUE(id.find('/') == id.npos || cases.count(id) == 1) << id << " is no case";
      named.insert(id.substr(0, id.find('/')));
    }
  }
  const std::string spec = text_of("docs/SPEC.md");
  const Regex kFromRfc(R"(### (transport\.[a-z0-9-]+)\n\n\*MUST\* · source: RFC [5-7])");
  const auto requirements = kFromRfc.all(spec);
  for (const Regex::Match& requirement : requirements)
    EXPECT_EQ(named.count(requirement[1]), 1u) << requirement[1] << " is in no row of docs/RFC6455.md";
  EXPECT_GT(requirements.size(), 10u);
}

}  // namespace
}  // namespace roomcheck::house
