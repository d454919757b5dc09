#pragma once
// For the tests that start the program against the reference server.
#include <gtest/gtest.h>

#include <algorithm>

#include "libs/testkit/paths.h"
#include "libs/testkit/process.h"
#include "libs/websocket/raw_client.h"
#include "reports/model/load_result.h"

namespace roomcheck::loadgen {

using testkit::Outcome;
using testkit::Process;
using Json = nlohmann::json;

inline const std::string kBin = testkit::bin_dir();

// The reference server on free ports.
class Server {
 public:
  explicit Server(const std::vector<std::string>& more = {}) : process_(command(more)) {
    target = process_.wait_for("listening on (wss?://[^/]+)/");
    control = process_.wait_for("control on http:(//127.0.0.1:\\d+)");
  }
  // GET /stats of the control API.
  Json stats() const {
    using namespace std::chrono_literals;
    const Nanoseconds deadline = steady_clock().now() + 5s;
    auto client = websocket::RawClient::connect(websocket::parse_url("http:" + control + "/stats"), deadline);
    if (!client.ok()) throw std::runtime_error(client.error().message);
    websocket::RawHandshake plain;
    plain.upgrade = plain.connection = plain.version = plain.key = std::nullopt;
    return Json::parse((*client)->handshake(plain, deadline).body);
  }
  void kill() { process_.signal(9); }
  pid_t pid() const { return process_.pid(); }

  std::string target;
  std::string control;

 private:
  static std::vector<std::string> command(const std::vector<std::string>& more) {
    std::vector<std::string> out{kBin + "/reference_server", "--control", "127.0.0.1:0"};
    if (std::find(more.begin(), more.end(), "--listen") == more.end())
      out.insert(out.end(), {"--listen", "127.0.0.1:0"});
    out.insert(out.end(), more.begin(), more.end());
    return out;
  }
  Process process_;
};

inline Outcome loadgen(std::vector<std::string> words) {
  words.insert(words.begin(), {kBin + "/loadgen", "run"});
  return testkit::run(words);
}

// 200 clients in 10 rooms. A machine that is busy with other things makes a run invalid (exit 4), rightly;
// then again, twice at most, each time on a fresh server so that its counters are those of one run.
struct Measured {
  Outcome outcome;
  Json result;
  Json stats;
};
inline Measured load(const std::vector<std::string>& mutant, std::vector<std::string> more = {}) {
  Measured out;
  for (int attempt = 0; attempt < 3; ++attempt) {
    const Server server(mutant);
    const testkit::TemporaryDirectory directory;
    std::vector<std::string> words = more;
    const auto unless_given = [&](const char* option, const std::string& value) {
      if (std::find(more.begin(), more.end(), option) == more.end())
        words.insert(words.end(), {option, value});
    };
    unless_given("--target", server.target);
    unless_given("--clients", "200");
    unless_given("--rooms", "10");
    unless_given("--rate", "100");
    unless_given("--duration", "2s");
    unless_given("--warmup", "0");
    unless_given("--drain", "1s");
    unless_given("--control", "http:" + server.control);
    words.insert(words.end(), {"--json", directory.path("r.json")});
    out.outcome = loadgen(words);
    out.stats = server.stats();
    out.result = Json::parse(testkit::slurp(directory.path("r.json")), nullptr, false);
    if (out.outcome.exit_code != 4) break;
  }
  return out;
}

}  // namespace roomcheck::loadgen
