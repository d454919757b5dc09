#include "ci/house/documents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

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
  EXPECT_THAT(wrong("| x | `--most` | 1 | – | |"), ElementsAre("\"x\" is proved by no test"));
  EXPECT_THAT(wrong("| x | `--most` | 1 | – | `A.D` |"), ElementsAre(HasSubstr("not there: A.D")));
  EXPECT_THAT(wrong("| x | `--most` | 1 | `most_total` | `A.C` |"), ElementsAre(HasSubstr("do not read")));
  EXPECT_THAT(wrong("| x | `--most` | 1 | `least_total` | `A.B` |"),
              ElementsAre(HasSubstr("counted nowhere"), HasSubstr("do not read")));
  EXPECT_THAT(wrong("| x | `--least` | 1 | – | `A.B` |"),
              ElementsAre(HasSubstr("--help has not"), HasSubstr("--most of --help is in no row")));
  EXPECT_THAT(wrong("| x | `--most` | 1 |"), Not(IsEmpty()));
}

}  // namespace
}  // namespace roomcheck::house
