#include "loadgen/worker.h"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/post.hpp>

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

// The library's side of one connection; 24 octets.
class Worker::Member final : public websocket::ClientHandler {
 public:
  Member(Worker& worker, std::uint32_t number) : worker_(worker), number_(number) {}
  void on_connected(const websocket::ConnectTimes& times) override { worker_.on_connected(number_, times); }
  void on_failed(const websocket::ConnectFailure& failure) override { worker_.on_failed(number_, failure); }
  void on_message(const websocket::Message& message) override { worker_.on_message(number_, message); }
  void on_close(const websocket::CloseInfo& info) override { worker_.on_close(number_, info); }

 private:
  Worker& worker_;
  std::uint32_t number_;
};

class Worker::Connections final : public Port {
 public:
  websocket::Connection::Sent send(std::uint32_t member, std::string_view text) override {
    const websocket::ConnectionPtr& connection = all[member];
    return connection ? connection->send_text(text) : websocket::Connection::Sent::closed;
  }
  std::vector<websocket::ConnectionPtr> all;
  std::uint64_t open = 0;
};

Worker::Worker(const Scenario& scenario, const target::Profile& profile, std::uint32_t run,
               std::uint32_t number, Nanoseconds origin, Callbacks callbacks)
    : scenario_(scenario), profile_(profile), origin_(origin), callbacks_(std::move(callbacks)) {
  connections_ = std::make_unique<Connections>();
  workload_ = std::make_unique<FanOut>(scenario, profile, run, number, *connections_, steady_clock());
  const Ledger& ledger = workload_->ledger();
  connections_->all.resize(ledger.member_count());
  connect_intended_.resize(ledger.member_count());
  for (std::uint32_t room = 0; room < ledger.room_count(); ++room)
    options_.push_back(connect_options(scenario, profile, ledger.plan(room).name));
  for (std::uint32_t index = 0; order_.size() < ledger.member_count(); ++index)
    for (std::uint32_t room = 0; room < ledger.room_count(); ++room)
      if (index < ledger.plan(room).members) order_.push_back(ledger.first_member(room) + index);
  websocket::ClientTls tls;
  tls.ca_file = profile.tls_ca;
  client_ = std::make_unique<websocket::Client>(io_, tls);
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
  try {
    second_began_ = steady_clock().now();
    second_cpu_ = cpu_of_thread();
    boost::asio::post(io_, [this] {
      connect_one(steady_clock().now());
    });  // alone: when nobody is there, one knock is enough
    every_second();
    io_.run();
  } catch (const std::exception& e) {
    outcome_.crash = e.what();
  }
  client_.reset();
  callbacks_.done();
}

// ---- connecting

void Worker::connect_one(Nanoseconds intended) {
  const std::uint32_t member = order_[next_connect_++];
  connect_intended_[member] = intended;
  ++outcome_.attempted;
  connections_->all[member] = client_->connect(options_[workload_->ledger().room_of(member)],
                                               std::make_unique<Member>(*this, member));
}

// Connection i (after the first) is due at pace_from_ + i * threads / connect_rate.
void Worker::connect_due() {
  for (int i = 0; i < kConnectBurst && next_connect_ < order_.size(); ++i) {
    const double gap = 1e9 * scenario_.threads / scenario_.connect_rate;
    const Nanoseconds due =
        pace_from_ + Nanoseconds(static_cast<std::int64_t>(gap * static_cast<double>(next_connect_)));
    if (due > steady_clock().now()) return arm(steps_, due, &Worker::connect_due);
    connect_one(due);
  }
  if (next_connect_ < order_.size())
    boost::asio::post(io_, [this] {
      if (phase_ == Phase::connect) connect_due();
    });
}

void Worker::on_connected(std::uint32_t member, const websocket::ConnectTimes& times) {
  const Nanoseconds now = steady_clock().now();
  ++outcome_.opened;
  ++connections_->open;
  outcome_.connect.corrected.record(now - connect_intended_[member]);
  outcome_.connect.uncorrected.record(times.upgrade);
  workload_->opened(member, now);
  attempt_ended();
}

void Worker::on_failed(std::uint32_t member, const websocket::ConnectFailure& failure) {
  connections_->all[member].reset();
  if (phase_ == Phase::close) return;  // ours: the run was ended while it connected
  ++outcome_.failed;
  std::string what(to_string(failure.stage));
  what += failure.stage == websocket::ConnectFailure::Stage::timeout ? "" : ": " + failure.message;
  ++outcome_.by_error[what];
  if (outcome_.first_failure.empty()) outcome_.first_failure = what;
  attempt_ended();
}

void Worker::attempt_ended() {
  ++attempts_ended_;
  if (phase_ != Phase::connect) return;
  if (attempts_ended_ == 1) {
    if (outcome_.opened == 0) return report_connected();  // nobody there: the others need not knock
    pace_from_ = steady_clock().now();
    boost::asio::post(io_, [this] {
      if (phase_ == Phase::connect) connect_due();
    });
  }
  if (attempts_ended_ < order_.size()) return;
  deadline_ = steady_clock().now() + scenario_.timeout;
  await_joins();
}

void Worker::await_joins() {
  const Nanoseconds now = steady_clock().now();
  if (workload_->joined() < outcome_.opened && now < deadline_ && connections_->open > 0)
    return arm(steps_, now + kDrainPoll, &Worker::await_joins);
  outcome_.not_joined = outcome_.opened - workload_->joined();
  if (outcome_.not_joined > 0) outcome_.by_error["join: never heard itself"] += outcome_.not_joined;
  report_connected();
}

void Worker::report_connected() {
  if (connected_reported_) return;
  connected_reported_ = true;
  callbacks_.connected(outcome_.opened, outcome_.first_failure);
}

// ---- the run

void Worker::begin(Nanoseconds start) {
  boost::asio::post(io_, [this, start] {
    if (phase_ != Phase::connect) return;
    measured_from_ = start + scenario_.warmup;
    sends_end_ = measured_from_ + scenario_.duration;
    phase_ = scenario_.warmup.count() > 0 ? Phase::warm_up : Phase::run;
    lag_due_ = start + kLagPeriod;
    arm(lag_, lag_due_, &Worker::measure_lag);
    workload_->start(start);
    if (connections_->open > 0) return send_loop();
    outcome_.deserted = true;
    outcome_.deserted_at = steady_clock().now();
    close_all();
  });
}

void Worker::send_loop() {
  const Nanoseconds now = steady_clock().now();
  if (now >= measured_from_) phase_ = Phase::run;
  workload_->send_due(now);
  const Nanoseconds next = workload_->next_due();
  if (next != Nanoseconds::max()) return arm(steps_, next, &Worker::send_loop);
  // The last message is due a little before the end of the run; its seconds are still those of the run.
  if (now < sends_end_) return arm(steps_, sends_end_, &Worker::drain);
  drain();
}

void Worker::drain() {
  const Nanoseconds now = steady_clock().now();
  if (phase_ != Phase::drain) {
    phase_ = Phase::drain;
    deadline_ = now + scenario_.drain;
  }
  if (workload_->ledger().outstanding() == 0 || now >= deadline_) return close_all();
  arm(steps_, std::min(now + kDrainPoll, deadline_), &Worker::drain);
}

void Worker::on_message(std::uint32_t member, const websocket::Message& message) {
  workload_->receive(member, message.payload, message.at);
}

void Worker::on_close(std::uint32_t member, const websocket::CloseInfo& info) {
  connections_->all[member].reset();
  --connections_->open;
  workload_->closed(member);
  if (phase_ == Phase::close) {
    if (connections_->open == 0) finish();
    return;
  }
  ++outcome_.closed_by_target;
  ++outcome_.by_error["close " + std::to_string(info.code)];
  if (connections_->open > 0 || attempts_ended_ < order_.size()) return;
  outcome_.deserted = true;
  outcome_.deserted_at = steady_clock().now();
  if (phase_ != Phase::connect) boost::asio::post(io_, [this] { close_all(); });
}

// ---- the end

void Worker::end_early() {
  boost::asio::post(io_, [this] {
    if (phase_ == Phase::connect) return close_all();
    if (phase_ == Phase::drain || phase_ == Phase::close) return;
    workload_->stop_sending();
    drain();
  });
}

void Worker::stop() {
  boost::asio::post(io_, [this] {
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
  workload_->finish();
  for (const websocket::ConnectionPtr& connection : connections_->all)
    if (connection) connection->close(1000, "");
  if (connections_->open == 0) return finish();
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
  second.members = workload_->ledger().open_members();
  second.missing = workload_->ledger().missing();
  second.traffic = workload_->take_second();
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
