// layerctl as people type it, against a Redis of the test's own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/testkit/paths.h"
#include "libs/testkit/process.h"
#include "libs/testkit/redis.h"

namespace roomcheck::layerctl {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testkit::Outcome;
using testkit::Process;
using Words = std::vector<std::string>;

const std::string kProgram = testkit::bin_dir() + "/layerctl";

Outcome run(Words words) {
  words.insert(words.begin(), kProgram);
  return testkit::run(words);
}

// What a shell does with a line in which $L is the program.
Outcome shell(const std::string& line, const std::string& redis_url) {
  return testkit::run({"sh", "-c", line}, {{"L", kProgram}, {"REDIS_URL", redis_url}});
}

class OnRedis : public testing::Test {
 protected:
  Outcome ctl(Words words) {
    words.insert(words.begin(), {"--redis-url", redis.url()});
    return run(words);
  }
  std::string redis_cli(Words words) {
    words.insert(words.begin(), {"redis-cli", "-p", std::to_string(redis.port())});
    return testkit::run(words).out;
  }
  testkit::TemporaryRedis redis;
};

TEST_F(OnRedis, TheSeedsConsoleCheck) {
  const Outcome sent = ctl({"send", "test_channel", R"({"site": "redis://localhost:6379"})"});
  EXPECT_EQ(sent.exit_code, 0) << sent.err;
  EXPECT_EQ(sent.out, "");
  const Outcome received = ctl({"receive", "test_channel"});
  EXPECT_EQ(received.exit_code, 0) << received.err;
  EXPECT_EQ(received.out, "{\"site\":\"redis://localhost:6379\"}\n");
}

TEST_F(OnRedis, OnPubSubTheConsoleCheckEndsAtItsLimitWithTheReason) {
  const Words where{"--layer", "redis-pubsub", "--redis-url", redis.url(), "--limit", "500ms"};
  Words send = where, receive = where;
  send.insert(send.end(), {"send", "test_channel", R"({"site": 1})"});
  receive.insert(receive.end(), {"receive", "test_channel"});
  EXPECT_EQ(run(send).exit_code, 0);
  const Outcome received = run(receive);
  EXPECT_EQ(received.exit_code, 1);
  EXPECT_EQ(received.out, "");
  EXPECT_THAT(received.err, HasSubstr("on pub/sub no message waits for a receiver"));
}

TEST_F(OnRedis, ReceivesAsManyAsAskedAndLeavesTheRest) {
  const std::string events = R"({"n":1}\n\n{"n":2}\n{"n":3}\n)";
  EXPECT_EQ(shell("printf '" + events + "' | $L send queue -", redis.url()).exit_code, 0);
  EXPECT_EQ(ctl({"receive", "queue", "--count", "2"}).out, "{\"n\":1}\n{\"n\":2}\n");
  const Outcome rest = ctl({"receive", "queue", "--count", "0", "--limit", "300ms"});
  EXPECT_EQ(rest.out, "{\"n\":3}\n");
  EXPECT_EQ(rest.exit_code, 0) << "all that came within the limit was asked for";
  const Outcome none = ctl({"receive", "queue", "--count", "0", "--limit", "300ms"});
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_THAT(none.err, MatchesRegex("layerctl: nothing arrived .*\n"));
}

TEST_F(OnRedis, GroupsAsPythonKeepsThem) {
  EXPECT_EQ(ctl({"group-add", "room.1", "specific.a!b"}).exit_code, 0);
  EXPECT_EQ(ctl({"group-add", "room.1", "worker"}).exit_code, 0);
  EXPECT_EQ(redis_cli({"ZRANGE", "asgi:group:room.1", "0", "-1"}), "specific.a!b\nworker\n")
      << "a membership outlives the command that made it";
  EXPECT_EQ(ctl({"members", "room.1"}).out, "{\"channel\":\"specific.a!b\"}\n{\"channel\":\"worker\"}\n");
  EXPECT_EQ(ctl({"group-send", "room.1", R"({"type": "x"})"}).out, "{\"members\":2,\"dropped\":0}\n");
  EXPECT_EQ(ctl({"receive", "worker"}).out, "{\"type\":\"x\"}\n");
  EXPECT_EQ(ctl({"group-discard", "room.1", "worker"}).exit_code, 0);
  EXPECT_EQ(redis_cli({"ZRANGE", "asgi:group:room.1", "0", "-1"}), "specific.a!b\n");
}

TEST_F(OnRedis, PushIsWhatTheProfileSays) {
  EXPECT_EQ(ctl({"group-add", "myroom", "worker"}).exit_code, 0);
  EXPECT_EQ(ctl({"push", "myroom", "预警信息推送"}).out, "{\"members\":1,\"dropped\":0}\n");
  EXPECT_EQ(ctl({"receive", "worker"}).out,
            "{\"type\":\"chat_push_message\",\"message\":\"预警信息推送\"}\n");
  EXPECT_EQ(ctl({"push", "--profile", "channels-tutorial", "--set", "group={room}", "myroom", "x"}).exit_code,
            0);
  EXPECT_EQ(ctl({"receive", "worker"}).out, "{\"type\":\"chat.message\",\"message\":\"x\"}\n");
}

TEST_F(OnRedis, FlushRemovesThePrefixAndNothingElse) {
  redis_cli({"SET", "asgi2:mine", "1"});
  EXPECT_EQ(ctl({"group-add", "room", "worker"}).exit_code, 0);
  EXPECT_EQ(ctl({"send", "worker", R"({"type": "x"})"}).exit_code, 0);
  EXPECT_EQ(ctl({"flush"}).exit_code, 0);
  EXPECT_EQ(redis_cli({"KEYS", "*"}), "asgi2:mine\n");
}

TEST_F(OnRedis, WritesAsTheSiteIsConfigured) {
  EXPECT_EQ(ctl({"--serializer", "json", "--random-prefix-length", "0", "--prefix", "site", "send", "queue",
                 R"({"a": true})"})
                .exit_code,
            0);
  EXPECT_EQ(redis_cli({"ZRANGE", "sitequeue", "0", "-1"}), "{\"a\": true}\n");
}

TEST_F(OnRedis, AFullChannelIsSaidSo) {
  const Words send{"--capacity", "2", "send", "worker", R"({"type": "x"})"};
  EXPECT_EQ(ctl(send).exit_code, 0);
  EXPECT_EQ(ctl(send).exit_code, 0);
  const Outcome full = ctl(send);
  EXPECT_EQ(full.exit_code, 1);
  EXPECT_EQ(full.err, "layerctl: channel full: worker\n");
}

TEST_F(OnRedis, OnPubSubEveryoneWhoReceivesGetsIt) {
  Process receiver({kProgram, "--layer", "redis-pubsub", "--redis-url", redis.url(), "receive", "news",
                    "--count", "3", "--limit", "60s"});
  const auto subscribers = [&] { return redis_cli({"PUBSUB", "NUMSUB", "news"}); };
  while (subscribers() != "news\n1\n" && !receiver.wait(std::chrono::seconds(0))) {
  }
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(run({"--layer", "redis-pubsub", "--redis-url", redis.url(), "send", "news",
                   "{\"n\":" + std::to_string(i) + "}"})
                  .exit_code,
              0);
  EXPECT_EQ(receiver.wait(), 0) << receiver.err();
  EXPECT_EQ(receiver.out(), "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n");
  const Outcome members = run({"--layer", "redis-pubsub", "--redis-url", redis.url(), "members", "room"});
  EXPECT_EQ(members.exit_code, 2);
  EXPECT_THAT(members.err, HasSubstr("cannot be listed"));
}

TEST(ThroughAControl, TheServersOwnRooms) {
  Process server({testkit::bin_dir() + "/reference_server", "--listen", "127.0.0.1:0", "--control",
                  "127.0.0.1:0", "--log-level", "error"});
  const std::string control = server.wait_for("control on (http://\\S+)");
  EXPECT_EQ(run({"--control", control, "members", "nobody"}).out, "");
  const Outcome pushed = run({"--control", control, "push", "nobody", "x"});
  EXPECT_EQ(pushed.exit_code, 0) << pushed.err;
  EXPECT_EQ(pushed.out, "{}\n");
  const Outcome refused = run({"--control", control, "push", "no room", "x"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("Group name must be"));
  const Outcome unable = run({"--control", control, "flush"});
  EXPECT_EQ(unable.exit_code, 2);
  EXPECT_THAT(unable.err, HasSubstr("flush is not possible through the control"));
}

TEST(Program, HelpIsPinned) {
  EXPECT_EQ(testkit::differs_from_golden("layerctl/help.gold", run({"--help"}).out), "");
}

TEST(Program, BadInputIsOneSentenceWithItsExitCode) {
  const std::string nobody = "redis://127.0.0.1:" + std::to_string(testkit::free_port());
  const struct {
    Words words;
    int code;
    const char* says;
  } kCases[] = {
      {{}, 2, "subcommand"},
      {{"send"}, 2, "CHANNEL is required"},
      {{"send", "a", "{"}, 2, "JSON is not JSON"},
      {{"send", "a", "[1]"}, 2, "an event is a JSON object"},
      {{"send", "a b", "{}"}, 2, "Channel name must be"},
      {{"members", "a b"}, 2, "Group name must be"},
      {{"--redis-url", "http://x", "flush"}, 2, "redis://"},
      {{"--redis-url", "rediss://x", "flush"}, 2, "TLS"},
      {{"--control", "gopher://x", "flush"}, 2, "--control gopher://x"},
      {{"--encryption-key-file", "/dev/null", "flush"}, 2, "it holds no key"},
      {{"--redis-url", nobody, "--limit", "300ms", "send", "a", "{}"}, 3, "127.0.0.1"},
  };
  for (const auto& [words, code, says] : kCases) {
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.exit_code, code) << says << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(says));
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
}

}  // namespace
}  // namespace roomcheck::layerctl
