// Are the reported numbers the true ones? On a manual clock, against targets whose delays are known in closed
// form: no socket, no thread, no chance. The same against a real server: accuracy_program_test.cpp.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <queue>

#include "libs/testkit/manual_clock.h"
#include "loadgen/traffic.h"

namespace roomcheck::loadgen {
namespace {

using namespace std::chrono_literals;

// What a target does with one delivery: when it comes, or does not, or twice.
struct Fate {
  std::vector<Nanoseconds> arrivals;  // absolute
};

// A target without sockets: every member of the room gets the message as `fate` says.
class Simulation final : public Port {
 public:
  struct Delivery {
    std::uint32_t member;   // local number
    std::uint32_t in_room;  // its place in the room
    std::uint64_t number;   // of all deliveries, from 1 on
    Nanoseconds sent;
  };
  using FateOf = std::function<Fate(const Delivery&)>;

  Simulation(WorkloadPlan plan, Nanoseconds duration, FateOf fate) : fate_(std::move(fate)) {
    scenario.workloads = {std::move(plan)};
    scenario.stages = {{"run", duration, 1, 1}};
    scenario.warmup = 0s;
    profile_ = target::load_profile("seed");
    traffic.emplace(scenario, 0, profile_, 1, 0, *this, clock_);
    for (std::uint32_t m = 0; m < traffic->ledger().member_count(); ++m) traffic->opened(m, clock_.now());
    start_ = clock_.now();
    traffic->start(start_);
    run();
    traffic->take_second();
    traffic->finish();
  }

  Sent send(std::uint32_t member, std::string_view message) override {
    const Ledger& ledger = traffic->ledger();
    const std::uint32_t room = ledger.room_of(member);
    for (std::uint32_t i = 0; i < ledger.plan(room).members; ++i) {
      const Delivery delivery{ledger.first_member(room) + i, i, ++deliveries_, clock_.now() - start_};
      for (const Nanoseconds at : fate_(delivery).arrivals)
        events_.push({start_ + at, ++order_, delivery.member, std::string(message)});
    }
    return Sent::accepted;
  }
  Sent send_outside(std::uint32_t, std::uint32_t, std::string_view) override { return Sent::dropped; }

  const stats::Histogram& corrected(const std::string& name = "fan_out") const {
    return traffic->latency().at(name).corrected;
  }
  const stats::Histogram& uncorrected() const { return traffic->latency().at("fan_out").uncorrected; }
  const reports::Delivery& ledger() const { return traffic->ledger().delivery(); }

  Scenario scenario;
  std::optional<Traffic> traffic;

 private:
  struct Event {
    Nanoseconds at;
    std::uint64_t order;  // of two at the same time the earlier sent comes first
    std::uint32_t member;
    std::string message;
    bool operator<(const Event& other) const { return std::tie(at, order) > std::tie(other.at, other.order); }
  };

  void run() {
    while (!events_.empty() || traffic->next_due() != Nanoseconds::max()) {
      const Nanoseconds arrival = events_.empty() ? Nanoseconds::max() : events_.top().at;
      const Nanoseconds next = std::min(arrival, traffic->next_due());
      clock_.advance(std::max(0ns, next - clock_.now()));
      if (arrival <= next) {
        const Event event = events_.top();
        events_.pop();
        traffic->receive(event.member, event.message, clock_.now());
      } else {
        traffic->send_due(clock_.now());
      }
    }
  }

  FateOf fate_;
  target::Profile profile_;
  testkit::ManualClock clock_;
  Nanoseconds start_{0};
  std::priority_queue<Event> events_;
  std::uint64_t order_ = 0;
  std::uint64_t deliveries_ = 0;
};

WorkloadPlan plan(std::uint32_t clients, std::uint32_t rooms, double rate) {
  WorkloadPlan out;
  out.clients = clients;
  out.rooms = rooms;
  out.rate = rate;
  return out;
}

void expect_within(Nanoseconds got, Nanoseconds want, const std::string& what) {
  EXPECT_NEAR(static_cast<double>(got.count()), static_cast<double>(want.count()),
              0.02 * static_cast<double>(want.count()))
      << what;
}

constexpr double kQuantiles[] = {0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999};

TEST(Accuracy, AFixedDelayIsReportedAsIt) {
  for (const Nanoseconds delay : {Nanoseconds(50us), Nanoseconds(3ms), Nanoseconds(700ms)}) {
    const Simulation run(plan(100, 10, 500), 10s, [&](const auto& d) { return Fate{{d.sent + delay}}; });
    EXPECT_EQ(run.ledger().delivered, 50'000u);
    EXPECT_EQ(run.ledger().lost, 0u);
    for (const double q : kQuantiles)
      expect_within(run.corrected().quantile(q), delay,
                    std::to_string(q) + " of " + std::to_string(delay.count()));
    for (const char* name : {"first", "median", "last"})
      expect_within(run.corrected(name).quantile(0.5), delay, name);
    EXPECT_EQ(run.corrected("spread").max(), 0ns);
  }
}

TEST(Accuracy, ADelayPerMemberIsAStaircase) {
  // Member i of each room of ten gets it after (i + 1) * 10 ms.
  const Simulation run(plan(100, 10, 500), 10s,
                       [](const auto& d) { return Fate{{d.sent + (d.in_room + 1) * Nanoseconds(10ms)}}; });
  for (const double q : {0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95})
    expect_within(run.corrected().quantile(q), Nanoseconds(10ms) * static_cast<int>(std::ceil(q * 10)),
                  std::to_string(q));
  expect_within(run.corrected("first").quantile(0.5), 10ms, "first");
  expect_within(run.corrected("median").quantile(0.5), 50ms, "median");
  expect_within(run.corrected("last").quantile(0.5), 100ms, "last");
  expect_within(run.corrected("spread").quantile(0.5), 90ms, "spread");
}

// Nothing leaves the target in the first second of every five.
Nanoseconds after_stall(Nanoseconds at) { return at % 5s < 1s ? at - at % 5s + 1s : at; }

TEST(Accuracy, AStallIsSeenWhole) {
  const Nanoseconds delay = 2ms;
  const Simulation run(plan(100, 10, 500), 20s,
                       [&](const auto& d) { return Fate{{after_stall(d.sent + delay)}}; });
  // Of 5 s, 1 s is stalled: a fifth of the deliveries waits from delay to 1 s, evenly.
  //   P(latency > x) = (1 s + delay - x) / 5 s for x in (delay, 1 s]
  const auto quantile = [&](double q) {
    return q <= 0.8 ? delay : Nanoseconds(static_cast<std::int64_t>(1e9 + 2e6 - (1 - q) * 5e9));
  };
  for (const double q : {0.5, 0.75, 0.85, 0.9, 0.95, 0.99})
    expect_within(run.corrected().quantile(q), quantile(q), std::to_string(q));
  expect_within(run.corrected().max(), 1s, "max");
  EXPECT_EQ(run.ledger().lost, 0u);
}

TEST(Accuracy, AStalledTargetDoesNotSlowTheSchedule) {
  // The send times are the intended ones, whatever the target does: corrected and uncorrected agree.
  const Simulation run(plan(10, 1, 100), 10s, [](const auto& d) { return Fate{{after_stall(d.sent)}}; });
  EXPECT_EQ(run.traffic->sends().intended, 1000u);
  EXPECT_EQ(run.traffic->sends().sent, 1000u);
  EXPECT_EQ(run.traffic->sends().late, 0u);
  EXPECT_EQ(run.uncorrected().quantile(0.9), run.corrected().quantile(0.9));
}

TEST(Accuracy, LossIsExactToTheMessage) {
  for (const std::uint64_t every : {2u, 7u, 100u, 9999u}) {
    const Simulation run(plan(100, 10, 500), 10s, [&](const auto& d) {
      return d.number % every == 0 ? Fate{} : Fate{{d.sent + 1ms}};
    });
    EXPECT_EQ(run.ledger().expected, 50'000u);
    EXPECT_EQ(run.ledger().lost, 50'000u / every);
    EXPECT_EQ(run.ledger().duplicated + run.ledger().reordered + run.ledger().corrupt, 0u);
  }
}

TEST(Accuracy, DuplicatesAreExactAndHideNoLoss) {
  const Simulation run(plan(100, 10, 500), 10s, [](const auto& d) {
    if (d.number % 10 == 0) return Fate{};
    return d.number % 10 == 1 ? Fate{{d.sent + 1ms, d.sent + 2ms}} : Fate{{d.sent + 1ms}};
  });
  EXPECT_EQ(run.ledger().lost, 5000u);
  EXPECT_EQ(run.ledger().duplicated, 5000u);
}

TEST(Accuracy, ReorderingIsExactPerSenderAndMember) {
  // One sender, a message every 10 ms; every 21st delivery comes 15 ms late: after the next one.
  WorkloadPlan one = plan(20, 1, 100);
  one.senders = 1;
  const Simulation run(one, 10s, [](const auto& d) {
    return Fate{{d.sent + (d.number % 21 == 0 ? Nanoseconds(16ms) : Nanoseconds(1ms))}};
  });
  EXPECT_EQ(run.ledger().lost, 0u);
  EXPECT_EQ(run.ledger().reordered, 20 * 999u / 21);  // of those with one after them
  // The same with senders in turns: nobody's own messages change their order.
  one.senders = 4;
  const Simulation turns(one, 10s, [](const auto& d) {
    return Fate{{d.sent + (d.number % 21 == 0 ? Nanoseconds(16ms) : Nanoseconds(1ms))}};
  });
  EXPECT_EQ(turns.ledger().reordered, 0u);
}

TEST(Accuracy, PoissonArrivalsAndMixedSizesChangeNothingAboutTheTruth) {
  WorkloadPlan mixed = plan(50, 5, 300);
  mixed.arrival = WorkloadPlan::Arrival::poisson;
  mixed.payload = PayloadSizes::parse("64..2KiB");
  mixed.room_sizes = RoomSizes::parse("zipf");
  const Simulation run(mixed, 10s, [](const auto& d) { return Fate{{d.sent + 5ms}}; });
  EXPECT_NEAR(static_cast<double>(run.traffic->sends().sent), 3000, 200);
  EXPECT_EQ(run.ledger().lost + run.ledger().corrupt, 0u);
  for (const double q : kQuantiles) expect_within(run.corrected().quantile(q), 5ms, std::to_string(q));
}

}  // namespace
}  // namespace roomcheck::loadgen
