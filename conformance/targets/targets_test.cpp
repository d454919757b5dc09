// The suite against real servers, as people start it: the fastest useful choice of them. All:
// matrix_test.cpp.
#include "conformance/targets/judge.h"

namespace roomcheck::testkit {
namespace {

TEST(Targets, NodeOnWs) {
  const Target target = Target::node();
  expect_conformance(target, {"node-ws"},
                     {"--jobs", "4", "--control", target.control(), "--set", "room.consumer_paths=[]"});
}

TEST(Targets, AGroupThatCannotBeDiscoveredIsSaid) {
  const Target target = Target::node();
  const Outcome outcome = run({bin_dir() + "/conformance", "--target", target.ws(), "--control",
                               target.control(), "--set", "group=discover"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("cannot list groups; give the group as a text with {room}"), std::string::npos)
      << outcome.err;
}

TEST(Targets, TutorialOnDaphne) {
  const TemporaryRedis redis;
  const Target target = Target::tutorial(redis.url());
  expect_conformance(target, {"channels", "channels-core", "channels-tutorial", "daphne"},
                     {"--jobs", "4", "--profile", "channels-tutorial", "--set", "group=discover", "--control",
                      redis.url() + "?layer=core"});
}

TEST(Targets, DjangoOnUvicornWithCore) { expect_conformance({"uvicorn-websockets", "core", "async"}); }

TEST(Targets, DjangoOnDaphneWithPubSub) { expect_conformance({"daphne", "pubsub", "sync"}); }

TEST(Targets, DjangoOnWsprotoWithPubSub) { expect_conformance({"uvicorn-wsproto", "pubsub", "async-json"}); }

// From inside the project, as docs/TARGETS.md says for deployments whose Redis cannot be reached.
TEST(Targets, DjangoThroughAProgramOfItsOwn) {
  const TemporaryRedis redis;
  const std::map<std::string, std::string> environment{
      {"CHANNEL_LAYER", "core"}, {"REDIS_URL", redis.url()}, {"CHAT_CONSUMER", "async"}};
  const Target target = Target::django("uvicorn-websockets", environment);
  std::string control = "cmd:DJANGO_SETTINGS_MODULE=mychat.settings ";
  for (const auto& [name, value] : django_environment(environment)) control += name + "=" + value + " ";
  control += "exec " + python() + " " + source_dir() + "/conformance/targets/control.py";
  expect_conformance(
      target, {"channels"},
      {"--control", control, "--filter", "push.*", "--filter", "direct.*", "--require-complete"});
}

// Two nodes of our own on one Redis, judged as one cluster.
class OurOwn : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Layers, OurOwn, testing::Values("core", "pubsub"),
                         [](const auto& layer) { return layer.param; });

TEST_P(OurOwn, TwoNodesAreOneSystem) { expect_conformance_of_our_own(GetParam(), "async", 2); }

// All kinds of consumers side by side, sessions and origins.
TEST(Targets, DjangoOnDaphneWithUsersAndOrigins) {
  const TemporaryRedis redis;
  const std::map<std::string, std::string> environment{
      {"CHANNEL_LAYER", "core"},
      {"REDIS_URL", redis.url()},
      {"CHAT_USERS", "ann bob"},
      {"CHAT_ALLOWED_ORIGINS", "http://localhost .chat.example"}};
  const auto cookie = [&](const Words& more) {
    Words command{python(), "-m", "chat.users", "bob"};
    command.insert(command.end(), more.begin(), more.end());
    std::string out = run(command, django_environment(environment)).out;
    out.erase(out.find_last_not_of('\n') + 1);
    return out;
  };
  const Target target = Target::django("daphne", environment);
  expect_conformance(target, {"channels", "channels-core", "daphne"},
                     {"--jobs",    "4",
                      "--control", redis.url() + "?layer=core",
                      "--filter",  "connect.*",
                      "--filter",  "auth.*",
                      "--filter",  "origin.*",
                      "--filter",  "broadcast.sync-equals-async/*",
                      "--set",     R"(capabilities=["echo", "push", "direct", "events", "auth", "origin"])",
                      "--set",     "auth.session=" + cookie({}),
                      "--set",     "auth.user=2",
                      "--set",     "auth.expired=" + cookie({"1209601"}),
                      "--set",     R"(origin.accepted=["http://localhost", "https://a.chat.example:8443"])",
                      "--set",     R"(origin.refused=["http://evil.example", "https://localhost"])"});
}

}  // namespace
}  // namespace roomcheck::testkit
