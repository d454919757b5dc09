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
