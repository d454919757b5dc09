#pragma once
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "libs/testkit/paths.h"
#include "libs/testkit/process.h"
#include "libs/testkit/redis.h"
#include "libs/testkit/target.h"

namespace roomcheck::testkit {

using Words = std::vector<std::string>;

// The whole suite against a target. Nothing may fail but what the files of conformance/known_deviations/
// (named without their ending) name, and what they say fails always must fail.
inline void expect_conformance(const Target& target, const Words& known_deviations, const Words& options) {
  Words command{bin_dir() + "/conformance", "--target", target.ws(), "--strict", "--timeout-scale", "2"};
  for (const std::string& name : known_deviations)
    command.insert(command.end(),
                   {"--known-deviations", source_dir() + "/conformance/known_deviations/" + name + ".txt"});
  command.insert(command.end(), options.begin(), options.end());
  const Outcome outcome = run(command, {}, std::chrono::seconds(580));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
}

// Reference servers, started and stopped by the judge: `nodes` of one system, on a channel layer as people
// name it (memory, core, pubsub), reached as any peer would, by its Redis, or by the control API where there
// is none.
inline void expect_conformance_of_our_own(const std::string& layer, const std::string& consumer, int nodes) {
  const TemporaryRedis redis;
  const std::string control = "127.0.0.1:" + std::to_string(free_port());
  const bool memory = layer == "memory";
  Words command{bin_dir() + "/conformance",
                "--strict",
                "--jobs",
                "4",
                "--control",
                memory ? "http://" + control : redis.url() + "?layer=" + layer};
  for (int node = 0; node < nodes; ++node) {
    const std::string address = "127.0.0.1:" + std::to_string(free_port());
    command.insert(
        command.end(),
        {"--target", "ws://" + address, "--start",
         "exec " + bin_dir() + "/reference_server --threads 2 --log-level error --listen " + address +
             " --consumer " + consumer + " --control " + (memory ? control : "off") + " --layer " +
             (memory            ? layer
              : layer == "core" ? "redis"
                                : "redis-pubsub") +
             " --redis-url " + redis.url()});
  }
  const Outcome outcome = run(command, {}, std::chrono::seconds(280));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
}

// One way to deploy the seed's Django app, as a person would say it.
struct Deployment {
  std::string server;    // as Target::django
  std::string layer;     // memory, core, pubsub
  std::string consumer;  // sync, async, json, async-json
};

inline void expect_conformance(const Deployment& how) {
  const TemporaryRedis redis;
  const Target target = Target::django(
      how.server,
      {{"CHANNEL_LAYER", how.layer}, {"CHAT_CONSUMER", how.consumer}, {"REDIS_URL", redis.url()}});
  // Sync consumers of a process share one thread, which uvicorn lets a slow member block: one case at a time.
  const bool sync = how.consumer == "sync" || how.consumer == "json",
             one_thread = sync && how.server != "daphne";
  Words known{"channels", how.server}, options{"--jobs", one_thread ? "1" : "4"};
  if (one_thread) known.emplace_back("uvicorn-sync");
  if (one_thread && how.server == "uvicorn-wsproto")
    options.emplace_back("--gtest_filter=-broadcast.slow-member-*");
  if (how.layer != "memory") {
    known.push_back("channels-" + how.layer);
    options.insert(options.end(), {"--control", redis.url() + "?layer=" + how.layer});
  }
  if (how.layer == "pubsub" && how.server != "daphne" && !one_thread) known.emplace_back("uvicorn-pubsub");
  if (how.layer == "core" && how.server == "uvicorn-wsproto") known.emplace_back("uvicorn-wsproto-core");
  expect_conformance(target, known, options);
}

}  // namespace roomcheck::testkit
