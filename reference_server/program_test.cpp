// The program as people start it: options, bad input, exit codes, signals.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "libs/testkit/paths.h"
#include "libs/testkit/process.h"

namespace roomcheck::reference_server {
namespace {

using testing::HasSubstr;
using testkit::Outcome;
using testkit::Process;

const std::string kProgram = testkit::bin_dir() + "/reference_server";

Outcome run(std::vector<std::string> words) {
  words.insert(words.begin(), kProgram);
  return testkit::run(words);
}

TEST(Program, SaysWhereItListensAndEndsCleanlyOnSigterm) {
  Process server({kProgram, "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"});
  server.wait_for("listening on ws://127.0.0.1:(\\d+)/ws/chat/<room>/, control on http://127.0.0.1:\\d+");
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(), 0);
}

TEST(Program, AnIpv6AddressIsPrintedAsItIsTyped) {
  Process server({kProgram, "--listen", "[::1]:0", "--control", "[::1]:0"});
  server.wait_for("listening on ws://\\[::1\\]:(\\d+)/ws/chat/<room>/, control on http://\\[::1\\]:\\d+");
}

TEST(Program, HelpIsPinned) {
  EXPECT_EQ(testkit::differs_from_golden("reference_server/help.gold", run({"--help"}).out), "");
}

TEST(Program, BadInputIsOneSentenceAndExit2) {
  const struct {
    std::vector<std::string> words;
    const char* says;
  } kCases[] = {
      {{"--nonsense"}, "--nonsense"},
      {{"--listen", "8801"}, "expected HOST:PORT"},
      {{"--listen", "127.0.0.1:99999"}, "expected HOST:PORT"},
      {{"--control", "0.0.0.0:0"}, "--control-token"},
      {{"--consumer", "threads"}, "async-json"},
      {{"--tls-cert", "x.pem"}, "go together"},
      {{"--mutant", "nothing"}, "--list-mutants"},
      {{"--mutant", "lose"}, "lose=N"},
      {{"--expiry", "soon"}, "250ms"},
      {{"--channel-capacity", "x"}, "PATTERN=N"},
      {{"--max-connections", "1000000000"}, "ulimit -Hn"},
      {{"--layer", "carrier-pigeon"}, "--layer"},
      {{"--layer", "redis", "--redis-url", "rediss://h"}, "TLS"},
      {{"--layer", "redis", "--redis-url", "localhost"}, "expected redis://"},
      {{"--layer", "redis", "--prefix", std::string(51, 'x')}, "50 characters"},
      {{"--layer", "redis", "--encryption-key-file", "/dev/null"}, "one key a line"},
      {{"--allowed-origin", "*.example.com"}, ".example.com"},
      {{"--session-secret", "/nowhere/key"}, "cannot be read"},
      {{"--login-required"}, "--session-secret"},
  };
  for (const auto& [words, says] : kCases) {
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.exit_code, 2) << words[0];
    EXPECT_THAT(outcome.err, HasSubstr(says));
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
}

TEST(Program, ATakenPortIsExit3WithTheRemedy) {
  Process first({kProgram, "--listen", "127.0.0.1:0", "--control", "off"});
  const std::string port = first.wait_for("127.0.0.1:(\\d+)");
  const Outcome second = run({"--listen", "127.0.0.1:" + port, "--control", "off"});
  EXPECT_EQ(second.exit_code, 3);
  EXPECT_THAT(second.err, HasSubstr("the port is taken"));
}

TEST(Program, MutantsAreListedForPeopleAndMachines) {
  EXPECT_THAT(run({"--list-mutants"}).out, HasSubstr("groups.leave-on-fin"));
  EXPECT_THAT(run({"--list-mutants", "--json", "-"}).out, HasSubstr("\"kind\": \"load\""));
}

}  // namespace
}  // namespace roomcheck::reference_server
