#include "loadgen/scenario.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "libs/testkit/files.h"
#include "libs/testkit/paths.h"

namespace roomcheck::loadgen {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr const char* kEvening = R"({
  // An evening in a chat: talk, news from outside, people who come and go.
  "workloads": [
    {"workload": "fan-out", "name": "talk", "clients": 500, "rooms": 50, "room_sizes": "zipf",
     "rate": 50, "arrival": "poisson", "payload": "64..2KiB", "slow_readers": "1%"},
    {"workload": "push", "clients": 100, "rooms": 1, "rate": 2},
    {"workload": "churn", "clients": 100, "rooms": 10, "stay": "10s"}
  ],
  "stages": [
    {"name": "calm", "duration": "20s"},
    {"name": "rise", "duration": "10s", "load": 1, "load_to": 5},
    {"duration": "30s", "load": 5}
  ],
  "warmup": "1s", "seed": 7, "control": "http://127.0.0.1:8802"
})";

TEST(Scenario, AFileSaysWorkloadsAndStages) {
  const Scenario s = parse_scenario(kEvening, "evening.json", {});
  ASSERT_EQ(s.workloads.size(), 3u);
  EXPECT_EQ(s.workloads[0].name, "talk");
  EXPECT_EQ(s.workloads[0].arrival, WorkloadPlan::Arrival::poisson);
  EXPECT_EQ(s.workloads[0].slow_readers, 0.01);
  EXPECT_EQ(s.workloads[1].workload, &push());
  EXPECT_EQ(s.workloads[2].stay, 10s);
  ASSERT_EQ(s.stages.size(), 3u);
  EXPECT_EQ(s.stages[1].load_to, 5);
  EXPECT_EQ(s.stages[2].name, "stage 3");
  EXPECT_EQ(s.stages[2].load_to, 5);
  EXPECT_EQ(s.duration(), 60s);
  EXPECT_EQ(s.clients(), 700u);
  EXPECT_EQ(s.seed, 7u);
  EXPECT_EQ(s.drain, Scenario().drain);  // what is left out is as on the command line
  validate(s, target::load_profile("seed"));
}

TEST(Scenario, EachFaultNamesItsPlaceAndTheRemedy) {
  const struct {
    const char* text;
    const char* says;
  } kCases[] = {
      {"{", "evening.json: not JSON"},
      {"{}", "lacks \"workloads\""},
      {R"({"workloads": []})", "/workloads must name at least one"},
      {R"({"workloads": [{"workload": "fanout"}]})", "/workloads/0/workload must be \"fan-out\", "},
      {R"({"workloads": [{"workload": "echo", "clinets": 5}]})",
       "/workloads/0/clinets is not known here; did you mean \"clients\"?"},
      {R"({"workloads": [{"workload": "echo", "clients": -5}]})",
       "/workloads/0/clients must be a whole number"},
      {R"({"workloads": [{"workload": "echo", "payload": "tiny"}]})", "/workloads/0/payload cannot be used"},
      {R"({"workloads": [{"workload": "echo", "stay": "soon"}]})", "/workloads/0/stay is no duration"},
      {R"({"workloads": [{"workload": "echo"}], "stages": [{"load": 2}]})", "/stages/0 lacks \"duration\""},
      {R"({"workloads": [{"workload": "echo"}], "stages": [{"duration": "1s", "load": "much"}]})",
       "/stages/0/load must be a number"},
  };
  for (const auto& [text, says] : kCases) try {
      parse_scenario(text, "evening.json", {});
      ADD_FAILURE() << text;
    } catch (const BadInput& e) {
      EXPECT_THAT(e.what(), HasSubstr(says));
      EXPECT_THAT(e.what(), HasSubstr("evening.json"));
    }
}

TEST(Scenario, TheSchemaKnowsEveryKeyOfTheReaderAndNoOther) {
  const std::string schema = testkit::slurp(testkit::source_dir() + "/loadgen/scenario.schema.json");
  const auto document = nlohmann::json::parse(schema);
  const auto keys = [&](const char* pointer) {
    std::set<std::string> out;
    for (const auto& [key, value] : document.at(nlohmann::json::json_pointer(pointer)).items())
      out.insert(key);
    return out;
  };
  // A key of the schema is read; a made-up one is refused by naming all that are.
  const auto known = [](const std::string& text) {
    try {
      parse_scenario(text, "s", {});
    } catch (const BadInput& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  const auto check = [&](const std::set<std::string>& in_schema, const std::string& refusal) {
    std::string rest = refusal.substr(refusal.find("known are ") + 10);
    std::set<std::string> in_reader;
    for (std::size_t at = 0; at < rest.size();) {
      const std::size_t end = std::min(rest.find(", ", at), rest.size());
      in_reader.insert(rest.substr(at, end - at));
      at = end + 2;
    }
    EXPECT_EQ(in_schema, in_reader);
  };
  check(keys("/properties"), known(R"({"qqqqqqqqqqqq": 1})"));
  check(keys("/properties/workloads/items/properties"), known(R"({"workloads": [{"qqqqqqqqqqqq": 1}]})"));
  check(keys("/properties/stages/items/properties"),
        known(R"({"workloads": [{"workload": "echo"}], "stages": [{"qqqqqqqqqqqq": 1}]})"));
}

// What the fuzzer and its promises have found.
TEST(Scenario, SumsThatNoRunCouldHaveAreRefusedBeforeTheyAreMade) {
  const struct {
    const char* text;
    const char* says;
  } kCases[] = {
      {R"({"workloads": [{"workload": "echo"}], "stages": [{"duration": "2500000h"}, {"duration": "2500000h"}]})",
       "at most a week"},
      {R"({"workloads": [{"workload": "echo", "clients": 9000000}, {"workload": "echo", "clients": 9000000}]})",
       "at most 10,000,000 rooms"},
  };
  for (const auto& [text, says] : kCases) {
    try {
      validate(parse_scenario(text, "s", {}), target::load_profile("seed"));
      ADD_FAILURE() << text;
    } catch (const BadInput& e) {
      EXPECT_THAT(e.what(), HasSubstr(says));
    }
  }
}

TEST(Scenario, RoomsOfAllThreadsAreAllRoomsOnce) {
  Scenario s = parse_scenario(kEvening, "evening.json", {});
  s.threads = 3;
  std::set<std::uint32_t> numbers;
  std::set<std::uint64_t> clients;
  for (std::size_t plan = 0; plan < s.workloads.size(); ++plan)
    for (std::uint32_t thread = 0; thread < s.threads; ++thread)
      for (const RoomPlan& room : rooms_of(s, plan, 1, thread)) {
        EXPECT_TRUE(numbers.insert(room.number).second);
        for (std::uint32_t m = 0; m < room.members; ++m)
          EXPECT_TRUE(clients.insert(room.first_client + m).second);
      }
  EXPECT_EQ(numbers.size(), 61u);
  EXPECT_EQ(clients.size(), 700u);
  EXPECT_EQ(*clients.rbegin(), 699u);
}

TEST(Scenario, ClientsTakeTheirLinesTargetsAndAddressesInTurn) {
  Scenario s;
  s.targets = {"ws://127.0.0.1:1", "ws://[::1]:2"};
  s.cookies_by_client = {"sessionid=a", "sessionid=b", "sessionid=c"};
  s.headers_by_client = {{"X-User", "1"}, {"X-User", "2"}};
  s.source_addresses = {"127.0.0.2", "127.0.0.3"};
  s.cookies = "theme=dark";
  const auto options = connect_options(s, target::load_profile("seed"), fan_out(), "r", 1, 4);
  EXPECT_EQ(options.url.host, "::1");
  EXPECT_EQ(options.cookies, "theme=dark; sessionid=b");
  EXPECT_EQ(options.headers.back().second, "1");
  EXPECT_EQ(options.source_address, "127.0.0.2");
}

TEST(Scenario, WhoWasClosedWaitsTwiceAsLongEachTimeUpToALimitAndSomeByChance) {
  Reconnect policy;
  policy.first = 100ms;
  policy.most = 1s;
  EXPECT_EQ(policy.wait(0, 0), 100ms);
  EXPECT_EQ(policy.wait(1, 0), 200ms);
  EXPECT_EQ(policy.wait(3, 0), 800ms);
  EXPECT_EQ(policy.wait(4, 0), 1s);
  EXPECT_EQ(policy.wait(255, 0), 1s);
  EXPECT_EQ(policy.wait(0, 0.5), 125ms);
  EXPECT_EQ(policy.wait(255, 1), 1500ms);
}

TEST(Scenario, StagesBendTheSchedule) {
  Scenario s;
  s.warmup = 1s;
  s.workloads[0].rate = 10;
  s.stages = {{"calm", 2s, 1, 1}, {"pause", 1s, 0, 0}, {"peak", 1s, 3, 3}};
  Schedule schedule = schedule_of(s, 0);
  EXPECT_EQ(schedule.due(0), 0s);
  EXPECT_EQ(schedule.due(10), 1s);
  EXPECT_EQ(schedule.due(29), 2900ms);
  EXPECT_EQ(schedule.due(30), 4s);  // after the pause
  EXPECT_EQ(schedule.due(60), Nanoseconds::max());
}

}  // namespace
}  // namespace roomcheck::loadgen
