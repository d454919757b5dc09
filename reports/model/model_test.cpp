#include <gtest/gtest.h>

#include "libs/base/result.h"
#include "reports/model/read.h"

namespace roomcheck::reports {
namespace {

ConformanceResult every_field_of_conformance() {
  ConformanceResult out;
  out.target = "ws://127.0.0.1:8801";
  out.versions = {{"roomcheck", "0.1.0"}};
  out.verdict = "fail";
  out.cases = {{"echo.replies/one",
                "echo.replies",
                "echo",
                Level::must,
                Verdict::fail,
                "no answer",
                "x",
                "nothing",
                "It answers.",
                "its queue is short",
                5,
                {"+0.1 ms > text"}},
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

LoadResult every_field_of_load() {
  LoadResult out;
  out.delivery.expected = 10;
  out.delivery.lost = 1;
  out.delivery.offenders = {{"lost", "r1", 2, 3, 4}};
  out.latency["fan_out"].corrected.record(std::chrono::milliseconds(3));
  out.series = {{0, "run", 5, 1, 5, 1, 2, 3, out.latency["fan_out"].corrected.encode(), 7, 8}};
  out.events = {{1, "churn", "half of the room left"}};
  out.shard = {1, 3, 77};
  out.streams_sent = {{"r1", 1, 2, 3}};
  out.streams_received = {{"r1", 1, 2, 3, 4, 5, 6, 7, 8}};
  out.target_process = {7000, 700, 5, -6};
  out.rooms = {{"r1", 5, 10, 9, 1, 1, 2, 3}};
  out.workloads = {{"talk", "fan-out", out.delivery, 3, 2}};
  out.workloads[0].delivery.offenders.clear();
  out.stages = {{"peak", 2, 10, 1, 2, 3}};
  out.room_sizes = {{8, 1, 10, 1, 2, 3, 4, 5}};
  out.generator.threads = {{7, 0.5}};
  out.generator.queue_samples = 9;
  out.generator.rss_growth_bytes = -3;
  out.connections.left = 4;
  out.sends.lag_p99_ns = 11;
  out.sends.due_at_end = 12;
  out.connections.compressed = 2;
  out.thresholds = {{"delivery.lost==0", 1, false}};
  out.scenario = {{"clients", 5}};
  return out;
}

TEST(Model, ConformanceSurvivesARoundTrip) {
  const auto json = to_json(every_field_of_conformance());
  const AnyResult back = parse_result(json.dump(), "file");
  EXPECT_EQ(to_json(std::get<ConformanceResult>(back)), json);
  EXPECT_EQ(json["summary"]["fail"], 1);
}

TEST(Model, LoadSurvivesARoundTrip) {
  const auto json = to_json(every_field_of_load());
  EXPECT_EQ(to_json(std::get<LoadResult>(parse_result(json.dump(), "file"))), json);
}

TEST(Model, AFileFromBeforeAFieldWasAddedIsRead) {
  auto json = to_json(every_field_of_load());
  json.erase("events");
  json.erase("shard");
  json.erase("streams_sent");
  json.erase("streams_received");
  json["series"][0].erase("histogram");
  EXPECT_EQ(std::get<LoadResult>(parse_result(json.dump(), "file")).shard.count, 1u);
  json = to_json(every_field_of_conformance());
  json["cases"][0].erase("deviation");
  EXPECT_EQ(std::get<ConformanceResult>(parse_result(json.dump(), "file")).cases.size(), 2u);
}

TEST(Model, EachFaultIsOneSentenceWithItsPlace) {
  const auto says = [](const std::string& text) -> std::string {
    try {
      (void)parse_result(text, "r.json");
    } catch (const BadInput& e) {
      return e.what();
    }
    return "accepted";
  };
  EXPECT_NE(says("{").find("r.json: not JSON, or cut off"), std::string::npos);
  EXPECT_NE(says("[]").find("/schema is missing"), std::string::npos);
  EXPECT_NE(says(R"({"schema":"roomcheck.load/9"})").find("roomcheck.load/1"), std::string::npos);
  auto json = to_json(every_field_of_load());
  json["delivery"]["lost"] = "many";
  EXPECT_NE(says(json.dump()).find("/delivery/lost has the wrong type"), std::string::npos);
  json = to_json(every_field_of_load());  // the fuzzer's
  json["generator"]["loop_lag"]["mean_ns"] = -1;
  EXPECT_NE(says(json.dump()).find("/generator/loop_lag/mean_ns is negative"), std::string::npos);
  EXPECT_NE(says(R"({"schema": 1e999})").find("r.json: not JSON"), std::string::npos);
  json = to_json(every_field_of_conformance());
  json["cases"][1]["verdict"] = "maybe";
  EXPECT_NE(says(json.dump()).find("/cases/1/verdict"), std::string::npos);
  json["cases"][1].erase("verdict");
  EXPECT_NE(says(json.dump()).find("/cases/1/verdict is missing"), std::string::npos);
}

}  // namespace
}  // namespace roomcheck::reports
