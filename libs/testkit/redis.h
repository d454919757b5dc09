#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "libs/testkit/files.h"
#include "libs/testkit/process.h"

namespace roomcheck::testkit {

// A redis-server of a test's own: on a free port of 127.0.0.1 and on a unix socket, with a private directory,
// nothing saved. Ended with the object. Throws std::runtime_error with Redis' own words when it does not
// start.
class TemporaryRedis {
 public:
  TemporaryRedis();

  std::uint16_t port() const { return port_; }
  std::string url(int database = 0) const;  // redis://127.0.0.1:PORT/DATABASE
  std::string socket_path() const { return directory_.path("redis.sock"); }
  const Process& process() const { return *process_; }

  // Ends it as a power cut does (SIGKILL): what it held is gone. start() brings an empty one back on the same
  // port.
  void kill();
  void start();

 private:
  TemporaryDirectory directory_;
  std::uint16_t port_;
  std::unique_ptr<Process> process_;
};

}  // namespace roomcheck::testkit
