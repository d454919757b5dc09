#pragma once
#include <chrono>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.h"
#include "libs/channel_layer/redis.h"

namespace roomcheck::channel_layer {

// The pub/sub topics that match a pattern and have a subscriber at this moment, over all hosts (PUBSUB
// CHANNELS). Blocking: connects, asks and disconnects, within `limit` for each host.
Result<std::set<std::string>> redis_topics(const std::vector<RedisUrl>& hosts, const std::string& pattern,
                                           std::chrono::nanoseconds limit);

// The keys that match a pattern, over all hosts (SCAN, never KEYS: a large Redis goes on serving meanwhile).
// Blocking, as above; `limit` is for each answer.
Result<std::set<std::string>> redis_keys(const std::vector<RedisUrl>& hosts, const std::string& pattern,
                                         std::chrono::nanoseconds limit);

// As a Redis pattern that matches only this text.
std::string glob_escaped(std::string_view text);

}  // namespace roomcheck::channel_layer
