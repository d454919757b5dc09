// Memory that runs out under the server and its judges: a sentence, an end in order, and what was measured.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include "reference_server/hostile_test.h"

namespace roomcheck::reference_server {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testkit::Process;

// One arena, so that malloc has no address space in reserve and the limit is felt at once.
const std::map<std::string, std::string> kFrugal{{"MALLOC_ARENA_MAX", "1"}};

// The process keeps the address space that it has, and gets no more.
void limit_memory(const Process& process) {
  std::ifstream statm("/proc/" + std::to_string(process.pid()) + "/statm");
  std::uint64_t pages = 0;
  statm >> pages;
  const std::uint64_t bytes = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const rlimit limit{bytes, bytes};
  ASSERT_EQ(::prlimit(process.pid(), RLIMIT_AS, &limit, nullptr), 0);
}

// A sanitizer reserves more address space than there is, and allocates in its own way.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WITHOUT_SANITIZER() GTEST_SKIP() << "a sanitizer's allocator does not tell when memory runs out"
#else
#define WITHOUT_SANITIZER() (void)0
#endif

TEST(Memory, ThatRunsOutEndsTheServerInOrderWithASentence) {
  WITHOUT_SANITIZER();
  Program server({"--threads", "1"}, kFrugal);
  auto member = server.member("/ws/chat/r/");
  limit_memory(server.process());
  websocket::RawFrame unfinished;
  unfinished.payload = std::string(8u << 20, 'x');
  unfinished.declared_length = 16u << 20;
  const std::string most_of_a_message = RawClient::encode(unfinished);
  std::vector<std::unique_ptr<RawClient>> hoarders;
  while (server.process().err().find("out of memory") == std::string::npos) {
    ASSERT_LT(hoarders.size(), 100u) << "it never ran out";
    hoarders.push_back(server.connect());
    websocket::RawHandshake handshake;
    handshake.target = "/ws/chat/h/";
    if (hoarders.back()->handshake(handshake, soon()).status != 101) break;
    if (!hoarders.back()->send_bytes(most_of_a_message, soon()).ok()) break;
  }
  const websocket::Received end = member->read_message(soon());
  EXPECT_EQ(end.kind, websocket::Received::Kind::close);
  EXPECT_EQ(end.code, 1001);
  EXPECT_EQ(server.process().wait(), 3);
  EXPECT_THAT(server.process().err(), HasSubstr("reference_server: out of memory: ending with what there is; "
                                                "raise its limit (ulimit -v)"));
}

TEST(Memory, ThatRunsOutInLoadgenEndsTheRunWithWhatWasMeasured) {
  WITHOUT_SANITIZER();
  const Program server;
  Process load(
      {testkit::bin_dir() + "/loadgen", "run", "--target", "ws://127.0.0.1:" + std::to_string(server.port()),
       "--clients", "100", "--rooms", "1", "--rate", "10", "--warmup", "0", "--duration", "10m", "--payload",
       "64*30,1MiB*1", "--json", "-"},
      kFrugal);
  while (load.err().find("run ") == std::string::npos && !load.wait(1s)) {
  }
  limit_memory(load);  // before the first large message
  EXPECT_EQ(load.wait(), 3) << load.err();
  EXPECT_THAT(load.err(), HasSubstr("loadgen: out of memory: ending with what there is"));
  EXPECT_THAT(load.out(), HasSubstr("out of memory, loadgen stopped before the drain had ended"));
  EXPECT_THAT(load.out(), testing::ContainsRegex("\"delivered\": [1-9]"));
}

TEST(Memory, ThatRunsOutInConformanceEndsItWithWhatWasJudged) {
  WITHOUT_SANITIZER();
  const Program server;
  const testkit::TemporaryDirectory directory;
  const std::string file = directory.path("result.json");
  Process judge({testkit::bin_dir() + "/conformance", "--target",
                 "ws://127.0.0.1:" + std::to_string(server.port()), "--filter", "messages.*", "--filter",
                 "broadcast.*", "--filter", "transport.*", "--jobs", "1", "--repeat", "1000", "--json", file},
                kFrugal);
  (void)judge.wait_for("pass +broadcast");
  limit_memory(judge);
  EXPECT_EQ(judge.wait(), 3) << judge.err();
  EXPECT_THAT(judge.err(), HasSubstr("conformance: out of memory: ending with what there is"));
  EXPECT_THAT(judge.err(), HasSubstr("memory ran out; what was not run is marked so"));
  const std::string result = testkit::slurp(file);
  EXPECT_THAT(result, HasSubstr("\"verdict\": \"pass\""));
}

}  // namespace
}  // namespace roomcheck::reference_server
