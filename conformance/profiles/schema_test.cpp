// The schema, with which people's editors check a profile, and the parser say the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "libs/target/profile.h"
#include "libs/testkit/paths.h"
#include "libs/testkit/process.h"
#include "libs/testkit/target.h"

namespace roomcheck::target {
namespace {

using nlohmann::json;

// One line an input: "valid", or what the schema says against it.
constexpr const char* kValidate = R"py(
import json, sys, jsonschema
validator = jsonschema.Draft202012Validator(json.load(open(sys.argv[1])))
validator.check_schema(validator.schema)
for profile in json.load(open(sys.argv[2])):
    error = next(iter(validator.iter_errors(profile)), None)
    print("valid" if error is None else error.message.splitlines()[0])
)py";

std::vector<std::string> by_schema(const json& profiles) {
  const testkit::TemporaryDirectory directory;
  const testkit::Outcome outcome =
      testkit::run({testkit::python(), "-c", kValidate,
                    testkit::source_dir() + "/conformance/profiles/profile.schema.json",
                    directory.write("profiles.json", profiles.dump())});
  if (outcome.exit_code != 0) throw std::runtime_error(outcome.err);
  std::vector<std::string> out;
  std::istringstream lines(outcome.out);
  for (std::string line; std::getline(lines, line);) out.push_back(line);
  return out;
}

std::string by_parser(const json& profile) {
  try {
    (void)parse_profile(profile.dump(), "p.json");
    return "valid";
  } catch (const BadInput& e) {
    return e.what();
  }
}

json seed() { return json::parse(print_profile(load_profile("seed"))); }

TEST(ProfileSchema, TheBuiltInProfilesAreValid) {
  json all = json::array();
  for (const std::string& name : builtin_profiles())
    all.push_back(json::parse(print_profile(load_profile(name))));
  for (const std::string& said : by_schema(all)) EXPECT_EQ(said, "valid");
}

TEST(ProfileSchema, AgreesWithTheParserOnWhatIsRightAndWrong) {
  const struct {
    const char* pointer;
    json value;
    bool valid;
  } kChanges[] = {
      {"/name", "mine", true},
      {"/name", 5, false},
      {"/nmae", "x", false},
      {"/$schema", "profile.schema.json", true},
      {"/room/path", "/r/{room}", true},
      {"/room/path", "r/{room}", false},
      {"/room/path", "/r/", false},
      {"/room/pth", "/r/{room}", false},
      {"/room/name_max", 1, true},
      {"/room/name_max", 0, false},
      {"/room/name_max", "9", false},
      {"/room/consumer_paths", {"/a/{room}/"}, true},
      {"/room/consumer_paths", {1}, false},
      {"/room", json::object(), false},
      {"/echo/path", "echo", false},
      {"/push/event", nullptr, false},
      {"/push/more", 1, false},
      {"/group", "chat_{room}", true},
      {"/group", "discover", true},
      {"/group", "chat", false},
      {"/bad_message", "ignore", true},
      {"/bad_message", "reply", false},
      {"/bad_message", "shout", false},
      {"/bad_reply", {{"error", "{any}"}}, true},
      {"/join_barrier", "self_echo", true},
      {"/join_barrier", "soon", false},
      {"/auth/session", "sessionid=x", true},
      {"/auth/session", 5, false},
      {"/auth/session", {{"env", ""}}, false},
      {"/auth/session", {{"environment", "X"}}, false},
      {"/auth/user", 7, true},
      {"/auth/user", nullptr, false},
      {"/auth/private_path", "/private/", false},
      {"/auth/whoami/path", "whoami", false},
      {"/auth/password", "x", false},
      {"/origin/accepted", json::array(), false},
      {"/origin/missing", "accepted", true},
      {"/origin/missing", true, false},
      {"/headers", {{"X-A", "b"}}, true},
      {"/headers", {{"X-A", 1}}, false},
      {"/cookies", 1, false},
      {"/capabilities", {"echo", "cluster"}, true},
      {"/capabilities", {"flying"}, false},
      {"/capabilities", "echo", false},
  };
  json all = json::array();
  for (const auto& change : kChanges) {
    all.push_back(seed());
    all.back()[json::json_pointer(change.pointer)] = change.value;
  }
  for (const char* capability :
       {"echo", "push", "direct", "origin", "auth"}) {  // declared, and not described
    all.push_back(seed());
    all.back()["capabilities"] = {capability};
    all.back().erase(capability);
  }
  const std::vector<std::string> schema = by_schema(all);
  ASSERT_EQ(schema.size(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool valid = i < std::size(kChanges) && kChanges[i].valid;
    const std::string what = i < std::size(kChanges)
                                 ? kChanges[i].pointer + std::string(" = ") + kChanges[i].value.dump()
                                 : all[i]["capabilities"].dump();
    // The template's marks are the parser's alone to count.
    if (what != "/push/event = null") {
      EXPECT_EQ(schema[i] == "valid", valid) << what << ": " << schema[i];
    }
    EXPECT_EQ(by_parser(all[i]) == "valid", valid) << what << ": " << by_parser(all[i]);
  }
}

}  // namespace
}  // namespace roomcheck::target
