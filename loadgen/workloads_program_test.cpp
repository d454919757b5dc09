// Each workload, scenario files, and the searches, as people start them, against the reference server.
#include <gmock/gmock.h>

#include <sstream>

#include "libs/testkit/redis.h"
#include "loadgen/program_test.h"

namespace roomcheck::loadgen {
namespace {

using testing::HasSubstr;

#define SKIP_IF_NOT_BELIEVABLE(run) \
  if ((run).outcome.exit_code == 4) GTEST_SKIP() << "could not test: " << (run).outcome.out

// What the ledger counted holds for any run; what the run says of itself, only where the machine let it.
void expect_clean(const Measured& run) {
  for (const char* bad : {"lost", "duplicated", "reordered", "foreign", "corrupt"})
    EXPECT_EQ(run.result["delivery"][bad], 0) << bad << "\n" << run.outcome.out << run.outcome.err;
}

TEST(Workload, EchoTimesEachClientsOwn) {
  const Measured run = load({}, {"--workload", "echo", "--clients", "50"});
  expect_clean(run);
  EXPECT_EQ(run.result["delivery"]["delivered"], 200);
  EXPECT_EQ(run.result["latency"]["echo"]["corrected"]["count"], 200);
  SKIP_IF_NOT_BELIEVABLE(run);
  EXPECT_EQ(run.outcome.exit_code, 0) << run.outcome.out;
}

TEST(Workload, PushReachesEveryMemberFromOutside) {
  const Measured run = load({}, {"--workload", "push", "--rate", "50"});
  expect_clean(run);
  EXPECT_EQ(run.result["delivery"]["delivered"], 100 * 20);
  EXPECT_EQ(run.result["latency"]["push"]["corrected"]["count"], 2000);
  EXPECT_EQ(run.result["latency"]["last"]["corrected"]["count"], 100);
  SKIP_IF_NOT_BELIEVABLE(run);
  EXPECT_EQ(run.outcome.exit_code, 0) << run.outcome.out;
}

TEST(Workload, PushesThatReachNobodyAreLost) {
  const Measured run = load({"--mutant", "push-ignored"}, {"--workload", "push", "--rate", "20"});
  EXPECT_EQ(run.result["delivery"]["expected"], 40 * 20);
  EXPECT_EQ(run.result["delivery"]["lost"], 40 * 20);
}

TEST(Workload, PushesThatReachAnotherRoomAreForeign) {
  const Measured run = load({"--mutant", "push-everywhere"}, {"--workload", "push", "--rate", "20"});
  EXPECT_EQ(run.result["delivery"]["lost"], 0);
  EXPECT_EQ(run.result["delivery"]["foreign"], 36 * 20);  // the next room; the last of ten has none
}

TEST(Workload, DirectReachesExactlyTheOneItIsFor) {
  const Measured run = load({}, {"--workload", "direct", "--clients", "50", "--rate", "50"});
  expect_clean(run);
  EXPECT_EQ(run.result["delivery"]["delivered"], 100);
  SKIP_IF_NOT_BELIEVABLE(run);
  EXPECT_EQ(run.outcome.exit_code, 0) << run.outcome.out;
}

// Through Redis, as a peer of the server: how it names groups and connections is found out, not told.
Measured over_redis(const std::string& layer, std::vector<std::string> more) {
  const testkit::TemporaryRedis redis;
  more.insert(more.end(),
              {"--set", "group=discover", "--control", redis.url() + "?layer=" + layer, "--clients", "20",
               "--rooms", "2", "--rate", "20", "--duration", "1s", "--drain", "5s"});
  return load({"--layer", layer == "core" ? "redis" : "redis-pubsub", "--redis-url", redis.url()}, more);
}

TEST(OverRedis, PushFindsTheGroups) {
  for (const char* layer : {"core", "pubsub"}) {
    const Measured run = over_redis(layer, {"--workload", "push"});
    expect_clean(run);
    EXPECT_EQ(run.result["delivery"]["delivered"], 20 * 10) << layer;
  }
}

TEST(OverRedis, AGroupOfAnotherRoomIsNotTakenForOurs) {
  // Room 1 is the last of the pushes; the names of rooms 10 and 11 hold its name.
  const testkit::TemporaryRedis redis;
  const Server server({"--layer", "redis", "--redis-url", redis.url()});
  const testkit::TemporaryDirectory directory;
  const std::string scenario = directory.write("s", R"({"workloads": [
    {"workload": "push", "clients": 4, "rooms": 2, "rate": 10}, {"workload": "fan-out", "clients": 10, "rooms": 10}],
    "warmup": "0", "drain": "5s", "stages": [{"name": "all", "duration": "500ms"}]})");
  const Outcome outcome =
      loadgen({"--target", server.target, "--scenario", scenario, "--set", "group=discover", "--control",
               redis.url() + "?layer=core", "--json", directory.path("r")});
  const Json result = Json::parse(testkit::slurp(directory.path("r")), nullptr, false);
  ASSERT_TRUE(result.is_object()) << outcome.err;
  EXPECT_EQ(result["workloads"][0]["delivery"]["delivered"], 5 * 2);
}

TEST(OverRedis, DirectFindsTheChannelNames) {
  for (const char* layer : {"core", "pubsub"}) {
    const Measured run = over_redis(layer, {"--workload", "direct"});
    expect_clean(run);
    EXPECT_EQ(run.result["connections"]["opened"], 20) << layer;
    EXPECT_EQ(run.result["delivery"]["delivered"], 20) << layer << run.outcome.out << run.outcome.err;
    EXPECT_EQ(run.result["sends"]["dropped"], 0) << layer;
  }
}

TEST(OverRedis, OneJoinAtATimeNeedsOneThread) {
  const Outcome outcome =
      loadgen({"--workload", "direct", "--threads", "2", "--control", "redis://127.0.0.1:1/0?layer=pubsub"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("--threads 1"));
}

TEST(OverRedis, NobodyThereIsSaidOnce) {
  const testkit::TemporaryRedis redis;
  const Outcome outcome =
      loadgen({"--target", "ws://127.0.0.1:" + std::to_string(testkit::free_port()), "--workload", "direct",
               "--clients", "5", "--control", redis.url() + "?layer=pubsub"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("a client could not join: tcp: Connection refused"));
}

TEST(Workload, WithoutAControlPushIsRefusedBeforeTheStart) {
  const Outcome outcome = loadgen({"--workload", "push"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("--control http://HOST:PORT"));
}

TEST(Workload, AJoinStormTimesTheJoinsAndOwesNothingToWhoIsNotIn) {
  const Measured run = load({}, {"--workload", "join-storm", "--connect-rate", "400"});
  expect_clean(run);
  EXPECT_EQ(run.result["connections"]["opened"], 200);
  EXPECT_EQ(run.result["latency"]["join"]["corrected"]["count"], 200);
  EXPECT_GT(run.result["delivery"]["delivered"], 1000);
  EXPECT_LT(run.result["delivery"]["expected"], 4000);
}

TEST(Workload, ChurnLosesNobodysMessages) {
  const Measured run = load({}, {"--workload", "churn", "--stay", "500ms"});
  expect_clean(run);
  const auto left = run.result["connections"]["left"].get<int>();
  EXPECT_GT(left, 400);  // 200 clients, 2 s, a stay of half a second: 800 and chance
  EXPECT_GT(run.result["connections"]["reconnected"].get<int>(), left - 50);
  EXPECT_EQ(run.result["connections"]["closed_by_target"], 0);
  EXPECT_GT(run.result["delivery"]["delivered"], 2000);
}

TEST(Workload, ChurnFindsThoseThatAreStillInTheGroup) {
  // Messages to a ghost are no loss; but what every hundredth member misses is.
  const Measured run = load({"--mutant", "lose=100"}, {"--workload", "churn", "--stay", "500ms"});
  const auto lost = run.result["delivery"]["lost"].get<double>();
  const auto apart = run.result["delivery"]["in_flight_members"].get<double>();
  const auto truth = run.stats["mutant"]["lost"].get<double>();
  EXPECT_LE(lost, truth);
  EXPECT_GE(lost + apart, truth * 0.9) << "what is neither lost nor in flight went to members about to leave";
}

TEST(Workload, SlowReadersAreCountedApartAndJudgedByNobody) {
  const Measured run = load({}, {"--slow-readers", "10%", "--slow-read-rate", "500"});
  expect_clean(run);
  EXPECT_EQ(run.result["connections"]["slow_readers"], 20);
  EXPECT_EQ(run.result["delivery"]["delivered"], 200 * 18);
  EXPECT_LT(run.result["connections"]["slow_delivered"],
            400);  // at 500 octets/s: less than the 20 a room had
  EXPECT_GT(run.result["connections"]["slow_delivered"], 0);
}

TEST(Reconnect, ComesBackAndCountsIt) {
  const std::string port = std::to_string(testkit::free_port());
  const std::string address = "127.0.0.1:" + port;
  const auto server = [&] {
    return std::make_unique<Process>(
        std::vector<std::string>{kBin + "/reference_server", "--listen", address, "--control", "off"});
  };
  auto first = server();
  first->wait_for("listening on");
  const testkit::TemporaryDirectory directory;
  Process load({kBin + "/loadgen", "run", "--target", "ws://" + address, "--clients", "20", "--rooms", "2",
                "--warmup", "0", "--duration", "6s", "--reconnect", "50ms..200ms", "--json",
                directory.path("r.json"), "--live-jsonl", "-"});
  load.wait_for("\"phase\":\"run\"");
  first.reset();
  auto second = server();
  EXPECT_TRUE(load.wait(std::chrono::seconds(60)).has_value());
  const Json result = Json::parse(testkit::slurp(directory.path("r.json")));
  EXPECT_EQ(result["connections"]["closed_by_target"], 20);
  EXPECT_EQ(result["connections"]["reconnected"], 20);
  EXPECT_EQ(result["delivery"]["lost"], 0) << result["delivery"];
  EXPECT_TRUE(result["failed_because"].empty());
  std::map<std::string, std::string> events;
  for (const Json& event : result["events"]) events[event["kind"]] = event["text"];
  EXPECT_THAT(events["closes"], HasSubstr("the target closed 20 connections"));
  EXPECT_THAT(events["reconnect"], HasSubstr("20 connections opened again"));
}

TEST(Reconnect, NeverMeansThatTheRestGoesOnWithout) {
  // A minute's wait is longer than the run: nobody comes back, and the run ends in time with what was
  // measured.
  Server server;
  Process load({kBin + "/loadgen", "run", "--target", server.target, "--clients", "20", "--rooms", "2",
                "--warmup", "0", "--duration", "2s", "--reconnect", "1m", "--live-jsonl", "-", "--json",
                "-"});
  load.wait_for("\"phase\":\"run\"");
  server.kill();
  const auto code = load.wait();
  ASSERT_TRUE(code.has_value());
  EXPECT_THAT(load.err(), HasSubstr("the target closed 20 connections during the run"));
  EXPECT_THAT(load.err(), HasSubstr("20 attempted"));
}

TEST(ScenarioFile, RunsWorkloadsSideBySideThroughItsStages) {
  const testkit::TemporaryDirectory directory;
  const std::string file = directory.write("s.json", R"({
    // two workloads, two stages
    "workloads": [
      {"workload": "fan-out", "name": "talk", "clients": 100, "room_sizes": "40,20*3", "rate": 50, "arrival": "poisson"},
      {"workload": "echo", "clients": 20, "rate": 20, "payload": "64..2KiB"}
    ],
    "stages": [{"name": "calm", "duration": "1s"}, {"name": "rise", "duration": "1s", "load": 1, "load_to": 3}],
    "warmup": "0"
  })");
  const Server server;
  const Outcome outcome = loadgen(
      {"--target", server.target, "--scenario", file, "--json", directory.path("r.json"), "--seed", "5"});
  const Json result = Json::parse(testkit::slurp(directory.path("r.json")), nullptr, false);
  ASSERT_TRUE(result.is_object()) << outcome.err;
  EXPECT_EQ(result["delivery"]["lost"], 0);
  ASSERT_EQ(result["workloads"].size(), 2u);
  EXPECT_EQ(result["workloads"][0]["name"], "talk");
  EXPECT_EQ(result["workloads"][1]["sent"], 60);  // 20 in the first second, 40 in the second
  ASSERT_EQ(result["stages"].size(), 2u);
  EXPECT_GT(result["stages"][1]["delivered"], result["stages"][0]["delivered"]);
  EXPECT_EQ(result["room_sizes"].size(), 3u);  // 1 (echo), up to 32, up to 64
}

TEST(ScenarioFile, ExcludesTheOptionsItReplaces) {
  const Outcome outcome = loadgen({"--scenario", "x.json", "--rate", "5"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("--scenario"));
}

// How long a process was ready to run and had no core: other work on this machine.
std::chrono::nanoseconds waited_for_a_core(pid_t pid) {
  std::istringstream schedstat(testkit::slurp("/proc/" + std::to_string(pid) + "/schedstat"));
  std::int64_t ran = 0;
  std::int64_t waited = 0;
  schedstat >> ran >> waited;
  return std::chrono::nanoseconds(waited);
}

TEST(CapacityOnSockets, FindsWhatTheTargetServes) {
  // 100 members: 10,000 deliveries a second are 100 messages a second.
  for (int attempt = 0; attempt < 3; ++attempt) {
    const Server server({"--threads", "1", "--mutant", "serves=10000"});
    const testkit::TemporaryDirectory directory;
    const auto began = std::chrono::steady_clock::now();
    const Outcome outcome =
        testkit::run({kBin + "/loadgen", "capacity", "--target", server.target, "--clients", "100", "--rooms",
                      "1", "--from", "40", "--slo", "fan_out.p99<100ms", "--step", "2s", "--warmup", "0",
                      "--json", directory.path("c.json")},
                     {}, std::chrono::seconds(200));
    if (outcome.exit_code == 4) continue;
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    const Json found = Json::parse(testkit::slurp(directory.path("c.json")));
    const Json stats = server.stats();
    const auto served = stats["mutant"]["served_per_second"].get<double>();
    const double deliveries = found["load"].get<double>() * 100;
    // A target that others keep from its core serves less than it could: no fault of the search.
    const auto took = std::chrono::steady_clock::now() - began;
    if (deliveries < 0.95 * served && waited_for_a_core(server.pid()) > took / 100) continue;
    EXPECT_NEAR(deliveries, served, 0.05 * served) << outcome.err;
    EXPECT_EQ(found["gave_first"], "target");
    EXPECT_THAT(outcome.out, HasSubstr("gave first   the target"));
    return;
  }
  GTEST_SKIP() << "could not test: three searches, and each time other work on this machine gave first";
}

TEST(Metrics, AreListedWithUnitAndMeaning) {
  EXPECT_EQ(
      testkit::differs_from_golden("loadgen/metrics.gold", testkit::run({kBin + "/loadgen", "metrics"}).out),
      "");
}

}  // namespace
}  // namespace roomcheck::loadgen
