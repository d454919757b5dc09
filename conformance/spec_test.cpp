// docs/SPEC.md and the catalogue say the same, in both directions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

#include "conformance/catalog.h"
#include "libs/base/regex.h"
#include "libs/testkit/files.h"
#include "libs/testkit/paths.h"

namespace roomcheck::conformance {
namespace {

struct Written {
  std::string level;
  std::set<std::string> observed_by;
};

// The requirements of SPEC.md, but for section layer, which its own contract suite judges.
std::map<std::string, Written> written() {
  std::map<std::string, Written> out;
  std::istringstream lines(testkit::slurp(testkit::source_dir() + "/docs/SPEC.md"));
  static const Regex level("^\\*(MUST|SHOULD|INFO)\\* · source: .+"), name("`([a-z0-9.-]+/[a-z0-9-]+)`");
  std::string id;
  bool observed = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.compare(0, 4, "### ") == 0) {
      id = line.substr(4);
      EXPECT_EQ(out.count(id), 0u) << id << " is written twice";
      if (id.compare(0, 6, "layer.") == 0) id.clear();
      if (!id.empty()) out[id];
      observed = false;
    }
    if (id.empty()) continue;
    if (const auto found = level.find(line)) out[id].level = (*found)[1];
    observed = observed || line.compare(0, 12, "Observed by:") == 0;
    if (observed)
      for (const Regex::Match& each : name.all(line)) out[id].observed_by.insert(each[1]);
  }
  return out;
}

TEST(Spec, NamesEveryRequirementWithItsLevelAndItsCases) {
  std::map<std::string, Written> of_catalogue;
  for (const Case& c : all_cases()) {
    EXPECT_EQ(c.id.compare(0, c.requirement.size() + 1, c.requirement + "/"), 0) << c.id;
    Written& requirement = of_catalogue[c.requirement];
    const std::string level(reports::to_string(c.level));
    EXPECT_TRUE(requirement.level.empty() || requirement.level == level) << c.id << " has another level";
    requirement.level = level;
    requirement.observed_by.insert(c.id);
  }
  const std::map<std::string, Written> of_spec = written();
  EXPECT_GT(of_spec.size(), 110u);
  for (const auto& [id, requirement] : of_catalogue) {
    ASSERT_EQ(of_spec.count(id), 1u) << id << " has cases and is not in docs/SPEC.md";
    EXPECT_EQ(of_spec.at(id).level, requirement.level) << id;
    EXPECT_EQ(of_spec.at(id).observed_by, requirement.observed_by) << id << ": its line 'Observed by'";
  }
  for (const auto& [id, requirement] : of_spec)
    EXPECT_EQ(of_catalogue.count(id), 1u) << id << " is in docs/SPEC.md and has no case";
}

TEST(Spec, CaseIdsAreUnique) {
  std::set<std::string> ids;
  for (const Case& c : all_cases()) EXPECT_TRUE(ids.insert(c.id).second) << c.id;
}

}  // namespace
}  // namespace roomcheck::conformance
