// The Redis layers on a real Redis, where the contract suite cannot look: what stands in Redis, other
// processes, other prefixes, poison, outages.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hiredis/hiredis.h>

#include <algorithm>
#include <csignal>
#include <map>

#include "libs/channel_layer/payload.h"
#include "libs/channel_layer/redis.h"
#include "libs/channel_layer/shards.h"
#include "libs/testkit/layer_driver.h"
#include "libs/testkit/redis.h"

namespace roomcheck::channel_layer {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::SizeIs;
using testing::UnorderedElementsAre;
using testkit::LayerDriver;
using testkit::TemporaryRedis;

// redis-cli, as a person would use it.
class Console {
 public:
  explicit Console(std::uint16_t port) : context_(redisConnect("127.0.0.1", port)) {}
  ~Console() { redisFree(context_); }

  std::vector<std::string> operator()(const std::vector<std::string>& words) {
    std::vector<const char*> texts;
    std::vector<std::size_t> sizes;
    for (const std::string& word : words) {
      texts.push_back(word.data());
      sizes.push_back(word.size());
    }
    auto* reply = static_cast<redisReply*>(
        redisCommandArgv(context_, static_cast<int>(words.size()), texts.data(), sizes.data()));
    std::vector<std::string> out;
    if (reply != nullptr) add(out, *reply);
    freeReplyObject(reply);
    return out;
  }

 private:
  static void add(std::vector<std::string>& out, const redisReply& reply) {
    if (reply.type == REDIS_REPLY_INTEGER) {
      out.push_back(std::to_string(reply.integer));
    } else if (reply.type == REDIS_REPLY_ARRAY) {
      for (std::size_t i = 0; i < reply.elements; ++i) add(out, *reply.element[i]);
    } else if (reply.str != nullptr) {
      out.emplace_back(reply.str, reply.len);
    }
  }
  redisContext* context_;
};

// One process of a cluster: they share the test's loop, and nothing else.
struct Process {
  Process(boost::asio::io_context& io, std::unique_ptr<ChannelLayer> made)
      : layer(std::move(made)), driver(io, *layer) {}
  std::unique_ptr<ChannelLayer> layer;
  LayerDriver driver;
};

class RedisLayers : public testing::Test {
 protected:
  RedisLayers() {
    options.hosts = {parse_redis_url(redis.url())};
    options.operation_timeout = 1s;
  }
  std::unique_ptr<Process> core() { return std::make_unique<Process>(io, make_redis_layer(options, io)); }
  std::unique_ptr<Process> pubsub() {
    return std::make_unique<Process>(io, make_redis_pubsub_layer(options, io));
  }
  template <class Ready>
  void run_until(Ready ready) {
    testkit::run_until(io, ready);
  }
  static Event numbered(int n) { return LayerDriver::numbered(n); }
  // What another process, of whatever kind, would put into the inbox of this channel.
  void inject(const std::string& channel, const std::string& member) {
    console({"ZADD", "asgi" + std::string(non_local(channel)),
             std::to_string(std::chrono::duration<double>(wall_now().time_since_epoch()).count()), member});
  }

  TemporaryRedis redis;
  Console console{redis.port()};
  RedisOptions options;
  boost::asio::io_context io;
};

// ---- what stands in Redis (the wire that Python reads)

TEST_F(RedisLayers, NamesAndKeysAreThoseOfChannelsRedis) {
  const auto node = core();
  const auto me = node->driver.consumer();
  EXPECT_THAT(me->channel, MatchesRegex("specific\\.[0-9a-f]{32}![0-9a-f]{32}"));
  ASSERT_TRUE(node->driver.group_add("room.1", me->channel).ok());
  EXPECT_THAT(console({"KEYS", "*"}), ElementsAre("asgi:group:room.1"));
  EXPECT_THAT(console({"ZRANGE", "asgi:group:room.1", "0", "-1"}), ElementsAre(me->channel));
  const int ttl = std::stoi(console({"TTL", "asgi:group:room.1"})[0]);
  EXPECT_TRUE(ttl > 86300 && ttl <= 86400) << ttl;
  const double score = std::stod(console({"ZSCORE", "asgi:group:room.1", me->channel})[0]);
  EXPECT_NEAR(score, std::chrono::duration<double>(wall_now().time_since_epoch()).count(), 30);
  ASSERT_TRUE(node->driver.send("worker-1", numbered(7)).ok());
  EXPECT_THAT(console({"KEYS", "asgiworker*"}), ElementsAre("asgiworker-1"));
  const std::string member = console({"ZRANGE", "asgiworker-1", "0", "-1"}).at(0);
  EXPECT_EQ(member.substr(12), "\x82\xa4type\xa4test\xa1n\x07");

  const auto other = pubsub();
  const auto listener = other->driver.consumer();
  EXPECT_THAT(listener->channel, MatchesRegex("asgispecific\\.[0-9a-f]{32}"));
  ASSERT_TRUE(other->driver.group_add("room.1", listener->channel).ok());
  EXPECT_THAT(console({"PUBSUB", "CHANNELS", "asgi__group__*"}), ElementsAre("asgi__group__room.1"));
  EXPECT_THAT(console({"PUBSUB", "CHANNELS", "asgispecific.*"}), ElementsAre(listener->channel));
}

TEST_F(RedisLayers, GroupSendCostsNoMoreCommandsThanPython) {
  const auto node = core();
  for (int i = 0; i < 100; ++i) {
    const auto member = node->driver.consumer();
    ASSERT_TRUE(node->driver.group_add("g", member->channel).ok());
  }
  const auto fence = node->driver.consumer();
  console({"CONFIG", "RESETSTAT"});
  for (int n = 0; n < 10; ++n) ASSERT_TRUE(node->driver.group_send("g", numbered(n)).ok());
  std::map<std::string, int> calls;
  const std::string stats = console({"INFO", "commandstats"}).at(0);
  for (const char* command : {"zremrangebyscore", "zrange", "multi", "exec", "eval", "publish", "zadd"}) {
    const std::size_t at = stats.find("cmdstat_" + std::string(command) + ":calls=");
    if (at != stats.npos) calls[command] = std::stoi(stats.substr(stats.find('=', at) + 1));
  }
  // Python, seen by MONITOR, for 10 messages to members in one process: 20 ZREMRANGEBYSCORE, 10 ZRANGE,
  // MULTI, EXEC and EVAL, and 10 ZADD within the script.
  EXPECT_EQ(calls["eval"], 10);
  EXPECT_EQ(calls["zrange"], 10);
  EXPECT_LE(calls["zremrangebyscore"], 20);
  EXPECT_EQ(calls["multi"] + calls["exec"], 0);
  EXPECT_EQ(calls["zadd"], 10) << "one message for the process, not one for each member";

  const auto bus = pubsub();
  const auto listener = bus->driver.consumer();
  ASSERT_TRUE(bus->driver.group_add("g", listener->channel).ok());
  console({"CONFIG", "RESETSTAT"});
  for (int n = 0; n < 10; ++n) ASSERT_TRUE(bus->driver.group_send("g", numbered(n)).ok());
  EXPECT_THAT(console({"INFO", "commandstats"}).at(0), HasSubstr("cmdstat_publish:calls=10,"));
}

// ---- several processes

TEST_F(RedisLayers, ProcessesShareGroupsAndAddressEachOther) {
  for (const bool with_core : {true, false}) {
    const auto one = with_core ? core() : pubsub();
    const auto two = with_core ? core() : pubsub();
    const auto a = one->driver.consumer(), b = two->driver.consumer();
    ASSERT_TRUE(one->driver.group_add("g", a->channel).ok());
    ASSERT_TRUE(two->driver.group_add("g", b->channel).ok());
    ASSERT_TRUE(one->driver.group_send("g", numbered(1)).ok());
    ASSERT_TRUE(two->driver.send(a->channel, numbered(2)).ok());
    ASSERT_TRUE(one->driver.send(b->channel, numbered(3)).ok());
    run_until([&] { return a->got.size() == 2 && b->got.size() == 2; });
    EXPECT_THAT(a->got, ElementsAre(1, 2));
    EXPECT_THAT(b->got, ElementsAre(1, 3));
  }
}

// Part H, 3: over several hosts every direct send arrives, whichever shard its name hashes to; so do
// Python's, which land on the shard of the full name.
TEST_F(RedisLayers, DirectSendsOverSeveralShardsArrive) {
  TemporaryRedis second, third;
  options.hosts.push_back(parse_redis_url(second.url()));
  options.hosts.push_back(parse_redis_url(third.url()));
  const auto one = core(), two = core();
  std::vector<std::shared_ptr<LayerDriver::Consumer>> consumers;
  for (int i = 0; i < 20; ++i) consumers.push_back(one->driver.consumer());
  for (int i = 0; i < 20; ++i) {
    const std::string& channel = consumers[static_cast<std::size_t>(i)]->channel;
    ASSERT_TRUE(two->driver.send(channel, numbered(i)).ok());
    const std::size_t of_full_name = shard_of(channel, 3);
    Console at(options.hosts[of_full_name].port);
    const Payload payload(options);
    at({"ZADD", "asgi" + std::string(non_local(channel)),
        std::to_string(std::chrono::duration<double>(wall_now().time_since_epoch()).count()),
        payload.for_channel(*payload.map_of(numbered(100 + i)), channel)});
  }
  run_until([&] {
    return std::all_of(consumers.begin(), consumers.end(), [](const auto& c) { return c->got.size() >= 2; });
  });
  for (int i = 0; i < 20; ++i)
    EXPECT_THAT(consumers[static_cast<std::size_t>(i)]->got, UnorderedElementsAre(i, 100 + i));

  // Ours go where Python listens: to the shard of the part that all channels of the process share.
  for (int i = 0; i < 10; ++i) {
    const auto unread = core();
    const std::string channel = unread->layer->new_channel();
    ASSERT_TRUE(two->driver.send(channel, numbered(0)).ok());
    Console at(options.hosts[shard_of(non_local(channel), 3)].port);
    EXPECT_THAT(at({"EXISTS", "asgi" + std::string(non_local(channel))}), ElementsAre("1"));
  }

  // Groups live on the shard of their name.
  ASSERT_TRUE(one->driver.group_add("room.1", consumers[0]->channel).ok());
  Console home_of_room(options.hosts[shard_of("room.1", 3)].port);
  EXPECT_THAT(home_of_room({"ZCARD", "asgi:group:room.1"}), ElementsAre("1"));
  ASSERT_TRUE(two->driver.group_send("room.1", numbered(7)).ok());
  run_until([&] { return consumers[0]->got.size() == 3; });

  const auto bus = pubsub();
  const auto listener = bus->driver.consumer();
  for (const char* group : {"room.1", "room.2", "room.3", "room.4"}) {
    ASSERT_TRUE(bus->driver.group_add(group, listener->channel).ok());
    ASSERT_TRUE(bus->driver.group_send(group, numbered(1)).ok());
  }
  run_until([&] { return listener->got.size() == 4; });
}

TEST_F(RedisLayers, APlainChannelIsSharedWorkOnCoreAndABroadcastOnPubSub) {
  const auto one = core(), two = core();
  std::vector<int> got;
  const auto note = [&got](Result<Message> message) {
    if (message.ok()) got.push_back((**message)["n"]);
  };
  one->layer->receive("worker-1", 10s, note);
  two->layer->receive("worker-1", 10s, note);
  const auto sender = core();
  for (int n = 0; n < 3; ++n) ASSERT_TRUE(sender->driver.send("worker-1", numbered(n)).ok());
  run_until([&] { return got.size() == 2; });
  EXPECT_THAT(got, UnorderedElementsAre(0, 1));
  EXPECT_EQ((*sender->driver.receive("worker-1"))->at("n"), 2) << "the third waits";
}

// ---- names that are told apart inside (layer.process-local), local queues

TEST_F(RedisLayers, AFullLocalQueueDropsItsOldestAndCounts) {
  options.layer.capacity = 10;
  const auto node = core();
  const auto reader = node->driver.consumer();  // so that the inbox is read
  const std::string slow = node->layer->new_channel();
  for (int n = 0; n < 25; ++n) {
    ASSERT_TRUE(node->driver.send(slow, numbered(n)).ok());
    ASSERT_TRUE(node->driver.send(reader->channel, numbered(n)).ok());  // a fence: `slow` has it
    run_until([&] { return !reader->got.empty() && reader->got.back() == n; });
  }
  for (int n = 15; n < 25; ++n) EXPECT_EQ((*node->driver.receive(slow))->at("n"), n);
  EXPECT_EQ(node->layer->stats().dropped, 15u);
}

TEST_F(RedisLayers, AReceiveOfAnothersChannelIsRefused) {
  const auto one = core(), two = core();
  const auto result = one->driver.receive(two->layer->new_channel());
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(result.error().message, HasSubstr("belongs to another process"));
}

TEST_F(RedisLayers, OnPubSubAReceiveThatWaitsInVainSaysWhy) {
  const auto node = pubsub();
  ASSERT_TRUE(node->driver.send("test_channel", numbered(1)).ok());
  const auto result = node->driver.receive("test_channel", 10ms);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind, Error::Kind::timeout);
  EXPECT_THAT(result.error().message, HasSubstr("only who is subscribed already"));
  run_until([&] { return console({"PUBSUB", "CHANNELS", "test_channel"}).empty(); });
}

// ---- a cancelled receive, the in-flight backup

TEST_F(RedisLayers, ACancelledReceiveLosesNothing) {
  const auto sender = core();
  const auto peer = make_redis_peer(options, io);  // the process lives on
  int cancelled = 0;
  for (int n = 0; n < 40; ++n) {
    auto layer = make_redis_layer(peer, io);
    bool received = false;
    layer->receive("jobs", 10s, [&](const Result<Message>& message) { received = message.ok(); });
    sender->layer->send("jobs", numbered(n), {});
    for (int turns = 0; turns < n && !received; ++turns) io.run_one_for(1ms);  // cancelled at every stage
    layer.reset();
    if (received) continue;
    ++cancelled;
    const auto result = sender->driver.receive("jobs", 20s);
    ASSERT_TRUE(result.ok()) << n;
    EXPECT_EQ((*result)->at("n"), n);
  }
  EXPECT_GT(cancelled, 5);
  run_until([&] { return console({"KEYS", "*"}).empty(); });  // not in the backup either
}

TEST_F(RedisLayers, WhatAPeerLeftInItsBackupIsRedelivered) {
  const Payload payload(options);
  console({"ZADD", "asgijobs$inflight",
           std::to_string(std::chrono::duration<double>(wall_now().time_since_epoch()).count()),
           payload.for_plain(*payload.map_of(numbered(5)))});
  const auto node = core();
  const auto message = node->driver.receive("jobs", 15s);
  ASSERT_TRUE(message.ok());
  EXPECT_EQ((*message)->at("n"), 5);
  run_until([&] { return console({"KEYS", "*"}).empty(); });
}

// ---- poison (part H, 2)

TEST_F(RedisLayers, PoisonIsCountedAndHarmsNobody) {
  const auto node = core();
  const auto a = node->driver.consumer(), b = node->driver.consumer();
  const std::string random(12, 'r');
  const Payload payload(options);
  const std::string stranger = "specific." + std::string(32, '0') + "!x";
  for (const std::string& poison :
       {std::string(), std::string("short"), random + "\xc1", random + "\x93\x01\x02\x03",
        random + std::string("\x81\x01\x02"), random + "{}", random + "\x81\xa1",
        payload.for_plain(*payload.map_of(numbered(0))),               // to nobody
        payload.for_channel(*payload.map_of(numbered(0)), stranger)})  // to nobody here
    inject(a->channel, poison);
  ASSERT_TRUE(node->driver.send(a->channel, numbered(1)).ok());
  ASSERT_TRUE(node->driver.send(b->channel, numbered(2)).ok());
  run_until([&] { return !a->got.empty() && !b->got.empty(); });
  EXPECT_THAT(a->got, ElementsAre(1));
  EXPECT_EQ(node->layer->stats().poison, 9u);

  const auto bus = pubsub();
  const auto c = bus->driver.consumer();
  ASSERT_TRUE(bus->driver.group_add("g", c->channel).ok());
  console({"PUBLISH", "asgi__group__g", "\xc1"});
  console({"PUBLISH", c->channel, "\x93\x01\x02\x03"});
  ASSERT_TRUE(bus->driver.group_send("g", numbered(3)).ok());
  run_until([&] { return !c->got.empty(); });
  EXPECT_THAT(c->got, ElementsAre(3));
  EXPECT_EQ(bus->layer->stats().poison, 2u);
}

TEST_F(RedisLayers, AQueueOfAnotherTypeIsAnErrorNotAnEnd) {
  const auto node = core();
  console({"SET", "asgijobs", "a string"});
  const auto sent = node->driver.send("jobs", numbered(1));
  ASSERT_FALSE(sent.ok());
  EXPECT_THAT(sent.error().message, HasSubstr("WRONGTYPE"));
  EXPECT_FALSE(node->driver.receive("jobs").ok());
  console({"SET", "asgi:group:g", "a string"});
  EXPECT_FALSE(node->driver.group_add("g", node->layer->new_channel()).ok());
  EXPECT_FALSE(node->driver.group_send("g", numbered(1)).ok());
}

// ---- capacity (part H, 5)

TEST_F(RedisLayers, TheInboxIsDrainedByMoreThanOneAtATime) {
  const auto node = core();
  const auto me = node->driver.consumer();
  const Payload payload(options);
  redis.process().signal(SIGSTOP);  // so that all of it waits when Redis goes on
  redis.process().signal(SIGCONT);
  for (int n = 0; n < 90; ++n)
    inject(me->channel, payload.for_channel(*payload.map_of(numbered(n)), me->channel));
  run_until([&] { return me->got.size() == 90; });
  std::vector<int> expected(90);
  for (int n = 0; n < 90; ++n) expected[static_cast<std::size_t>(n)] = n;
  EXPECT_EQ(me->got, expected);
}

// ---- memberships (part H, 4)

TEST_F(RedisLayers, MembershipsAreRenewedWellInsideTheirExpiry) {
  options.layer.group_expiry = 2s;
  const auto node = core();
  const auto me = node->driver.consumer();
  ASSERT_TRUE(node->driver.group_add("g", me->channel).ok());
  const auto score = [&] {
    const auto out = console({"ZSCORE", "asgi:group:g", me->channel});
    return out.empty() ? 0.0 : std::stod(out[0]);
  };
  const double joined = score();
  run_until(
      [&] { return score() >= joined + 2.0; });  // it lives past the expiry, nobody having sent anything
  ASSERT_TRUE(node->driver.group_send("g", numbered(1)).ok());
  run_until([&] { return !me->got.empty(); });
}

TEST_F(RedisLayers, CloseLeavesEveryGroupAndTakesDownTheInbox) {
  const auto node = core(), other = core();
  const auto me = node->driver.consumer(), stays = other->driver.consumer();
  ASSERT_TRUE(node->driver.group_add("g", me->channel).ok());
  ASSERT_TRUE(node->driver.group_add("h", me->channel).ok());
  ASSERT_TRUE(other->driver.group_add("g", stays->channel).ok());
  ASSERT_TRUE(node->driver.close().ok());
  EXPECT_THAT(console({"KEYS", "*"}), ElementsAre("asgi:group:g"));
  EXPECT_THAT(console({"ZRANGE", "asgi:group:g", "0", "-1"}), ElementsAre(stays->channel));
}

// ---- flush (part H, 9)

TEST_F(RedisLayers, FlushRemovesThisPrefixAndNothingElse) {
  const auto ours = core();
  const auto me = ours->driver.consumer();
  ASSERT_TRUE(ours->driver.group_add("g", me->channel).ok());
  ASSERT_TRUE(ours->driver.send("jobs", numbered(1)).ok());
  options.layer.prefix = "asgi2";
  const auto theirs = core();
  const auto they = theirs->driver.consumer();
  ASSERT_TRUE(theirs->driver.group_add("g", they->channel).ok());
  ASSERT_TRUE(theirs->driver.send("jobs", numbered(2)).ok());
  console({"SET", "asgi_settings", "another program's"});
  ASSERT_TRUE(ours->driver.flush().ok());
  EXPECT_THAT(console({"KEYS", "*"}), UnorderedElementsAre("asgi2:group:g", "asgi2jobs", "asgi_settings"));
  EXPECT_FALSE(ours->driver.receive("jobs").ok());
  EXPECT_EQ((*theirs->driver.receive("jobs"))->at("n"), 2);
}

// ---- connecting

TEST_F(RedisLayers, ConnectsBySocketWithPasswordAndDatabase) {
  console({"CONFIG", "SET", "requirepass", "sésame"});
  console({"AUTH", "sésame"});
  options.hosts = {parse_redis_url("unix://:s%C3%A9same@" + redis.socket_path() + "?db=3")};
  const auto node = core();
  ASSERT_TRUE(node->driver.send("jobs", numbered(1)).ok());
  console({"SELECT", "3"});
  EXPECT_THAT(console({"KEYS", "*"}), ElementsAre("asgijobs"));
  options.hosts = {
      parse_redis_url("redis://default:s%C3%A9same@localhost:" + std::to_string(redis.port()) + "/3")};
  EXPECT_EQ((*core()->driver.receive("jobs"))->at("n"), 1);
}

TEST_F(RedisLayers, AWrongPasswordIsAnErrorThatSaysSo) {
  options.hosts = {parse_redis_url("redis://nobody:wrong@127.0.0.1:" + std::to_string(redis.port()))};
  const auto result = core()->driver.send("jobs", numbered(1));
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(result.error().message, HasSubstr("WRONGPASS"));
}

// ---- outages (layer.reconnect)

TEST_F(RedisLayers, WhileRedisIsAwayOperationsFailInTimeWithTheAddress) {
  for (const bool with_core : {true, false}) {
    const auto node = with_core ? core() : pubsub();
    const auto me = node->driver.consumer();
    ASSERT_TRUE(node->driver.group_add("g", me->channel).ok());
    redis.kill();
    const auto failed = [&](const auto& result) {
      ASSERT_FALSE(result.ok());
      EXPECT_THAT(result.error().message, HasSubstr("redis://127.0.0.1:"));
    };
    failed(node->driver.group_send("g", numbered(1)));
    failed(node->driver.send(me->channel, numbered(1)));
    if (with_core) failed(node->driver.receive("jobs"));
    EXPECT_GE(node->layer->stats().failed, 2u);
    redis.start();
    run_until([&] {  // members again, whatever they did not do
      (void)node->driver.group_send("g", numbered(2));
      return !me->got.empty();
    });
    EXPECT_THAT(me->got, testing::Each(2)) << "what failed never comes after all";
    EXPECT_GE(node->layer->stats().outages, 1u);
  }
}

TEST_F(RedisLayers, AFrozenRedisIsFoundOut) {
  const auto node = core();
  const auto me = node->driver.consumer();
  ASSERT_TRUE(node->driver.group_add("g", me->channel).ok());
  redis.process().signal(SIGSTOP);
  const auto result = node->driver.group_send("g", numbered(1));
  redis.process().signal(SIGCONT);
  ASSERT_FALSE(result.ok());
  run_until([&] {
    (void)node->driver.group_send("g", numbered(2));
    return std::count(me->got.begin(), me->got.end(), 2) > 0;
  });
  EXPECT_LE(std::count(me->got.begin(), me->got.end(), 1), 1);
}

// Part H, 7: subscriptions that die quietly are found out, though hiredis cannot ping them.
TEST_F(RedisLayers, KilledSubscriptionsComeBack) {
  const auto node = pubsub();
  const auto me = node->driver.consumer();
  ASSERT_TRUE(node->driver.group_add("g", me->channel).ok());
  console({"CLIENT", "KILL", "TYPE", "pubsub"});
  run_until([&] { return console({"PUBSUB", "NUMSUB", "asgi__group__g"}).at(1) == "1"; });
  ASSERT_TRUE(node->driver.group_send("g", numbered(1)).ok());
  run_until([&] { return !me->got.empty(); });
  EXPECT_THAT(me->got, ElementsAre(1));
}

// hiredis 0.14 ends the process when an UNSUBSCRIBE meets a name it does not know.
TEST_F(RedisLayers, LeavingAndJoiningInOneBreathIsSafe) {
  const auto node = pubsub();
  const auto me = node->driver.consumer();
  for (int i = 0; i < 50; ++i) {
    node->layer->group_add("g", me->channel, {});
    node->layer->group_discard("g", me->channel, {});
    node->layer->group_discard("g", me->channel, {});
    node->layer->group_discard("never", me->channel, {});
  }
  ASSERT_TRUE(node->driver.group_add("g", me->channel).ok());
  ASSERT_TRUE(node->driver.group_send("g", numbered(1)).ok());
  run_until([&] { return !me->got.empty(); });
  EXPECT_THAT(me->got, ElementsAre(1));
}

// ---- what must be configured alike (part H, 8)

TEST_F(RedisLayers, PeersWithOtherSettingsAreSkippedNotBelieved) {
  options.encryption_keys = {"key one"};
  const auto secret = core();
  const auto me = secret->driver.consumer();
  ASSERT_TRUE(secret->driver.group_add("g", me->channel).ok());
  options.encryption_keys.clear();
  const auto clear = core();
  ASSERT_TRUE(clear->driver.group_send("g", numbered(1)).ok());
  options.encryption_keys = {"key two", "key one"};
  ASSERT_TRUE(core()->driver.send(me->channel, numbered(2)).ok());
  options.encryption_keys = {"key one", "key two"};
  ASSERT_TRUE(core()->driver.group_send("g", numbered(3)).ok());
  run_until([&] { return !me->got.empty(); });
  EXPECT_THAT(me->got, ElementsAre(3));
  EXPECT_EQ(secret->layer->stats().poison, 2u);
}

TEST_F(RedisLayers, CapacityPatternsCountForInboxes) {
  options.layer.channel_capacity = {{"jobs.*", 1}, {"specific.*", 2}};
  const auto node = core(), other = core();
  const std::string idle = other->layer->new_channel();  // whose inbox nobody reads
  EXPECT_TRUE(node->driver.send("jobs.a", numbered(1)).ok());
  EXPECT_EQ(node->driver.send("jobs.a", numbered(1)).error().kind, Error::Kind::full);
  EXPECT_TRUE(node->driver.send(idle, numbered(1)).ok());
  EXPECT_TRUE(node->driver.send(idle, numbered(1)).ok());
  EXPECT_EQ(node->driver.send(idle, numbered(1)).error().kind, Error::Kind::full);
}

}  // namespace
}  // namespace roomcheck::channel_layer
