// How cases run beside each other, with cases of the test's own against a reference server.
#include "conformance/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "libs/testkit/paths.h"
#include "libs/testkit/process.h"

namespace roomcheck::conformance {
namespace {

using reports::CaseResult;
using reports::Verdict;
using testing::HasSubstr;

class Scheduling : public testing::Test {
 protected:
  Scheduling() : runner_(the_run(), &launcher_, 5) {
    launcher_.start();
    runner_.calibrate();
  }

  static Case a_case(const std::string& id, std::function<void(Context&)> steps,
                     How how = How::beside_others) {
    return {id, id, Level::must, {}, "A sentence.", std::move(steps), how};
  }
  std::vector<std::optional<CaseResult>> results(const std::vector<Case>& cases, Schedule::Plan plan) {
    for (std::size_t i = 0; i < cases.size(); ++i) plan.cases.emplace_back(i, &cases[i]);
    Schedule schedule(runner_, std::move(plan));
    std::vector<std::optional<CaseResult>> out;
    for (const Case& c : cases) out.push_back(schedule.wait(c));
    lost_ = schedule.lost();
    return out;
  }
  static Schedule::Plan with_jobs(int jobs) {
    Schedule::Plan plan;
    plan.jobs = jobs;
    return plan;
  }

  conformance::Run the_run() {
    conformance::Run out;
    out.id = "test";
    out.targets = nodes_;
    out.profile = target::load_profile("seed");
    out.started = &launcher_;
    return out;
  }

  static websocket::Url node() {
    return websocket::parse_url("ws://127.0.0.1:" + std::to_string(testkit::free_port()));
  }
  static std::string command() {
    return "exec " + testkit::bin_dir() +
           "/reference_server --listen 127.0.0.1:{port} --control off --log-level error";
  }

  const std::vector<websocket::Url> nodes_{node(), node()};
  Launcher launcher_{{command(), command()}, nodes_, std::chrono::seconds(30)};
  Runner runner_;
  std::optional<std::string> lost_;
};

TEST_F(Scheduling, ACaseThatIsAloneHasNobodyBesideIt) {
  std::atomic<int> running{0}, most{0}, beside_alone{0};
  const auto count = [&](bool alone) {
    return [&, alone](Context& c) {
      const int now = ++running;
      for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
      }
      const MemberPtr member = c.join(c.fresh_room());
      for (int i = 0; i < 20; ++i) c.fence(member);
      if (alone && running != 1) ++beside_alone;
      --running;
    };
  };
  std::vector<Case> cases;
  for (int i = 0; i < 24; ++i)
    cases.push_back(
        a_case("t.c" + std::to_string(i), count(i % 4 == 0), i % 4 == 0 ? How::alone : How::beside_others));
  for (const auto& result : results(cases, with_jobs(6)))
    EXPECT_EQ(result->verdict, Verdict::pass) << result->message;
  EXPECT_EQ(beside_alone, 0);
  EXPECT_GT(most, 1) << "the others did run side by side";
}

// Tells what became of a case in which something comes after `takes` (it does not wait for it), and with
// which limits it was tried.
class OnABusyMachine : public Scheduling {
 protected:
  CaseResult judge(Nanoseconds takes, std::function<double()> slowdown) {
    Runner runner(the_run(), &launcher_, 1, std::move(slowdown));
    runner.calibrate();
    limits_.clear();
    const Case slow = a_case("t.slow", [&](Context& c) {
      limits_.push_back(c.run().limit);
      if (limits_.back() < takes) throw Lost("it did not come", "that it comes", "nothing");
    });
    return runner.run(slow, 0).result;
  }
  std::vector<Nanoseconds> limits_;
};

TEST_F(OnABusyMachine, WhatTakesLongerIsWaitedForLonger) {
  const CaseResult result = judge(std::chrono::seconds(9), [] { return 5.0; });
  EXPECT_EQ(result.verdict, Verdict::pass) << result.message;
}

TEST_F(OnABusyMachine, WhatDoesNotComeInTheLongestLimitIsLost) {
  const CaseResult result = judge(std::chrono::hours(1), [] { return 1000.0; });
  EXPECT_EQ(result.verdict, Verdict::fail);
  EXPECT_EQ(limits_.back(), std::chrono::seconds(30));
}

TEST_F(OnABusyMachine, ThatItGetsALittleBusierLeavesNoDoubt) {
  double times = 3.5;
  const CaseResult result = judge(std::chrono::hours(1), [&] { return times += 0.5; });
  EXPECT_EQ(result.verdict, Verdict::fail) << result.message;
}

TEST_F(Scheduling, ObserversWatchBesideAllOthersAndAtLeastAsLongAsAsked) {
  std::atomic<bool> observer_began{false}, others_done{false};
  bool saw_the_others_end = false;
  Nanoseconds ended{0};
  const std::vector<Case> cases{a_case(
                                    "t.observer",
                                    [&](Context& c) {
                                      const MemberPtr member = c.join(c.fresh_room());
                                      observer_began = true;
                                      while (c.observing()) (void)member->client->read_frame(c.soon());
                                      saw_the_others_end = others_done;
                                      ended = steady_clock().now();
                                    },
                                    How::observes),
                                a_case("t.other", [&](Context& c) {
                                  while (!observer_began) c.fence(c.join(c.fresh_room()));
                                  others_done = true;
                                })};
  Schedule::Plan plan;
  plan.observe = std::chrono::milliseconds(300);
  const Nanoseconds began = steady_clock().now();
  for (const auto& result : results(cases, std::move(plan)))
    EXPECT_EQ(result->verdict, Verdict::pass) << result->message;
  EXPECT_TRUE(saw_the_others_end);
  EXPECT_GE(ended - began, std::chrono::milliseconds(300));
}

TEST_F(Scheduling, ANodeThatACaseKilledIsThereAgainForTheNext) {
  const std::vector<Case> cases{a_case(
                                    "t.kills",
                                    [](Context& c) {
                                      const MemberPtr member = c.join(c.fresh_room(), on_node(1));
                                      c.run().started->kill(1);
                                      if (c.next(member, c.deadline()).kind == Received::Kind::timeout)
                                        throw Failed("the node lives", "the end", "nothing");
                                      c.fence(c.join(c.fresh_room(), on_node(0)));
                                    },
                                    How::alone),
                                a_case("t.next", [](Context& c) {
                                  c.fence(c.join(c.fresh_room(), on_node(1)));
                                  if (c.run().started->resident_bytes(1) < 1u << 20)
                                    throw Failed("its memory", "more than a MiB",
                                                 std::to_string(c.run().started->resident_bytes(1)));
                                })};
  for (const auto& result : results(cases, with_jobs(1)))
    EXPECT_EQ(result->verdict, Verdict::pass) << result->message;
  EXPECT_EQ(lost_, std::nullopt);
}

TEST_F(Scheduling, VerdictsAreAsymmetric) {
  std::atomic<int> lost_once{0}, lost_always{0}, failed{0}, unready{0};
  const std::vector<Case> cases{
      a_case("t.lost-once",
             [&](Context&) {
               if (++lost_once == 1) throw Lost("lost", "it", "nothing");
             }),
      a_case("t.lost-always",
             [&](Context&) {
               ++lost_always;
               throw Lost("lost", "it", "nothing");
             }),
      a_case("t.failed",
             [&](Context&) {
               ++failed;
               throw Failed("twice", "once", "twice");
             }),
      a_case("t.set-up",
             [&](Context& c) {
               ++unready;
               c.given([]() -> int { throw Lost("no room", "101", "403"); });
             }),
      a_case("t.bug", [](Context&) { throw std::out_of_range("ours"); }),
      a_case("t.control", [](Context&) { throw HarnessError("the control is gone"); })};
  const auto all = results(cases, with_jobs(1));
  EXPECT_EQ(all[0]->verdict, Verdict::pass);
  EXPECT_EQ(all[1]->verdict, Verdict::fail);
  EXPECT_THAT(all[1]->message, HasSubstr("twice in fresh rooms"));
  EXPECT_EQ(lost_always, 2);
  EXPECT_EQ(all[2]->verdict, Verdict::fail);
  EXPECT_EQ(failed, 1) << "what should not have come is never retried";
  EXPECT_EQ(all[3]->verdict, Verdict::could_not_test);
  EXPECT_EQ(unready, 2);
  EXPECT_THAT(all[3]->message, HasSubstr("no room (expected 101, got 403)"));
  EXPECT_EQ(all[4]->verdict, Verdict::harness_error) << "never the target's";
  EXPECT_THAT(all[4]->message, HasSubstr("a bug in roomcheck"));
  EXPECT_EQ(all[5]->verdict, Verdict::harness_error);
}

TEST_F(Scheduling, TheLedgerFindsWhatComesAfterItsCase) {
  MemberPtr speaker;
  std::string room;
  const std::vector<Case> cases{a_case("t.leaks", [&](Context& c) {
    room = c.fresh_room();
    (void)c.join(room);
  })};
  EXPECT_EQ(results(cases, with_jobs(1))[0]->verdict, Verdict::pass);
  Context later(the_run(), "later", 99);
  later.fence(later.join(room));  // nothing that the case's member expects
  const auto late = runner_.settle();
  ASSERT_EQ(late.size(), 1u);
  EXPECT_EQ(late[0].slot, 0u);
  EXPECT_THAT(late[0].result.message, HasSubstr("came late"));
}

}  // namespace
}  // namespace roomcheck::conformance
