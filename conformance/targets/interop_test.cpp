// Our channel layers and Python's on one Redis: a Django deployment and a reference server are one system, in
// both directions and on both layers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/channel_layer/redis.h"
#include "libs/target/control.h"
#include "libs/testkit/paths.h"
#include "libs/testkit/redis.h"
#include "libs/testkit/target.h"
#include "libs/websocket/raw_client.h"

namespace roomcheck::testkit {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;
using websocket::RawClient;
using Environment = std::map<std::string, std::string>;
using Words = std::vector<std::string>;

Nanoseconds soon() { return steady_clock().now() + std::chrono::seconds(20); }

// A member of a room, on whichever server.
class Member {
 public:
  Member(const std::string& server, const std::string& room)
      : client_(*RawClient::connect(websocket::parse_url(server + "/ws/chat/" + room + "/"), soon())) {
    EXPECT_EQ(client_->handshake({}, soon()).status, 101) << server << " " << room;
  }
  void says(const std::string& text) {
    EXPECT_TRUE(client_->send_text("{\"msg\": \"" + text + "\"}", soon()).ok());
  }
  // The next message, as the seed's page shows it.
  std::string hears() {
    const websocket::Received got = client_->read_message(soon());
    const auto json = nlohmann::json::parse(got.payload, nullptr, false);
    return json.is_object() ? json.value("message", got.payload) : std::string(to_string(got.kind));
  }
  void leaves() {
    (void)client_->send_close(1000, "", soon());
    while (client_->read_message(soon()).kind == websocket::Received::Kind::text) {
    }
    client_->close();
  }

 private:
  std::unique_ptr<RawClient> client_;
};

std::string said(const std::string& text) { return "预警信息2：预警信息1：" + text; }
std::string addressed(const std::string& text) { return "预警信息2：" + text; }

// One Redis deployment (a server, or several as shards) with a Django and a reference server on it, and the
// tools of both sides.
class System {
 public:
  System(const std::string& layer, int shards, Environment django = {}, Words ours = {})
      : layer_(layer), redis_(static_cast<std::size_t>(shards)), ours_(options(std::move(ours))) {
    environment_ = std::move(django);
    environment_["CHANNEL_LAYER"] = layer;
    environment_["CHAT_CONSUMER"] = "async";
    environment_["REDIS_URL"] = urls();
    django_.reset(new Target(Target::django("uvicorn-websockets", environment_)));
    Words command{bin_dir() + "/reference_server",
                  "--listen",
                  "127.0.0.1:0",
                  "--control",
                  "off",
                  "--threads",
                  "2",
                  "--log-level",
                  "error"};
    command.insert(command.end(), ours_.begin(), ours_.end());
    server_ = std::make_unique<Process>(command);
    cpp_ = server_->wait_for("(ws://127.0.0.1:\\d+)/");
  }

  std::string python_side() const { return django_->ws(); }
  std::string our_side() const { return cpp_; }
  TemporaryRedis& redis(std::size_t shard = 0) { return redis_.at(shard); }

  // In a console of the Django project.
  Outcome python(const std::string& code) {
    Environment environment = django_environment(environment_);
    environment["DJANGO_SETTINGS_MODULE"] = "mychat.settings";
    return run({testkit::python(), "-c",
                "import django; django.setup()\n"
                "from asgiref.sync import async_to_sync\n"
                "from channels.layers import get_channel_layer\n"
                "from chat.push import push_msg, send_to_channel\n"
                "layer = get_channel_layer()\n" +
                    code},
               environment);
  }
  Outcome layerctl(Words words) {
    words.insert(words.begin(), ours_.begin(), ours_.end());
    words.insert(words.begin(), bin_dir() + "/layerctl");
    return run(words);
  }
  // A new member and its channel name, found from outside.
  std::pair<std::unique_ptr<Member>, std::string> named_member(const std::string& server,
                                                               const std::string& room) {
    std::unique_ptr<Member> member;
    const auto control = target::make_control(urls() + "?layer=" + layer_, "", std::chrono::seconds(20));
    const auto name = control->channel_of(room, [&] { member = std::make_unique<Member>(server, room); });
    EXPECT_TRUE(name.ok()) << (name.ok() ? "" : name.error().message);
    return {std::move(member), name.ok() ? *name : ""};
  }

 private:
  std::string urls() const {
    std::string out;
    for (const TemporaryRedis& redis : redis_) out += (out.empty() ? "" : ",") + redis.url();
    return out;
  }
  Words options(Words more) const {
    Words out{"--layer", layer_ == "core" ? "redis" : "redis-pubsub"};
    for (const TemporaryRedis& redis : redis_) out.insert(out.end(), {"--redis-url", redis.url()});
    out.insert(out.end(), more.begin(), more.end());
    return out;
  }

  const std::string layer_;
  std::vector<TemporaryRedis> redis_;
  const Words ours_;
  Environment environment_;
  std::unique_ptr<Target> django_;
  std::unique_ptr<Process> server_;
  std::string cpp_;
};

class Interop : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Layers, Interop, testing::Values("core", "pubsub"),
                         [](const auto& layer) { return layer.param; });

TEST_P(Interop, MembersOfBothServersAreOneRoom) {
  System system(GetParam(), 1);
  Member python(system.python_side(), "room"), ours(system.our_side(), "room");
  Member elsewhere(system.our_side(), "elsewhere"), apart(system.python_side(), "elsewhere");
  for (const char* text : {"你好", "two", "three"}) {
    python.says(text);
    EXPECT_EQ(python.hears(), said(text));
    EXPECT_EQ(ours.hears(), said(text));
    ours.says(text);
    EXPECT_EQ(ours.hears(), said(text));
    EXPECT_EQ(python.hears(), said(text));
  }
  elsewhere.says("a fence");
  EXPECT_EQ(elsewhere.hears(), said("a fence")) << "nothing of the other room came before it";
  EXPECT_EQ(apart.hears(), said("a fence"));

  // Who leaves is gone for the other side too, and the others go on.
  ours.leaves();
  python.says("after you left");
  EXPECT_EQ(python.hears(), said("after you left"));
  Member later(system.our_side(), "room");
  python.leaves();
  later.says("alone");
  EXPECT_EQ(later.hears(), said("alone"));
}

TEST_P(Interop, EitherSidePushesToAll) {
  System system(GetParam(), 1);
  Member python(system.python_side(), "room"), ours(system.our_side(), "room");
  EXPECT_EQ(system.python("push_msg('room', '预警信息推送')").exit_code, 0);
  EXPECT_EQ(system.layerctl({"push", "room", "from ours"}).exit_code, 0);
  for (Member* member : {&python, &ours}) {
    EXPECT_EQ(member->hears(), "预警信息推送");
    EXPECT_EQ(member->hears(), "from ours");
  }
}

TEST_P(Interop, EitherSideAddressesOneConnectionOfTheOther) {
  System system(GetParam(), 1);
  Member bystander(system.our_side(), "room");
  const auto [python, python_name] = system.named_member(system.python_side(), "room");
  const auto [ours, our_name] = system.named_member(system.our_side(), "room");
  EXPECT_EQ(system.python("send_to_channel('" + our_name + "', 'from Python')").exit_code, 0);
  EXPECT_EQ(ours->hears(), addressed("from Python"));
  const Outcome sent =
      system.layerctl({"send", python_name, R"({"type": "chat_message", "message": "from ours"})"});
  EXPECT_EQ(sent.exit_code, 0) << sent.err;
  EXPECT_EQ(python->hears(), addressed("from ours"));
  python->says("a fence");
  for (Member* member : {python.get(), ours.get(), &bystander}) EXPECT_EQ(member->hears(), said("a fence"));
}

// The judge's own cases for clusters, over a Django node and one of ours, each killed and started again by
// it.
TEST_P(Interop, TheSuiteTakesBothServersForOneCluster) {
  const TemporaryRedis redis;
  const std::string python_port = std::to_string(free_port()), our_port = std::to_string(free_port());
  const std::string django = "PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=" + source_dir() +
                             "/conformance/targets/django CHAT_CONSUMER=async CHANNEL_LAYER=" + GetParam() +
                             " REDIS_URL=" + redis.url() + " exec " + python() +
                             " -m uvicorn --log-level warning --ws websockets --port " + python_port +
                             " mychat.asgi:application";
  const std::string ours =
      "exec " + bin_dir() +
      "/reference_server --log-level error --control off --listen 127.0.0.1:" + our_port + " --layer " +
      (GetParam() == "core" ? "redis" : "redis-pubsub") + " --redis-url " + redis.url();
  const Outcome outcome =
      run({bin_dir() + "/conformance", "--target", "ws://127.0.0.1:" + python_port, "--start", django,
           "--target", "ws://127.0.0.1:" + our_port, "--start", ours, "--start-timeout", "60s", "--control",
           redis.url() + "?layer=" + GetParam(), "--filter", "cluster.*", "--require-complete"},
          {}, std::chrono::seconds(250));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
}

TEST(InteropCore, EitherSideSeesTheMembersOfTheOther) {
  System system("core", 1);
  const auto [python, python_name] = system.named_member(system.python_side(), "room");
  const auto [ours, our_name] = system.named_member(system.our_side(), "room");
  const auto members = [&] { return system.layerctl({"members", "room"}).out; };
  EXPECT_EQ(members(), "{\"channel\":\"" + python_name + "\"}\n{\"channel\":\"" + our_name + "\"}\n");
  python->leaves();
  const Nanoseconds limit = soon();
  while (members() != "{\"channel\":\"" + our_name + "\"}\n" && steady_clock().now() < limit) {
  }
  EXPECT_EQ(members(), "{\"channel\":\"" + our_name + "\"}\n");
  ours->leaves();
  while (members() != "" && steady_clock().now() < limit) {
  }
  EXPECT_EQ(members(), "");
}

TEST(InteropCore, MessagesWaitForEitherSide) {
  System system("core", 1);
  EXPECT_EQ(
      system.python("async_to_sync(layer.send)('queue', {'text': '你好', 'n': 1.5, 'none': None})").exit_code,
      0);
  EXPECT_EQ(system.layerctl({"receive", "queue"}).out, "{\"text\":\"你好\",\"n\":1.5,\"none\":null}\n");
  EXPECT_EQ(system.layerctl({"send", "queue", R"({"text": "你好", "n": 1.5, "none": null})"}).exit_code, 0);
  EXPECT_EQ(system.python("print(async_to_sync(layer.receive)('queue'))").out,
            "{'text': '你好', 'n': 1.5, 'none': None}\n");
}

TEST(InteropCore, CapacityIsSharedWhoeverFillsIt) {
  System system("core", 1, {{"CHANNEL_CAPACITY", "3"}}, {"--capacity", "3"});
  const std::string send = "async_to_sync(layer.send)('queue', {'type': 'x'})\n";
  EXPECT_EQ(system.python(send + send + send).exit_code, 0);
  const Outcome ours = system.layerctl({"send", "queue", "{}"});
  EXPECT_EQ(ours.exit_code, 1);
  EXPECT_EQ(ours.err, "layerctl: channel full: queue\n");
  EXPECT_EQ(system.layerctl({"receive", "queue"}).exit_code, 0);
  EXPECT_EQ(system.layerctl({"send", "queue", R"({"type": "x"})"}).exit_code, 0);
  EXPECT_THAT(system.python(send).err, HasSubstr("ChannelFull"));
}

TEST(InteropCore, WhatIsTooOldForOneIsTooOldForTheOther) {
  System system("core", 1);
  // A sender whose clock is 61 s slow: its message has expired when it arrives.
  EXPECT_EQ(system
                .python("import time; now = time.time; time.time = lambda: now() - 61\n"
                        "async_to_sync(layer.send)('queue', {'n': 1})")
                .exit_code,
            0);
  const Outcome nothing = system.layerctl({"--limit", "300ms", "receive", "queue"});
  EXPECT_EQ(nothing.exit_code, 1) << nothing.out;
  // And ours, with such a clock: Python forgets the old message at its own next send.
  boost::asio::io_context io;
  channel_layer::RedisOptions slow;
  slow.hosts = {channel_layer::parse_redis_url(system.redis().url())};
  slow.wall_clock = [] { return wall_now() - std::chrono::seconds(61); };
  const auto layer = channel_layer::make_redis_layer(slow, io);
  bool sent = false;
  layer->send("queue", {{"n", 2}}, [&sent](const Result<void>& result) { sent = result.ok(); });
  const Nanoseconds limit = soon();
  while (!sent && steady_clock().now() < limit) io.run_one();
  EXPECT_TRUE(sent);
  EXPECT_EQ(system.python("async_to_sync(layer.send)('queue', {'n': 3})").exit_code, 0);
  EXPECT_EQ(system.python("print(async_to_sync(layer.receive)('queue'))").out, "{'n': 3}\n");
}

TEST(InteropCore, OverSeveralHostsEveryRoomAndEveryDirectSendArrives) {
  System system("core", 2);
  for (int i = 0; i < 6; ++i) {  // groups and processes on either shard
    const std::string room = "room." + std::to_string(i);
    const auto [python, python_name] = system.named_member(system.python_side(), room);
    const auto [ours, our_name] = system.named_member(system.our_side(), room);
    python->says("a");
    EXPECT_EQ(python->hears(), said("a"));
    EXPECT_EQ(ours->hears(), said("a"));
    EXPECT_EQ(
        system.layerctl({"send", python_name, R"({"type": "chat_message", "message": "direct"})"}).exit_code,
        0);
    EXPECT_EQ(python->hears(), addressed("direct"));
    // Python itself stores most of these where its own processes do not look; ours look everywhere.
    EXPECT_EQ(system.python("send_to_channel('" + our_name + "', 'direct')").exit_code, 0);
    EXPECT_EQ(ours->hears(), addressed("direct"));
  }
}

TEST(InteropPubSub, OverSeveralHosts) {
  System system("pubsub", 2);
  for (int i = 0; i < 6; ++i) {
    const std::string room = "room." + std::to_string(i);
    Member python(system.python_side(), room), ours(system.our_side(), room);
    python.says("a");
    EXPECT_EQ(python.hears(), said("a"));
    EXPECT_EQ(ours.hears(), said("a"));
    ours.says("b");
    EXPECT_EQ(python.hears(), said("b"));
    EXPECT_EQ(ours.hears(), said("b"));
  }
}

TEST(InteropCore, EncryptedAndUnderAPrefix) {
  const TemporaryDirectory directory;
  const std::string key_file = directory.write("keys", "a secret of both\n");
  System system("core", 1, {{"CHANNEL_ENCRYPTION_KEY", "a secret of both"}, {"CHANNEL_PREFIX", "site"}},
                {"--encryption-key-file", key_file, "--prefix", "site"});
  Member python(system.python_side(), "room"), ours(system.our_side(), "room");
  python.says("a");
  EXPECT_EQ(python.hears(), said("a"));
  EXPECT_EQ(ours.hears(), said("a"));
  ours.says("b");
  EXPECT_EQ(python.hears(), said("b"));
  EXPECT_EQ(ours.hears(), said("b"));
  EXPECT_EQ(system.python("push_msg('room', 'c')").exit_code, 0);
  EXPECT_EQ(ours.hears(), "c");
  const std::string keys = run({"redis-cli", "-p", std::to_string(system.redis().port()), "KEYS", "*"}).out;
  EXPECT_THAT(keys, HasSubstr("site:group:room"));
  EXPECT_THAT(keys, testing::Not(HasSubstr("asgi")));
}

}  // namespace
}  // namespace roomcheck::testkit
