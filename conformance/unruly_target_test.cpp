// Targets that the suite starts, that die under it, that are slow, that lose or swap: who is charged with
// what.
#include "conformance/judge_test.h"

namespace roomcheck::conformance {
namespace {

TEST(Start, JudgesWhatItStartedAndStopsIt) {
  const std::string port = std::to_string(testkit::free_port());
  const Words words{
      "--target", "ws://127.0.0.1:" + port,
      "--filter", "broadcast.includes-sender/*",
      "--start",  testkit::bin_dir() + "/reference_server --listen 127.0.0.1:{port} --control off"};
  for (int i = 0; i < 2; ++i) {  // the second time the port is free again
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
  }
}

TEST(Start, SaysWhatTheCommandSaidWhenItDoesNotListen) {
  const Words target{"--target", "ws://127.0.0.1:" + std::to_string(testkit::free_port()), "--start"};
  const Outcome ended = run(target + Words{"echo I have no leg to stand on >&2; exit 7"});
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_THAT(ended.err,
              AllOf(HasSubstr("ended (exit status 7) before it listened"), HasSubstr("no leg to stand on")));
  const Outcome silent = run(target + Words{"sleep 100", "--start-timeout", "200ms"});
  EXPECT_EQ(silent.exit_code, 3);
  EXPECT_THAT(silent.err, HasSubstr("does not listen after 200 ms"));
}

TEST(Start, RefusesAPortOnWhichSomebodyElseListens) {
  const Reference other;
  const Outcome outcome = run({"--target", other.ws, "--start", "sleep 100"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("already"));
}

TEST(Start, ASignalToUsEndsTheTargetToo) {
  const std::uint16_t port = testkit::free_port();
  const auto listens = [&] {
    return websocket::RawClient::connect(websocket::parse_url("ws://127.0.0.1:" + std::to_string(port)),
                                         steady_clock().now() + std::chrono::seconds(1))
        .ok();
  };
  Process judge({testkit::bin_dir() + "/conformance", "--target", "ws://127.0.0.1:" + std::to_string(port),
                 "--start", testkit::bin_dir() + "/reference_server --listen 127.0.0.1:{port} --control off",
                 "--filter", "broadcast.includes-sender/*", "--repeat", "10000"});
  (void)judge.wait_for("pass +broadcast");
  EXPECT_TRUE(listens());
  judge.signal(SIGTERM);
  EXPECT_EQ(judge.wait(), 128 + SIGTERM);
  const Nanoseconds end = steady_clock().now() + std::chrono::seconds(20);
  while (listens() && steady_clock().now() < end) {
  }
  EXPECT_FALSE(listens());
}

class Crash : public testing::TestWithParam<const char*> {};

TEST_P(Crash, IsChargedToTheCaseThatBroughtItAboutAndTheRunGoesOn) {
  const std::string port = std::to_string(testkit::free_port());
  const Outcome outcome =
      run(kSeedRoomsOnly + Words{"--target", "ws://127.0.0.1:" + port, "--start", fragile(), "--filter",
                                 "messages.[bo]*", "--filter", "broadcast.[eiru]*", "--filter",
                                 "connect.slow-handshake*", "--filter", "transport.keepalive/*", "--jobs",
                                 GetParam(), "--json", "-"});
  EXPECT_EQ(outcome.exit_code, 1) << outcome.out << outcome.err;
  const json result = result_of(outcome);
  std::set<std::string> crashed;
  for (const json& c : result["cases"]) {
    if (c["section"] == "connect" || c["section"] == "transport") {  // watched on connections that died too
      EXPECT_EQ(c["verdict"], "could_not_test") << c.dump(1);
      continue;
    }
    if (c["verdict"] != "crash") {
      EXPECT_EQ(c["verdict"], "pass") << c.dump(1);
      continue;
    }
    crashed.insert(c["id"]);
    EXPECT_THAT(c["actual"], AllOf(HasSubstr("exit status 3"), HasSubstr("a binary message, I break")))
        << c.dump(1);
    EXPECT_FALSE(c["transcript"].empty());
    EXPECT_NE(c["look_at"], "");
  }
  // The one is about binary messages, the other sends one among others.
  EXPECT_THAT(crashed, ElementsAre("messages.binary/json-garbage-and-nothing",
                                   "messages.others-unharmed/talk-goes-on"));
}
INSTANTIATE_TEST_SUITE_P(Jobs, Crash, testing::Values("1", "4"));

TEST(CrashOfATargetThatIsNotOurs, EndsTheRunWithWhatWasMeasured) {
  const std::uint16_t port = testkit::free_port();
  Process process({testkit::python(), testkit::source_dir() + "/conformance/testdata/fragile_room.py",
                   std::to_string(port)});
  testkit::wait_for_port(process, port);
  const Outcome outcome =
      run(kSeedRoomsOnly + Words{"--target", "ws://127.0.0.1:" + std::to_string(port), "--filter",
                                 "messages.b*", "--filter", "messages.o*", "--json", "-"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("the target died during messages.binary"));
  const auto all = verdicts(result_of(outcome));
  EXPECT_EQ(all.at("messages.bad-json/not-json"), "pass");
  EXPECT_EQ(all.at("messages.binary/json-garbage-and-nothing"), "crash");
  EXPECT_EQ(all.at("messages.others-unharmed/talk-goes-on"), "could_not_test");
}

TEST(Noise, WhatDoesNotComeFromATargetThatIsTooSlowCouldNotBeTested) {
  // The target never delivers an empty text. With a limit of 3 s, which is 5 round trips instead of 50, the
  // suite cannot tell lost from slow; with its own it can.
  const auto judged = [](const std::string& delay, const std::string& scale) {
    const std::string port = std::to_string(testkit::free_port());
    return run(kSeedRoomsOnly + Words{"--target", "ws://127.0.0.1:" + port, "--start",
                                      fragile(delay + " no-empty-texts"), "--timeout-scale", scale,
                                      "--filter", "broadcast.empty-text/*", "--json", "-"});
  };
  const Outcome slow = judged("0.6", "0.1"), lossy = judged("0", "1");
  EXPECT_EQ(slow.exit_code, 4) << slow.out << slow.err;
  EXPECT_THAT(slow.out, HasSubstr("but a round trip takes "));
  EXPECT_EQ(lossy.exit_code, 1) << lossy.out << lossy.err;
}

TEST(Asymmetry, ALossThatComesOnceIsForgivenAWrongOrderIsNot) {
  const auto judged = [](const std::string& word) {
    return run(kSeedRoomsOnly + Words{"--target", "ws://127.0.0.1:" + std::to_string(testkit::free_port()),
                                      "--start", fragile("0 " + word), "--filter",
                                      "broadcast.sender-order/*"});
  };
  const Outcome lost = judged("drops-one"), swapped = judged("swaps-one");
  EXPECT_EQ(lost.exit_code, 0) << lost.out << lost.err;
  EXPECT_THAT(lost.out, HasSubstr("when tried again in fresh rooms; at first member "));
  EXPECT_EQ(swapped.exit_code, 1) << swapped.out << swapped.err;
  EXPECT_THAT(swapped.out, HasSubstr("messages came out of order"));
}

TEST(Asymmetry, ASignOfLifeThatIsLostIsAskedForOnceMore) {
  // Before the case come two connections: whether the profile is right, and the round trip.
  const Outcome outcome = run(
      kSeedRoomsOnly + Words{"--target", "ws://127.0.0.1:" + std::to_string(testkit::free_port()), "--start",
                             fragile("0 drops-third"), "--filter", "connect.unknown-path-refused/*"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("at first the target shows no sign of life afterwards"));
}

TEST(Asymmetry, WhatIsLostAmongOthersIsCalledLost) {
  const Outcome outcome = Reference({"--mutant", "lose=33"}).judged({"--filter", "broadcast.sender-order/*"});
  EXPECT_EQ(outcome.exit_code, 1) << outcome.out;
  EXPECT_THAT(outcome.out, HasSubstr("did not get a message, but one that came after it"));
}

}  // namespace
}  // namespace roomcheck::conformance
