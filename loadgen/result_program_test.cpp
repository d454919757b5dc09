// What a result says besides its numbers: that it follows its schema, what happened, and how much memory it
// took.
#include <gmock/gmock.h>

#include "libs/testkit/target.h"
#include "loadgen/program_test.h"

namespace roomcheck::loadgen {
namespace {

using testing::HasSubstr;

// The schema is open for readers of a later version; what this version writes is in it to the last field.
constexpr const char* kValidate = R"py(
import json, sys, jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
def close(part):
    if isinstance(part, dict):
        if "properties" in part: part.setdefault("additionalProperties", False)
        for value in part.values(): close(value)
    elif isinstance(part, list):
        for value in part: close(value)
close(schema)
for name in sys.argv[2:]:
    for error in jsonschema.Draft202012Validator(schema).iter_errors(json.load(open(name))):
        print(name, list(error.absolute_path), error.message[:300])
)py";

TEST(Result, OfEachWorkloadFollowsItsSchema) {
  const Server server;
  const testkit::TemporaryDirectory directory;
  std::vector<std::string> check{testkit::python(), "-c", kValidate,
                                 testkit::source_dir() + "/reports/model/load_result.schema.json"};
  const auto run = [&](const std::string& name, std::vector<std::string> words) {
    const std::string file = directory.path(name + ".json");
    words.insert(words.end(),
                 {"--target", server.target, "--control", "http:" + server.control, "--json", file});
    const Outcome outcome = loadgen(words);
    ASSERT_TRUE(Json::parse(testkit::slurp(file), nullptr, false).is_object()) << outcome.err;
    check.push_back(file);
  };
  for (const char* workload : {"fan-out", "push", "direct", "echo", "join-storm", "churn"})
    run(workload, {"--workload", workload, "--clients", "20", "--rooms", "2", "--rate", "40", "--duration",
                   "500ms", "--warmup", "100ms", "--stay", "200ms"});
  const std::string scenario = directory.write("s", R"({"workloads": [{"workload": "fan-out", "clients": 20},
    {"workload": "churn", "clients": 20, "stay": "200ms"}], "warmup": "0",
    "stages": [{"name": "calm", "duration": "300ms"}, {"name": "rise", "duration": "300ms", "load_to": 2}]})");
  run("several", {"--scenario", scenario, "--target-pid", std::to_string(getpid())});
  run("kernel-timestamps", {"--kernel-timestamps", "--clients", "20", "--rooms", "2", "--duration", "300ms"});
  EXPECT_EQ(testkit::run(check).out, "");
  // And the check can fail.
  Json wrong = Json::parse(testkit::slurp(check.back()));
  wrong["sends"]["invented"] = 1;
  check.push_back(directory.write("wrong.json", wrong.dump()));
  EXPECT_THAT(testkit::run(check).out, HasSubstr("invented"));
}

// "stage at 1 s: calm: load 1" and so on.
std::vector<std::string> events_of(const Json& result) {
  std::vector<std::string> out;
  for (const Json& event : result["events"])
    out.push_back(event["kind"].get<std::string>() + ": " + event["text"].get<std::string>());
  return out;
}

TEST(Result, TellsWhichStageBeganWhenAndWhoCameAndWent) {
  const Server server;
  const testkit::TemporaryDirectory directory;
  const std::string scenario = directory.write("s", R"({"workloads": [{"workload": "fan-out", "clients": 20},
    {"workload": "churn", "clients": 30, "stay": "200ms"}, {"workload": "join-storm", "clients": 10}], "warmup": "0",
    "connect_rate": 100, "stages": [{"name": "calm", "duration": "300ms"},
                                    {"name": "rise", "duration": "700ms", "load": 1, "load_to": 2.5}]})");
  const std::string file = directory.path("r.json");
  const Outcome outcome = loadgen({"--target", server.target, "--scenario", scenario, "--json", file});
  const Json result = Json::parse(testkit::slurp(file), nullptr, false);
  ASSERT_TRUE(result.is_object()) << outcome.err;
  EXPECT_THAT(events_of(result), testing::UnorderedElementsAre(
                                     "stage: calm: load 1", "stage: rise: load 1 to 2.5",
                                     "churn: 30 clients begin to come and go, each after 200 ms on average",
                                     "join-storm: 10 clients begin to join, 100 a second"));
  const auto at = [&](const char* kind, std::size_t skip) {
    for (const Json& event : result["events"])
      if (event["kind"] == kind && skip-- == 0) return event["at_ns"].get<std::int64_t>();
    return std::int64_t{-1};
  };
  EXPECT_EQ(at("stage", 1) - at("stage", 0), 300'000'000);
}

TEST(Result, AStageThatWasNotReachedIsNotTold) {
  const Server server;
  const testkit::TemporaryDirectory directory;
  const std::string scenario =
      directory.write("s", R"({"workloads": [{"workload": "echo", "clients": 5}], "warmup": "0",
    "stages": [{"name": "long", "duration": "10m"}, {"name": "never", "duration": "1s"}]})");
  Process load({kBin + "/loadgen", "run", "--target", server.target, "--scenario", scenario, "--json",
                directory.path("r.json"), "--live-jsonl", "-"});
  load.wait_for("\"phase\":\"run\"");
  load.signal(SIGINT);
  ASSERT_TRUE(load.wait().has_value());
  EXPECT_THAT(
      events_of(Json::parse(testkit::slurp(directory.path("r.json")))),
      testing::ElementsAre("stage: long: load 1", "signal: ended early by a signal: nothing more is sent"));
}

TEST(Result, SaysThatTheTargetIsBehindAndThatTheDrainWasTooShort) {
  const auto says = [](const std::string& drain) {
    return load({"--threads", "1", "--mutant", "serves=1000"},
                {"--clients", "50", "--rooms", "1", "--rate", "40", "--duration", "2s", "--drain", drain})
        .outcome.out;
  };
  EXPECT_THAT(
      says("500ms"),
      testing::AllOf(HasSubstr("note: deliveries still came during the drain, which ended after 500 ms"),
                     HasSubstr("had not delivered")));
  // 4,000 deliveries at 1,000/s: 2 s behind.
  EXPECT_THAT(says("30s"),
              testing::AllOf(HasSubstr("of the 2,000 deliveries/s that were due"), HasSubstr("behind"),
                             testing::Not(HasSubstr("note: deliveries still came")), HasSubstr("100.000 %")));
}

TEST(Result, HasTheMemoryOfBothEndsSecondBySecond) {
  const Server server;
  const testkit::TemporaryDirectory directory;
  const Measured run = load({}, {"--target", server.target, "--target-pid", std::to_string(server.pid())});
  for (const Json& second : run.result["series"]) {
    EXPECT_GT(second["rss_bytes"], 1 << 20);
    EXPECT_GT(second["target_rss_bytes"], 1 << 20);
  }
  const Json& series = run.result["series"];
  std::vector<Json> seconds;
  std::copy_if(series.begin(), series.end(), std::back_inserter(seconds),
               [](const Json& second) { return second["phase"] == "run"; });
  ASSERT_FALSE(seconds.empty());
  EXPECT_EQ(run.result["target_process"]["rss_bytes"], seconds.back()["target_rss_bytes"]);
  EXPECT_EQ(run.result["generator"]["rss_growth_bytes"].get<std::int64_t>(),
            seconds.back()["rss_bytes"].get<std::int64_t>() -
                seconds[seconds.size() / 2]["rss_bytes"].get<std::int64_t>());
  EXPECT_THAT(
      run.outcome.out,
      testing::ContainsRegex("target .* us of CPU per delivery, memory .* in the second half of the run"));
}

}  // namespace
}  // namespace roomcheck::loadgen
