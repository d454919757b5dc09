#pragma once
#include <hiredis/hiredis.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "libs/channel_layer/channel_layer.h"

// How numbers and replies are written and read in commands of ours.
namespace roomcheck::channel_layer {

using Reply = Result<const redisReply*>;

// How many names one ZADD, ZREM or DEL carries.
constexpr std::size_t kNamesACommand = 500;

inline std::string decimal(double number) {
  char out[64];
  return {out, std::to_chars(out, out + sizeof out, number, std::chars_format::fixed).ptr};
}

inline std::uint64_t whole_seconds(Nanoseconds duration) {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(duration).count()));
}

inline double seconds_of(Nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

inline std::string_view text(const redisReply& reply) {
  return reply.str != nullptr ? std::string_view(reply.str, reply.len) : std::string_view();
}

// Several commands, one answer: the first error, or success.
struct Several {
  std::size_t missing;
  Result<void> result;
  ChannelLayer::Completion done;
};

inline std::function<void(const Reply&)> each_of(const std::shared_ptr<Several>& several) {
  return [several](const Reply& reply) {
    if (!reply.ok() && several->result.ok()) several->result = reply.error();
    if (--several->missing == 0 && several->done) several->done(several->result);
  };
}

}  // namespace roomcheck::channel_layer
