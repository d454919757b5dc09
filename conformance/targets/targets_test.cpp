// The suite against real servers, as people start it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/testkit/paths.h"
#include "libs/testkit/redis.h"
#include "libs/testkit/target.h"

namespace roomcheck::testkit {
namespace {

using Words = std::vector<std::string>;

const Words kSections{"--filter",    "echo.*",   "--filter", "groups.*", "--filter",
                      "broadcast.*", "--filter", "push.*",   "--filter", "direct.*"};

Outcome judge(const Target& target, const Words& words) {
  Words command{bin_dir() + "/conformance", "--target", target.ws()};
  command.insert(command.end(), words.begin(), words.end());
  command.insert(command.end(), kSections.begin(), kSections.end());
  return run(command, {}, std::chrono::seconds(280));
}

TEST(Targets, NodeOnWs) {
  const Target target = Target::node();
  const Outcome outcome = judge(target, {"--control", target.control()});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
}

TEST(Targets, TutorialOnDaphne) {
  const TemporaryRedis redis;
  const Target target = Target::tutorial(redis.url());
  const Outcome outcome = judge(target, {"--profile", "channels-tutorial"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
}

TEST(Targets, DjangoOnUvicorn) {
  const TemporaryRedis redis;
  const Target target =
      Target::django("uvicorn-websockets",
                     {{"CHANNEL_LAYER", "core"}, {"REDIS_URL", redis.url()}, {"CHAT_CONSUMER", "async"}});
  const Outcome outcome = judge(target, {});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
}

}  // namespace
}  // namespace roomcheck::testkit
