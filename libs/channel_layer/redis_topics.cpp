#include "libs/channel_layer/redis_topics.h"

#include <hiredis/hiredis.h>

#include <memory>

namespace roomcheck::channel_layer {
namespace {

struct Free {
  void operator()(redisContext* context) const { ::redisFree(context); }
  void operator()(redisReply* reply) const { ::freeReplyObject(reply); }
};
using Context = std::unique_ptr<redisContext, Free>;
using Reply = std::unique_ptr<redisReply, Free>;

timeval as_timeval(std::chrono::nanoseconds limit) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(limit).count();
  return {static_cast<time_t>(us / 1000000), static_cast<suseconds_t>(us % 1000000)};
}

Result<Reply> ask(const RedisUrl& host, redisContext& redis, const std::vector<std::string>& words) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string& word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  Reply reply(static_cast<redisReply*>(
      ::redisCommandArgv(&redis, static_cast<int>(texts.size()), texts.data(), sizes.data())));
  if (!reply)
    return Error{Error::Kind::closed, "Redis at " + host.name() + " did not answer: " + redis.errstr};
  if (reply->type == REDIS_REPLY_ERROR)
    return Error{Error::Kind::refused,
                 "Redis at " + host.name() + " refused " + words.front() + ": " + reply->str};
  return reply;
}

Result<Context> connect(const RedisUrl& host, std::chrono::nanoseconds limit) {
  const timeval time = as_timeval(limit);
  Context redis(host.socket_path.empty() ? ::redisConnectWithTimeout(host.host.c_str(), host.port, time)
                                         : ::redisConnectUnixWithTimeout(host.socket_path.c_str(), time));
  if (!redis || redis->err != 0)
    return Error{Error::Kind::refused, "Redis at " + host.name() + " cannot be reached: " +
                                           (redis ? redis->errstr : "out of memory")};
  ::redisSetTimeout(redis.get(), time);
  if (!host.password.empty()) {
    std::vector<std::string> words{"AUTH", host.password};
    if (!host.user.empty()) words.insert(words.begin() + 1, host.user);
    if (const Result<Reply> reply = ask(host, *redis, words); !reply.ok()) return reply.error();
  }
  if (host.database != 0) {
    const Result<Reply> reply = ask(host, *redis, {"SELECT", std::to_string(host.database)});
    if (!reply.ok()) return reply.error();
  }
  return redis;
}

}  // namespace

Result<std::set<std::string>> redis_topics(const std::vector<RedisUrl>& hosts, const std::string& pattern,
                                           std::chrono::nanoseconds limit) {
  std::set<std::string> out;
  for (const RedisUrl& host : hosts) {
    const Result<Context> redis = connect(host, limit);
    if (!redis.ok()) return redis.error();
    const Result<Reply> reply = ask(host, **redis, {"PUBSUB", "CHANNELS", pattern});
    if (!reply.ok()) return reply.error();
    for (std::size_t i = 0; i < (*reply)->elements; ++i)
      out.emplace((*reply)->element[i]->str, (*reply)->element[i]->len);
  }
  return out;
}

Result<std::set<std::string>> redis_keys(const std::vector<RedisUrl>& hosts, const std::string& pattern,
                                         std::chrono::nanoseconds limit) {
  std::set<std::string> out;
  for (const RedisUrl& host : hosts) {
    const Result<Context> redis = connect(host, limit);
    if (!redis.ok()) return redis.error();
    std::string cursor = "0";
    do {
      const Result<Reply> reply = ask(host, **redis, {"SCAN", cursor, "MATCH", pattern, "COUNT", "1000"});
      if (!reply.ok()) return reply.error();
      cursor.assign((*reply)->element[0]->str, (*reply)->element[0]->len);
      const redisReply& keys = *(*reply)->element[1];
      for (std::size_t i = 0; i < keys.elements; ++i) out.emplace(keys.element[i]->str, keys.element[i]->len);
    } while (cursor != "0");
  }
  return out;
}

std::string glob_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("*?[]^\\").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace roomcheck::channel_layer
