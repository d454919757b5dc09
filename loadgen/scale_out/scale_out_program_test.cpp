// The program in several parts, merged by `report`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "libs/testkit/redis.h"
#include "loadgen/program_test.h"

namespace roomcheck::loadgen {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

// Shards side by side on this machine; their results, and the merged one.
struct Parts {
  std::vector<int> codes;
  std::vector<std::string> errors;
  std::vector<Json> results;
  Json merged;
};

Parts run_parts(const std::string& target, int count, const std::vector<std::string>& more,
                const std::function<std::map<std::string, std::string>(int)>& environment = nullptr) {
  const testkit::TemporaryDirectory directory;
  std::vector<std::unique_ptr<Process>> shards;
  std::vector<std::string> merge{kBin + "/report", "merge", "-o", directory.path("all.json")};
  for (int i = 0; i < count; ++i) {
    const std::string file = directory.path(std::to_string(i) + ".json");
    std::vector<std::string> words{kBin + "/loadgen", "run", "--target", target,
                                   "--duration",      "1s",  "--json",   file};
    words.insert(words.end(), more.begin(), more.end());
    for (const auto& [option, value] :
         std::map<std::string, std::string>{{"--warmup", "200ms"}, {"--drain", "1s"}})
      if (std::find(more.begin(), more.end(), option) == more.end())
        words.insert(words.end(), {option, value});
    if (!environment) words.insert(words.end(), {"--shard", std::to_string(i) + "/" + std::to_string(count)});
    shards.push_back(std::make_unique<Process>(
        words, environment ? environment(i) : std::map<std::string, std::string>{}));
    merge.push_back(file);
  }
  Parts out;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    out.codes.push_back(shards[i]->wait().value_or(-1));
    out.errors.push_back(shards[i]->err());
    out.results.push_back(
        Json::parse(testkit::slurp(directory.path(std::to_string(i) + ".json")), nullptr, false));
  }
  const Outcome merged = testkit::run(merge);
  EXPECT_EQ(merged.exit_code, 0) << merged.err << testing::PrintToString(out.errors);
  out.merged = Json::parse(testkit::slurp(directory.path("all.json")), nullptr, false);
  return out;
}

// On a machine that is busy with other things a run is not to be believed (4); the ledger is exact all the
// same.
void expect_ended(const Parts& parts, std::initializer_list<int> codes) {
  for (std::size_t i = 0; i < parts.codes.size(); ++i)
    EXPECT_TRUE(std::count(codes.begin(), codes.end(), parts.codes[i]) == 1)
        << "shard " << i << ": " << parts.codes[i] << " " << parts.errors[i];
}

TEST(ScaleOut, FourShardsAccountForEveryDeliveryOfTheWholeRun) {
  const Server server;
  const testkit::TemporaryRedis redis;
  const Parts parts =
      run_parts(server.target, 4,
                {"--clients", "90", "--rooms", "9", "--rate", "180", "--rendezvous", redis.url() + "/key"});
  expect_ended(parts, {0, 4});
  const Json &all = parts.merged, &delivery = all["delivery"];
  EXPECT_EQ(all["connections"]["opened"], 90);
  EXPECT_EQ(all["sends"]["intended"], 180);
  EXPECT_EQ(delivery["expected"], all["sends"]["sent"].get<int>() * 10);
  EXPECT_EQ(delivery["delivered"], delivery["expected"]);
  EXPECT_EQ(delivery["lost"], 0);
  EXPECT_EQ(
      delivery["foreign"].get<int>() + delivery["corrupt"].get<int>() + delivery["duplicated"].get<int>(), 0);
  ASSERT_EQ(all["rooms"].size(), 9u);
  for (const Json& room : all["rooms"]) EXPECT_EQ(room["members"], 10) << room;
  EXPECT_EQ(all["workloads"][0]["delivery"]["expected"], delivery["expected"]);
  EXPECT_EQ(all["room_sizes"][0]["rooms"], 9);
  // The rate is that of all together, and everybody sends.
  for (const Json& shard : parts.results) {
    EXPECT_GT(shard["sends"]["sent"], 0);
    EXPECT_LT(shard["sends"]["intended"], 180);
  }
}

// What the target has lost it knows; most of it between shards.
TEST(ScaleOut, WhatGoesWrongBetweenShardsIsCountedToTheMessage) {
  for (const auto& [mutant, count] :
       std::map<std::string, const char*>{{"lose=7", "lost"}, {"duplicate=7", "duplicated"}}) {
    const Server server({"--mutant", mutant});
    const testkit::TemporaryRedis redis;
    // A shard that sends its last message late, on a busy machine, must not send it to members who have left.
    const Parts parts = run_parts(server.target, 3,
                                  {"--clients", "60", "--rooms", "3", "--rate", "100", "--warmup", "0",
                                   "--drain", "5s", "--rendezvous", redis.url() + "/key"});
    const Json stats = server.stats();
    const Json& delivery = parts.merged["delivery"];
    EXPECT_GT(delivery[count], 200);
    EXPECT_EQ(delivery[count], stats["mutant"][count]) << mutant;
    EXPECT_EQ(delivery["expected"], parts.merged["sends"]["sent"].get<int>() * 20);
    EXPECT_EQ(delivery["delivered"].get<int>() + delivery["lost"].get<int>(), delivery["expected"]);
    EXPECT_FALSE(delivery["offenders"].empty());
  }
}

TEST(ScaleOut, MembersThatComeAndGoAreOwedWhatTheyWereThereFor) {
  const Server server;
  const testkit::TemporaryRedis redis;
  const Parts parts = run_parts(server.target, 3,
                                {"--workload", "churn", "--stay", "300ms", "--clients", "60", "--rooms", "3",
                                 "--rate", "300", "--rendezvous", redis.url() + "/key"});
  expect_ended(parts, {0, 4});
  EXPECT_GT(parts.merged["connections"]["left"], 0);
  EXPECT_GT(parts.merged["delivery"]["delivered"], 0);
  EXPECT_EQ(parts.merged["delivery"]["lost"], 0) << parts.merged["delivery"];
}

TEST(ScaleOut, ProducersOutsideTakeTurns) {
  const Server server;
  const testkit::TemporaryRedis redis;
  const Parts parts = run_parts(server.target, 2,
                                {"--workload", "push", "--control", "http:" + server.control, "--clients",
                                 "20", "--rooms", "2", "--rate", "40", "--rendezvous", redis.url() + "/key"});
  expect_ended(parts, {0, 4});
  EXPECT_EQ(parts.merged["sends"]["intended"], 40);
  EXPECT_EQ(parts.merged["delivery"]["expected"], parts.merged["sends"]["sent"].get<int>() * 10);
  EXPECT_EQ(parts.merged["delivery"]["lost"], 0);
  EXPECT_EQ(parts.merged["delivery"]["reordered"], 0);
}

TEST(ScaleOut, AMomentWillDoInsteadOfAMeetingAndTheLauncherSaysWhoIsWho) {
  const Server server;
  const auto soon = std::chrono::system_clock::to_time_t(wall_now()) + 4;
  const Parts parts =
      run_parts(server.target, 2,
                {"--clients", "20", "--rooms", "2", "--rate", "40", "--start-at", "@" + std::to_string(soon)},
                [](int rank) {
                  return std::map<std::string, std::string>{{"SLURM_PROCID", std::to_string(rank)},
                                                            {"SLURM_NTASKS", "2"}};
                });
  expect_ended(parts, {0, 4});
  EXPECT_EQ(parts.results[1]["shard"]["index"], 1);
  EXPECT_EQ(parts.results[0]["seed"], parts.results[1]["seed"]);
  EXPECT_EQ(parts.merged["delivery"]["expected"], parts.merged["sends"]["sent"].get<int>() * 10);
  EXPECT_EQ(parts.merged["delivery"]["lost"], 0);
}

TEST(ScaleOut, WhoeverWaitsInVainSaysForWhom) {
  const Server server;
  const testkit::TemporaryRedis redis;
  const Outcome alone =
      loadgen({"--target", server.target, "--clients", "20", "--rooms", "2", "--shard", "1/3", "--rendezvous",
               redis.url() + "/key", "--rendezvous-timeout", "100ms"});
  EXPECT_EQ(alone.exit_code, 3);
  EXPECT_THAT(alone.err, HasSubstr("1 of 3 shards came within 100 ms; missing: 0, 2"));
}

TEST(ScaleOut, ThoseThatDoNotBelongTogetherAreToldApart) {
  const Server server;
  const testkit::TemporaryRedis redis;
  const auto shard = [&](const std::string& which, const std::vector<std::string>& more) {
    std::vector<std::string> words{"--target",
                                   server.target,
                                   "--clients",
                                   "20",
                                   "--rooms",
                                   "2",
                                   "--shard",
                                   which,
                                   "--rendezvous",
                                   redis.url() + "/key",
                                   "--rendezvous-timeout",
                                   "0"};
    words.insert(words.end(), more.begin(), more.end());
    return loadgen(words);
  };
  EXPECT_EQ(shard("0/3", {}).exit_code, 3);
  const Outcome twice = shard("0/3", {});
  EXPECT_EQ(twice.exit_code, 2);
  EXPECT_THAT(twice.err, HasSubstr("a shard 0/3 is here already"));
  const Outcome other = shard("1/3", {"--rate", "7"});
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.err, HasSubstr("runs something else"));
  const Outcome seed = shard("2/3", {"--seed", "7"});
  EXPECT_EQ(seed.exit_code, 2);
  EXPECT_THAT(seed.err, HasSubstr("has --seed "));
}

TEST(ScaleOut, BadInputIsASentence) {
  const auto said = [](std::vector<std::string> words) {
    words.insert(words.end(), {"--clients", "20", "--rooms", "2"});
    const Outcome out = loadgen(words);
    EXPECT_EQ(out.exit_code, 2) << out.err;
    return out.err;
  };
  EXPECT_THAT(said({"--shard", "0/2"}), HasSubstr("must begin together: add --rendezvous"));
  EXPECT_THAT(said({"--shard", "2/2", "--start-at", "@1"}), HasSubstr("the last 1"));
  EXPECT_THAT(said({"--shard", "0/2", "--start-at", "@1"}), HasSubstr("it is past"));
  EXPECT_THAT(said({"--shard", "0/2", "--start-at", "noon"}), HasSubstr("expected a moment"));
  EXPECT_THAT(said({"--shard", "0/2", "--rendezvous", "redis://127.0.0.1"}),
              HasSubstr("expected redis://HOST[:PORT]/KEY"));
  EXPECT_THAT(said({"--shard", "0/2", "--rendezvous", "http://a/b"}),
              HasSubstr("neither redis:// nor unix://"));
  EXPECT_THAT(said({"--shard", "50/64", "--start-at", "@4000000000"}),
              HasSubstr("no client falls to this shard"));
  const Outcome nobody = loadgen({"--shard", "0/2", "--clients", "20", "--rooms", "2", "--rendezvous",
                                  "redis://127.0.0.1:" + std::to_string(testkit::free_port()) + "/key"});
  EXPECT_EQ(nobody.exit_code, 3);
  EXPECT_THAT(nobody.err, HasSubstr("--rendezvous: redis://127.0.0.1:"));
}

}  // namespace
}  // namespace roomcheck::loadgen
