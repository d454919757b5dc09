#pragma once
#include <sys/types.h>

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "conformance/context.h"

namespace roomcheck::conformance {

// The target's processes, where --start began them: one a node, each in a process group of its own, run by
// /bin/sh. {port} in a command stands for the port of its node. What they print is kept for the day they end
// (at most some 1 MiB each) and shown nowhere else. SIGINT, SIGTERM and SIGHUP to us end them too.
//
// Thread: any; guarded inside.
class Launcher final : public StartedNodes {
 public:
  // REQUIRES: as many commands as nodes.
  Launcher(std::vector<std::string> commands, std::vector<websocket::Url> nodes, Nanoseconds limit);
  ~Launcher() override;  // SIGTERM to each group, SIGKILL after 5 s

  // Starts what does not run and waits until each node's port accepts. Throws StartFailure, with the last
  // lines that the process printed: it ended first, it did not listen within the limit; or somebody else
  // listens there.
  void start();
  // The same, only for nodes that kill() ended.
  void start_killed();

  // "exit status 3", "signal 11 (Segmentation fault)"; nothing while it runs.
  std::optional<std::string> how_it_ended(std::size_t node);
  // The last lines that it printed, at most ten.
  std::string last_words(std::size_t node) const;

  void kill(std::size_t node) override;
  std::uint64_t resident_bytes(std::size_t node) const override;

 private:
  struct Node {
    std::string command;
    websocket::Url url;
    pid_t pid = 0;      // also its process group; 0: does not run
    int output = -1;    // an unnamed file
    std::string ended;  // how
    bool killed = false;
  };
  void start(bool (*wanted)(const Node& node));
  void launch(Node& node);
  bool reap(Node& node);  // true when it has ended

  const Nanoseconds limit_;
  mutable std::mutex mu_;
  std::vector<Node> nodes_;  // guarded by mu_
};

}  // namespace roomcheck::conformance
