#include "loadgen/worker.h"

#include <sys/resource.h>

#include <algorithm>

#include "libs/base/cancellation.h"
#include "libs/base/units.h"

namespace roomcheck::loadgen {
namespace {

using namespace std::chrono_literals;

constexpr Nanoseconds kLagPeriod = 10ms;
constexpr Nanoseconds kDrainPoll = 2ms;
constexpr Nanoseconds kCloseLimit = 2s;
constexpr int kConnectBurst = 64;  // then the loop gets a turn

}  // namespace

std::string_view to_string(Phase phase) {
  switch (phase) {
    case Phase::connect:
      return "connect";
    case Phase::warm_up:
      return "warm-up";
    case Phase::run:
      return "run";
    case Phase::drain:
      return "drain";
    case Phase::close:
      return "close";
  }
  return "unknown";
}

Worker::Worker(const Scenario& scenario, const target::Profile& profile, std::uint32_t run,
               std::uint32_t number, Nanoseconds origin, Callbacks callbacks)
    : scenario_(scenario), profile_(profile), origin_(origin), callbacks_(std::move(callbacks)) {
  websocket::ClientTls tls = scenario.tls;
  if (tls.ca_file.empty()) tls.ca_file = profile.tls_ca;
  client_ = std::make_unique<websocket::Client>(io_, tls);
  for (std::size_t i = 0; i < scenario.workloads.size(); ++i)
    crowds_.push_back(std::make_unique<Crowd>(
        Crowd::Parts{scenario, profile_, run, number, reactor_, *client_, *this, outcome_.connections}, i));
  thread_ = std::thread([this] { this->run(); });
}

Worker::~Worker() {
  stop();
  join();
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::arm(boost::asio::steady_timer& timer, Nanoseconds at, void (Worker::*then)()) {
  timer.expires_at(std::chrono::steady_clock::time_point(at));
  timer.async_wait([this, then](const boost::system::error_code& code) {
    if (!code) (this->*then)();
  });
}

void Worker::run() {
  decline_cancellation();
  try {
    second_began_ = steady_clock().now();
    second_cpu_ = cpu_of_thread();
    reactor_.post([this] {
      Crowd* crowd = next_to_connect();
      if (crowd == nullptr) return await_joins();  // everybody comes in the run
      ++connects_begun_;
      crowd->connect_next(steady_clock().now());  // alone: when nobody is there, one knock is enough
    });
    every_second();
    reactor_.run();
  } catch (const std::exception& e) {
    outcome_.crash = e.what();
  }
  client_.reset();
  callbacks_.done();
}

std::uint64_t Worker::open() const {
  std::uint64_t out = 0;
  for (const auto& crowd : crowds_) out += crowd->open();
  return out;
}

// ---- connecting

// nullptr: every crowd has.
Crowd* Worker::next_to_connect() {
  while (connecting_crowd_ < crowds_.size() && !crowds_[connecting_crowd_]->has_more()) ++connecting_crowd_;
  return connecting_crowd_ == crowds_.size() ? nullptr : crowds_[connecting_crowd_].get();
}

// Connection i (after the first) is due at pace_from_ + i * threads * shards / connect_rate.
void Worker::connect_due() {
  if (phase_ != Phase::connect) return;
  for (int i = 0; i < kConnectBurst; ++i) {
    Crowd* crowd = next_to_connect();
    if (crowd == nullptr) return;
    const Nanoseconds due = pace_from_ + scenario_.connect_gap(connects_begun_);
    if (due > steady_clock().now()) return arm(steps_, due, &Worker::connect_due);
    ++connects_begun_;
    crowd->connect_next(due);
  }
  reactor_.post([this] { connect_due(); });
}

void Worker::attempt_ended() {
  if (phase_ != Phase::connect) return;
  ++attempts_ended_;
  if (attempts_ended_ == 1) {
    if (outcome_.connections.opened == 0) return await_joins();  // nobody there: the others need not knock
    pace_from_ = steady_clock().now();
    reactor_.post([this] { connect_due(); });
  }
  if (attempts_ended_ < connects_begun_ || next_to_connect() != nullptr) return;
  deadline_ = steady_clock().now() + scenario_.timeout;
  await_joins();
}

void Worker::await_joins() {
  const ConnectionSums& sums = outcome_.connections;
  if (sums.attempted > 0 && sums.opened == 0) {
    const bool answered = sums.first_failure.compare(0, 5, "http:") == 0;
    return report_connected(
        "cannot open a connection to " + scenario_.targets.front() + " (" + sums.first_failure + "): " +
        (answered ? "is room.path of the profile (" + profile_.room.path + ") right for it?"
                  : "start the target, or correct --target"));
  }
  const Nanoseconds now = steady_clock().now();
  std::uint64_t unjoined = 0;
  for (const auto& crowd : crowds_) unjoined += crowd->unjoined();
  if (unjoined > 0 && now < deadline_ && open() > 0)
    return arm(steps_, now + kDrainPoll, &Worker::await_joins);
  outcome_.connections.not_joined = unjoined;
  if (unjoined > 0) outcome_.connections.by_error["join: never heard itself"] += unjoined;
  for (const auto& crowd : crowds_)
    crowd->prepare([this](const std::string& failure) {
      if (!failure.empty()) return report_connected(failure);
      if (++prepared_ == crowds_.size()) report_connected("");
    });
}

void Worker::report_connected(const std::string& failure) {
  if (connected_reported_) return;
  connected_reported_ = true;
  callbacks_.connected(failure);
}

// ---- the run

void Worker::begin(Nanoseconds start) {
  reactor_.post([this, start] {
    if (phase_ != Phase::connect) return;
    measured_from_ = start + scenario_.warmup;
    sends_end_ = measured_from_ + scenario_.duration();
    phase_ = scenario_.warmup.count() > 0 ? Phase::warm_up : Phase::run;
    lag_due_ = start + kLagPeriod;
    arm(lag_, lag_due_, &Worker::measure_lag);
    bool alive = open() > 0;
    for (const auto& crowd : crowds_) {
      crowd->begin(start);
      alive = alive || crowd->expects_more();
    }
    if (alive) return loop();
    desert();
    close_all();
  });
}

void Worker::loop() {
  if (phase_ != Phase::warm_up && phase_ != Phase::run) return;
  const Nanoseconds now = steady_clock().now();
  if (now >= measured_from_) phase_ = Phase::run;
  Nanoseconds next = Nanoseconds::max();
  bool all_sent = true;
  for (const auto& crowd : crowds_) {
    crowd->act(now);
    next = std::min(next, crowd->next_due());
    all_sent = all_sent && crowd->traffic().next_due() == Nanoseconds::max();
  }
  // The last message is due a little before the end of the run; its seconds are still those of the run.
  if (all_sent && now >= sends_end_) return drain();
  arm(steps_, all_sent ? std::min(next, sends_end_) : next, &Worker::loop);
}

void Worker::drain() {
  const Nanoseconds now = steady_clock().now();
  if (phase_ != Phase::drain) {
    phase_ = Phase::drain;
    deadline_ = now + scenario_.drain;
    for (const auto& crowd : crowds_) {
      crowd->stop();
      outcome_.due_at_end += crowd->traffic().ledger().outstanding();
    }
  }
  std::uint64_t outstanding = 0;
  Nanoseconds next = std::min(now + kDrainPoll, deadline_);
  for (const auto& crowd : crowds_) {
    crowd->act(now);  // slow readers still read
    outstanding += crowd->traffic().ledger().outstanding();
  }
  if (!outstanding_at_quarter_ && now >= deadline_ - scenario_.drain * 3 / 4)
    outstanding_at_quarter_ = outstanding;
  // Who else still sends, and what of that is under way to us, a shard does not know: it stays to the end.
  if (outstanding == 0 && scenario_.shard.whole()) return close_all();
  if (now >= deadline_) {
    outcome_.drained_too_soon = outstanding < outstanding_at_quarter_.value_or(0);
    return close_all();
  }
  arm(steps_, next, &Worker::drain);
}

void Worker::desert() {
  outcome_.deserted = true;
  outcome_.deserted_at = steady_clock().now();
}

void Worker::one_gone() {
  const std::uint64_t left = open();
  if (phase_ == Phase::close) {
    if (left == 0) finish();
    return;
  }
  if (left > 0) return;
  for (const auto& crowd : crowds_)
    if (crowd->expects_more()) return;
  desert();
  if (phase_ != Phase::connect) reactor_.post([this] { close_all(); });
}

// ---- the end

void Worker::end_early() {
  reactor_.post([this] {
    if (phase_ == Phase::connect) return close_all();
    if (phase_ == Phase::drain || phase_ == Phase::close) return;
    drain();
  });
}

void Worker::stop() {
  reactor_.post([this] {
    if (phase_ != Phase::close) {
      outcome_.cut_short = true;
      close_all();
    }
    finish();
  });
}

void Worker::close_all() {
  if (phase_ == Phase::close) return;
  emit_second();
  phase_ = Phase::close;
  if (run_cpu_.count() >= 0) outcome_.cpu_ns = (cpu_of_thread() - run_cpu_).count();
  for (const auto& crowd : crowds_) {
    crowd->finish();
    crowd->close_all();
  }
  if (open() == 0) return finish();
  arm(steps_, steady_clock().now() + kCloseLimit, &Worker::finish);
}

// What is still open goes with the client; its deliveries do not matter any more.
void Worker::finish() {
  steps_.cancel();
  seconds_.cancel();
  lag_.cancel();
  io_.stop();
}

// ---- our own health, second by second

Nanoseconds Worker::cpu_of_thread() const {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  const auto ns = [](const timeval& t) {
    return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec);
  };
  return ns(usage.ru_utime) + ns(usage.ru_stime);
}

void Worker::emit_second() {
  WorkerSecond second;
  second.number = second_number_;
  second.phase = phase_;
  second.closed_by_target = outcome_.connections.closed_by_target - closed_told_;
  second.recovered = outcome_.connections.recovered - recovered_told_;
  closed_told_ += second.closed_by_target;
  recovered_told_ += second.recovered;
  for (const auto& crowd : crowds_) {
    second.members += crowd->traffic().ledger().open_members();
    second.missing += crowd->traffic().ledger().missing();
    Traffic::Second part = crowd->traffic().take_second();
    second.traffic.sent += part.sent;
    second.traffic.delivered += part.delivered;
    second.traffic.corrected.merge(part.corrected);
    if (phase_ == Phase::run)
      crowd->sample_queues(64, [this](const websocket::KernelQueues& queues) {
        ++outcome_.queues.samples;
        outcome_.queues.with_unread += queues.unread > 0 ? 1 : 0;
        outcome_.queues.unread_max = std::max<std::uint64_t>(outcome_.queues.unread_max, queues.unread);
        outcome_.queues.unsent_max = std::max<std::uint64_t>(outcome_.queues.unsent_max, queues.unsent);
      });
  }
  callbacks_.second(std::move(second));
}

void Worker::every_second() {
  if (phase_ == Phase::close) return;  // its last, shorter second was told by close_all()
  const Nanoseconds now = steady_clock().now();
  if (now >= origin_ + 1s) {
    const Nanoseconds cpu = cpu_of_thread();
    const double share = static_cast<double>((cpu - second_cpu_).count()) /
                         static_cast<double>(std::max<std::int64_t>(1, (now - second_began_).count()));
    // A second that lies in the run as a whole: connecting may well take a core.
    if (phase_ == Phase::run && second_began_ >= measured_from_)
      outcome_.busiest = std::max(outcome_.busiest, share);
    second_began_ = now;
    second_cpu_ = cpu;
    emit_second();
  }
  second_number_ = static_cast<std::uint64_t>(std::max<std::int64_t>(0, (now - origin_) / 1s));
  arm(seconds_, origin_ + 1s * static_cast<std::int64_t>(second_number_ + 1), &Worker::every_second);
}

void Worker::measure_lag() {
  if (phase_ == Phase::close) return;
  const Nanoseconds now = steady_clock().now();
  if (now >= measured_from_ && run_cpu_.count() < 0) run_cpu_ = cpu_of_thread();
  // A stall is recorded for each period it covers, not once: the same trap as coordinated omission.
  for (; lag_due_ <= now; lag_due_ += kLagPeriod)
    if (lag_due_ >= measured_from_) outcome_.loop_lag.record(now - lag_due_);
  arm(lag_, lag_due_, &Worker::measure_lag);
}

}  // namespace roomcheck::loadgen
