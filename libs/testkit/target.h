#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "libs/testkit/process.h"

namespace roomcheck::testkit {

// A real server to judge (conformance/targets/), on a free port of 127.0.0.1; it answers when the constructor
// returns. Throws std::runtime_error with its output when it ends first, or does not answer within 60 s.
// Ended with the object, by pid.
class Target {
 public:
  // `server`: daphne, uvicorn-websockets or uvicorn-wsproto. `environment`: what the app's settings.py reads,
  // for example {{"CHANNEL_LAYER", "core"}, {"REDIS_URL", redis.url()}}.
  static Target django(const std::string& server, const std::map<std::string, std::string>& environment = {});
  // The app of the Channels tutorial, on daphne. It needs a Redis.
  static Target tutorial(const std::string& redis_url);
  // The room server on Node and `ws`; it has a control API.
  static Target node();

  std::string ws() const { return "ws://127.0.0.1:" + std::to_string(port_); }
  std::string control() const;  // of node() only
  Process& process() { return process_; }

 private:
  Target(const std::vector<std::string>& command, const std::map<std::string, std::string>& environment,
         std::uint16_t port, std::uint16_t control_port = 0);

  std::uint16_t port_;
  std::uint16_t control_port_;
  Process process_;
};

// The python that has Django and Channels (Debian's, not the first on PATH), and the environment in which it
// finds the app of conformance/targets/django and leaves no files behind.
std::string python();
std::map<std::string, std::string> django_environment(std::map<std::string, std::string> more = {});

// Blocks until something accepts connections on the port of 127.0.0.1. Throws std::runtime_error with the
// process's output when it ends first, or after 60 s.
void wait_for_port(Process& process, std::uint16_t port);

}  // namespace roomcheck::testkit
