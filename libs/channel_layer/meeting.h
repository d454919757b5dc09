#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.h"
#include "libs/channel_layer/redis.h"

namespace roomcheck::channel_layer {

// A place on a Redis server where processes that belong together find each other: what they agree on, and who
// has come how far. No part of any channel layer; it lives here because hiredis has its one door here.
//
//   <key>          hash: field -> what the first to come has said
//   <key>:<step>   set:  who has come to this step
//
// All of it expires an hour after it was last touched. A key is for one meeting.
//
// Thread: one; every call blocks for at most `timeout`, and Redis' failure is its Error.
class Meeting {
 public:
  // Does not connect yet.
  Meeting(RedisUrl url, std::string key, std::chrono::milliseconds timeout);
  ~Meeting();
  Meeting(const Meeting&) = delete;
  Meeting& operator=(const Meeting&) = delete;

  // What holds for everybody: `proposal`, when nobody has said anything of `field` before.
  Result<std::string> agree(std::string_view field, std::string_view proposal);
  // False: somebody of this name has been at this step already.
  Result<bool> arrive(std::string_view step, std::string_view who);
  Result<std::vector<std::string>> present(std::string_view step);

 private:
  class Connection;
  Result<void> connect();  // unless it is
  const RedisUrl url_;
  const std::string key_;
  const std::chrono::milliseconds timeout_;
  std::unique_ptr<Connection> connection_;  // nullptr: not connected, or lost
};

}  // namespace roomcheck::channel_layer
