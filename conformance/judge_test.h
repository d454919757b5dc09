#pragma once
// What the tests of the suite as people run it share: the program, and targets for it to judge.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "libs/base/regex.h"
#include "libs/testkit/certificate.h"
#include "libs/testkit/files.h"
#include "libs/testkit/paths.h"
#include "libs/testkit/process.h"
#include "libs/testkit/target.h"
#include "libs/websocket/raw_client.h"
#include "reports/model/conformance_result.h"

namespace roomcheck::conformance {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testkit::Outcome;
using testkit::Process;
using testkit::TemporaryDirectory;
using Words = std::vector<std::string>;

inline Words operator+(Words a, const Words& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline Outcome run(const Words& words) {
  return testkit::run(Words{testkit::bin_dir() + "/conformance"} + words, {}, std::chrono::seconds(300));
}
inline json result_of(const Outcome& outcome) {
  const json out = json::parse(outcome.out, nullptr, false);
  if (out.is_discarded()) throw std::runtime_error("no JSON: " + outcome.out + outcome.err);
  return out;
}

// A reference server, right or broken.
class Reference {
 public:
  explicit Reference(const Words& options = {}, const std::string& scheme = "ws")
      : process_(Words{testkit::bin_dir() + "/reference_server", "--listen", "127.0.0.1:0", "--control",
                       "127.0.0.1:0", "--threads", "2", "--log-level", "error"} +
                 options) {
    ws = process_.wait_for("(" + scheme + "://127.0.0.1:\\d+)/");
    control = process_.wait_for("control on (http://\\S+)");
  }
  Outcome judged(const Words& words) const {
    return run(Words{"--target", ws, "--control", control} + words);
  }
  std::string ws, control;

 private:
  Process process_;
};

inline std::string fragile(const std::string& rest = "") {
  return "exec " + testkit::python() + " " + testkit::source_dir() +
         "/conformance/testdata/fragile_room.py {port} " + rest;
}

// id -> verdict
inline std::map<std::string, std::string> verdicts(const json& result) {
  std::map<std::string, std::string> out;
  for (const json& c : result["cases"]) out[c["id"]] = c["verdict"];
  return out;
}

inline const Words kSeedRoomsOnly{"--set", R"(capabilities=[])"};

}  // namespace roomcheck::conformance
