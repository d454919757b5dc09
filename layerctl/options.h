#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace CLI {  // not its header: see libs/program/program.h
class App;
}

namespace roomcheck::layerctl {

// What the command line asks for.
struct Options {
  std::string layer = "redis";
  std::vector<std::string> redis_url;  // shards
  std::string prefix = "asgi";
  std::uint64_t capacity = 100;
  std::chrono::nanoseconds expiry = std::chrono::seconds(60);
  std::chrono::nanoseconds group_expiry = std::chrono::hours(24);
  std::string encryption_key_file;
  std::string serializer = "msgpack";
  std::size_t random_prefix_length = 12;
  std::string control;  // instead of a layer
  std::string control_token;
  std::chrono::nanoseconds limit = std::chrono::seconds(10);  // for one operation, and for receive

  std::string profile = "seed";  // what push puts into the group
  std::vector<std::string> set;

  std::string verb;
  std::string name;         // a channel, a group or a room
  std::string argument;     // JSON, a channel name or a text; "-" for JSON: a line of stdin each
  std::uint64_t count = 1;  // receive: how many; 0 until the limit
};

void add_options(CLI::App& app, Options& options);

}  // namespace roomcheck::layerctl
