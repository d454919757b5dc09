// The small parts of the Redis layers, without Redis.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/channel_layer/backoff.h"
#include "libs/channel_layer/prefix_keys.h"
#include "libs/channel_layer/redis.h"
#include "libs/channel_layer/send_order.h"
#include "libs/channel_layer/shards.h"

namespace roomcheck::channel_layer {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Values of channels_redis' own tests, and observed ones.
TEST(ShardOf, IsPythonsChoice) {
  EXPECT_EQ(shard_of("key_one", 1), 0u);
  EXPECT_EQ(shard_of("key_two", 1), 0u);
  const std::size_t kShards[] = {2, 3, 4, 10};
  const std::size_t kOne[] = {1, 2, 2, 6}, kTwo[] = {0, 1, 1, 4}, kRoom[] = {1, 2, 2, 7};
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(shard_of("key_one", kShards[i]), kOne[i]);
    EXPECT_EQ(shard_of("key_two", kShards[i]), kTwo[i]);
    EXPECT_EQ(shard_of("room.1", kShards[i]), kRoom[i]);
  }
}

TEST(NonLocal, EndsAtTheMark) {
  EXPECT_EQ(non_local("specific.abc!def"), "specific.abc!");
  EXPECT_EQ(non_local("worker-1"), "worker-1");
}

TEST(RedisUrl, SaysWhereAndAsWhom) {
  const RedisUrl all = parse_redis_url("redis://user:p%40ss@example.org:7000/3");
  EXPECT_EQ(all.host, "example.org");
  EXPECT_EQ(all.port, 7000);
  EXPECT_EQ(all.user, "user");
  EXPECT_EQ(all.password, "p@ss");
  EXPECT_EQ(all.database, 3);
  EXPECT_EQ(all.name(), "redis://example.org:7000/3") << "no password where people read";
  const RedisUrl bare = parse_redis_url("redis://localhost");
  EXPECT_EQ(bare.port, 6379);
  EXPECT_EQ(bare.database, 0);
  EXPECT_EQ(parse_redis_url("redis://:secret@h").password, "secret");
  EXPECT_EQ(parse_redis_url("redis://[::1]:7000/1").host, "::1");
  EXPECT_EQ(parse_redis_url("redis://h?db=2").database, 2);
  const RedisUrl socket = parse_redis_url("unix://:pw@/run/redis.sock?db=4");
  EXPECT_EQ(socket.socket_path, "/run/redis.sock");
  EXPECT_EQ(socket.password, "pw");
  EXPECT_EQ(socket.database, 4);
}

TEST(RedisUrl, WhatItCannotUseIsOneSentenceWithoutThePassword) {
  const struct {
    const char* url;
    const char* says;
  } kCases[] = {
      {"rediss://u:secret@h", "TLS"},           {"localhost:6379", "neither redis:// nor unix://"},
      {"redis://u:secret@h:x", "the port"},     {"redis://u:secret@h:70000", "65535"},
      {"redis://u:secret@h/x", "the database"}, {"redis://u:secret@h?timeout=3", "timeout"},
      {"redis://u@h", "without a password"},    {"redis://u:%zzsecret@h", "hexadecimal"},
      {"unix://relative", "not absolute"},      {"redis://[::1", "never closed"},
  };
  for (const auto& [url, says] : kCases) try {
      parse_redis_url(url);
      ADD_FAILURE() << url;
    } catch (const BadInput& e) {
      EXPECT_THAT(e.what(), AllOf(HasSubstr(says), Not(HasSubstr("secret")), HasSubstr("expected redis://")));
    }
}

TEST(Backoff, GrowsToItsBoundAndNeverBeyond) {
  Backoff backoff(1);
  Nanoseconds last{};
  for (int i = 0; i < 100; ++i) {
    last = backoff.next();
    EXPECT_LE(last, 2s);
    EXPECT_GE(last, 25ms);
  }
  EXPECT_GE(last, 1s);
  backoff.reset();
  EXPECT_LE(backoff.next(), 50ms);
  EXPECT_NE(Backoff(1).next(), Backoff(2).next()) << "nodes do not come back in step";
}

const std::string kId = "0123456789abcdef0123456789abcdef";

TEST(KeysOfPrefix, AreNotThoseOfALongerPrefixNorOfOthers) {
  EXPECT_THAT(keys_of_prefix("asgi", {"asgi:group:room", "asgispecific." + kId + "!",
                                      "asgispecific." + kId + "!$inflight", "asgiworker-1",
                                      "asgi2:group:room", "asgi2specific." + kId + "!", "asgi2worker-1",
                                      "asgi:lock", "asgi settings", "other:group:x"}),
              ElementsAre("asgi:group:room", "asgispecific." + kId + "!",
                          "asgispecific." + kId + "!$inflight", "asgiworker-1"));
  EXPECT_THAT(keys_of_prefix("asgi2", {"asgi:group:room", "asgi2:group:room", "asgi2worker-1"}),
              ElementsAre("asgi2:group:room", "asgi2worker-1"));
  EXPECT_THAT(keys_of_prefix("asgi", {"asgi2jobs"}), ElementsAre("asgi2jobs")) << "no evidence of asgi2";
}

TEST(KeysOfPrefix, AreAskedForWithTheirSpecialCharactersEscaped) {
  EXPECT_EQ(begins_with("a*b?[c]\\"), "a\\*b\\?\\[c\\]\\\\*");
}

TEST(SendOrder, IsTheOrderOfAsking) {
  SendOrder order;
  std::vector<int> sent;
  const auto send = [&sent](int n) { return [&sent, n] { sent.push_back(n); }; };
  order.push(send(1));
  const auto second = order.reserve();
  order.push(send(3));
  const auto fourth = order.reserve();
  fourth(send(4));
  EXPECT_THAT(sent, ElementsAre(1));
  second(send(2));
  EXPECT_THAT(sent, ElementsAre(1, 2, 3, 4));
  const auto given_up = order.reserve();
  order.push(send(6));
  given_up({});
  EXPECT_THAT(sent, ElementsAre(1, 2, 3, 4, 6));
}

}  // namespace
}  // namespace roomcheck::channel_layer
