#pragma once
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libs/testkit/files.h"

namespace roomcheck::testkit {

// A program started by a test; its output goes to files in a temporary directory. Ended with the object, by
// pid (SIGTERM, after 5 s SIGKILL), and by SIGTERM when the test dies, if its main thread started it.
class Process {
 public:
  explicit Process(const std::vector<std::string>& command,
                   const std::map<std::string, std::string>& environment = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  std::string out() const;  // so far
  std::string err() const;
  pid_t pid() const { return pid_; }

  // Waits until stdout matches the regex and returns its first group (or the whole match). Throws
  // std::runtime_error with the output when the program ends first, or after 20 s.
  std::string wait_for(const std::string& regex);

  void signal(int number) const;
  // The exit code once it has ended; 128 + n when signal n ended it; nullopt when it has not within the
  // limit.
  std::optional<int> wait(std::chrono::seconds limit = std::chrono::seconds(60));

 private:
  TemporaryDirectory directory_;
  pid_t pid_ = -1;
  std::optional<int> exit_code_;
};

struct Outcome {
  int exit_code = -1;
  std::string out;
  std::string err;
};

// Runs a program to its end. Throws std::runtime_error when it has not ended within the limit.
Outcome run(const std::vector<std::string>& command,
            const std::map<std::string, std::string>& environment = {},
            std::chrono::seconds limit = std::chrono::seconds(100));

// A TCP port of 127.0.0.1 on which nobody listens at this moment.
std::uint16_t free_port();

}  // namespace roomcheck::testkit
