#include "loadgen/crowd.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "loadgen/hash.h"

namespace roomcheck::loadgen {
namespace {

constexpr int kStepsAtOnce = 64;  // then the loop gets a turn
constexpr std::chrono::nanoseconds kControlLimit = std::chrono::seconds(5);

}  // namespace

// The library's side of one connection.
class Crowd::Member final : public websocket::ClientHandler {
 public:
  Member(Crowd& crowd, std::uint32_t number) : crowd_(crowd), number_(number) {}
  void on_connected(const websocket::ConnectTimes& times) override { crowd_.on_connected(number_, times); }
  void on_failed(const websocket::ConnectFailure& failure) override { crowd_.on_failed(number_, failure); }
  void on_message(const websocket::Message& message) override { crowd_.on_message(number_, message); }
  void on_close(const websocket::CloseInfo& info) override { crowd_.on_close(number_, info); }

 private:
  Crowd& crowd_;
  std::uint32_t number_;
};

Crowd::Crowd(const Parts& parts, std::size_t index)
    : parts_(parts),
      plan_(parts.scenario.workloads[index]),
      joins_in_the_run_(plan_.workload->joins_in_the_run()),
      traffic_(parts.scenario, index, parts.profile, parts.run, parts.thread, *this, steady_clock()) {
  const Ledger& ledger = traffic_.ledger();
  clients_.resize(ledger.member_count());
  stays_.resize(ledger.member_count());
  for (std::uint32_t place = 0; order_.size() < ledger.member_count(); ++place)
    for (std::uint32_t room = 0; room < ledger.room_count(); ++room)
      if (place < ledger.plan(room).members) order_.push_back(ledger.first_member(room) + place);
  // Slow readers sit at the end of the rooms, where no senders are.
  auto slow = static_cast<std::size_t>(std::llround(plan_.slow_readers * static_cast<double>(order_.size())));
  for (auto it = order_.rbegin(); it != order_.rend() && slow > 0; ++it) {
    const std::uint32_t room = ledger.room_of(*it);
    const std::uint32_t place = ledger.plan(room).place(*it - ledger.first_member(room));
    const bool speaks = plan_.workload->origin() == Workload::Origin::member && place < plan_.senders;
    if (speaks || plan_.workload->alone()) continue;
    clients_[*it].slow = true;
    ++parts_.sums.slow_readers;
    --slow;
  }
  if (plan_.workload->origin() == Workload::Origin::member) return;
  outside_ = std::make_unique<Outside>(
      target::make_control(parts.scenario.control, parts.scenario.control_token, kControlLimit), parts.loop);
  addresses_ = std::make_unique<Addresses>(
      Addresses::Parts{*plan_.workload, parts.profile, ledger, *outside_, parts.scenario.timeout,
                       [this](std::uint32_t room) { join_and_wait(room); }});
  if (joins_later() && parts.scenario.threads > 1)
    throw BadInput("workload direct over " + parts.scenario.control +
                   ": a channel name is what a single join brings to the bus, so only one may be under way: "
                   "--threads 1");
}

Crowd::~Crowd() = default;

// ---- connecting

void Crowd::connect_next(Nanoseconds intended) { connect(order_[next_++], intended); }

void Crowd::connect(std::uint32_t number, Nanoseconds intended) {
  Client& client = clients_[number];
  client.intended = intended;
  client.leaving = false;
  client.connecting = true;
  ++stays_[number];
  ++connecting_;
  ++parts_.sums.attempted;
  const Ledger& ledger = traffic_.ledger();
  const std::uint32_t room = ledger.room_of(number);
  const RoomPlan& plan = ledger.plan(room);
  const std::uint32_t place = plan.place(number - ledger.first_member(room));
  client.connection = parts_.client.connect(
      connect_options(parts_.scenario, parts_.profile, *plan_.workload, plan.name,
                      plan_.workload->alone() ? plan.index : place, plan.first_client + place),
      std::make_unique<Member>(*this, number));
}

void Crowd::on_connected(std::uint32_t number, const websocket::ConnectTimes& times) {
  const Nanoseconds now = steady_clock().now();
  Client& client = clients_[number];
  client.connecting = false;
  client.failures = 0;
  --connecting_;
  ++open_;
  ++parts_.sums.opened;
  if (client.was_open) ++parts_.sums.reconnected;
  if (client.was_cut) ++parts_.sums.recovered;
  client.was_open = true;
  client.was_cut = false;
  parts_.sums.connect.corrected.record(now - client.intended);
  parts_.sums.connect.uncorrected.record(times.upgrade);
  parts_.sums.compressed += times.compressed ? 1 : 0;
  if (!client.slow) {
    ++members_open_;
    traffic_.opened(number, now);
    if (traffic_.is_member(number)) {
      parts_.sums.join.corrected.record(now - client.intended);
      parts_.sums.join.uncorrected.record(times.upgrade);
    }
  }
  if (running_ && plan_.workload->comes_and_goes()) plan_leave(number, now);
  if (running_ && addresses_) addresses_->ask_again(traffic_.ledger().room_of(number));
  attempt_ended("");
}

void Crowd::on_failed(std::uint32_t number, const websocket::ConnectFailure& failure) {
  Client& client = clients_[number];
  client.connection.reset();
  client.connecting = false;
  --connecting_;
  if (closing_) return;  // ours: the run was ended while it connected
  ++parts_.sums.failed;
  std::string what(to_string(failure.stage));
  what += failure.stage == websocket::ConnectFailure::Stage::timeout ? "" : ": " + failure.message;
  ++parts_.sums.by_error[what];
  if (parts_.sums.first_failure.empty()) {
    parts_.sums.first_failure = what;
    parts_.sums.first_failure_status = failure.status;
  }
  if (running_) come_back(number);
  attempt_ended(what);
}

void Crowd::prepare(std::function<void(std::string)> done) {
  if (!addresses_ || traffic_.ledger().room_count() == 0)
    return parts_.loop.post([done = std::move(done)] { done(""); });
  addresses_->find(std::move(done));
}

// On outside's thread, which may wait; the loop connects.
void Crowd::join_and_wait(std::uint32_t room) {
  const auto joined = std::make_shared<std::promise<std::string>>();
  std::future<std::string> failure = joined->get_future();
  parts_.loop.post([this, room, joined] {
    if (closing_) return joined->set_value("the run has ended");
    joining_ = joined;
    connect(traffic_.ledger().first_member(room), steady_clock().now());
  });
  const auto limit = parts_.scenario.timeout + std::chrono::seconds(1);
  const std::string why = failure.wait_for(limit) == std::future_status::ready ? failure.get() : "no answer";
  if (!why.empty()) throw std::runtime_error("a client could not join: " + why);
}

void Crowd::attempt_ended(const std::string& failure) {
  if (!joining_) return parts_.listener.attempt_ended();
  std::exchange(joining_, nullptr)->set_value(failure);
}

// ---- the run

void Crowd::begin(Nanoseconds start) {
  running_ = true;
  joins_from_ = start + parts_.scenario.warmup;
  if (plan_.workload->comes_and_goes())
    for (std::uint32_t number = 0; number < clients_.size(); ++number)
      if (clients_[number].connection) plan_leave(number, start);
  traffic_.start(start);
}

// Stays are exponential: at any moment as many leave as at any other.
void Crowd::plan_leave(std::uint32_t number, Nanoseconds now) {
  const double chance = uniform(parts_.scenario.seed ^ number, stays_[number]);
  const auto stay = static_cast<std::int64_t>(-std::log(chance) * static_cast<double>(plan_.stay.count()));
  steps_.push({now + Nanoseconds(stay), number, Step::Kind::leave, stays_[number]});
}

// Join i of a storm is due at joins_from_ + i * threads * shards / connect_rate.
Nanoseconds Crowd::next_join() const {
  if (!joins_in_the_run_ || next_ == order_.size() || stopped_ || !running_) return Nanoseconds::max();
  return joins_from_ + parts_.scenario.connect_gap(next_);
}

Nanoseconds Crowd::next_due() const {
  const Nanoseconds step = steps_.empty() ? Nanoseconds::max() : steps_.top().due;
  return std::min({traffic_.next_due(), step, next_join()});
}

void Crowd::act(Nanoseconds now) {
  traffic_.send_due(now);
  for (int i = 0; i < kStepsAtOnce && !steps_.empty() && steps_.top().due <= now; ++i) {
    const Step step = steps_.top();
    steps_.pop();
    take_step(step);
  }
  for (int i = 0; i < kStepsAtOnce && next_join() <= now; ++i) connect_next(next_join());
}

void Crowd::take_step(const Step& step) {
  Client& client = clients_[step.client];
  if (step.kind == Step::Kind::connect) {
    --returning_;
    if (!stopped_) connect(step.client, step.due);
    return;
  }
  if (!client.connection || client.connecting || stays_[step.client] != step.stay) return;
  if (step.kind == Step::Kind::resume) return client.connection->resume_reading();
  if (stopped_) return;
  client.leaving = true;
  ++parts_.sums.left;
  if (!client.slow) {
    traffic_.closed(step.client);
    --members_open_;
  }
  client.connection->close(1000, "");
}

void Crowd::come_back(std::uint32_t number) {
  const bool planned = plan_.workload->comes_and_goes() || joins_in_the_run_;
  if (stopped_ || closing_ || (!parts_.scenario.reconnect.enabled && !planned)) return;
  Client& client = clients_[number];
  const double chance = uniform(parts_.scenario.seed ^ number, 1'000'000 + stays_[number]);
  const Nanoseconds wait =
      client.leaving ? Nanoseconds(0) : parts_.scenario.reconnect.wait(client.failures, chance);
  if (client.failures < 255) ++client.failures;
  ++returning_;
  steps_.push({steady_clock().now() + wait, number, Step::Kind::connect, 0});
}

void Crowd::on_message(std::uint32_t number, const websocket::Message& message) {
  Client& client = clients_[number];
  if (client.slow) {
    ++parts_.sums.slow_delivered;
    client.connection->pause_reading();
    const auto wait = Nanoseconds(static_cast<std::int64_t>(
        1e9 * static_cast<double>(message.payload.size()) / static_cast<double>(plan_.slow_read_rate)));
    steps_.push({message.at + wait, number, Step::Kind::resume, stays_[number]});
    return;
  }
  if (traffic_.is_member(number))
    return traffic_.receive(number, message.payload, message.at, message.kernel_at);
  traffic_.receive(number, message.payload, message.at, message.kernel_at);
  if (!traffic_.is_member(number)) return;
  parts_.sums.join.corrected.record(message.at - client.intended);
  parts_.sums.join.uncorrected.record(message.at - client.intended);
}

void Crowd::on_close(std::uint32_t number, const websocket::CloseInfo& info) {
  Client& client = clients_[number];
  client.connection.reset();
  if (addresses_) addresses_->forget(traffic_.ledger().room_of(number));
  --open_;
  if (!client.leaving && !client.slow) {
    traffic_.closed(number);
    --members_open_;
  }
  if (!closing_) {
    if (!client.leaving) {
      ++parts_.sums.closed_by_target;
      client.was_cut = true;
      ++parts_.sums.by_error["close " + std::to_string(info.code) + (client.slow ? " (a slow reader)" : "")];
    }
    if (running_) come_back(number);
  }
  parts_.listener.one_gone();
}

bool Crowd::expects_more() const {
  return connecting_ > 0 || has_more() || next_join() != Nanoseconds::max() || (!stopped_ && returning_ > 0);
}

void Crowd::stop() {
  stopped_ = true;
  traffic_.stop_sending();
}

void Crowd::close_all() {
  stop();
  closing_ = true;
  if (joining_) attempt_ended("the run has ended");
  for (const Client& client : clients_)
    if (client.connection) {
      client.connection->resume_reading();
      client.connection->close(1000, "");
    }
}

void Crowd::sample_queues(std::size_t most, const std::function<void(const websocket::KernelQueues&)>& take) {
  for (std::size_t i = 0; i < std::min(most, clients_.size()); ++i) {
    const Client& client = clients_[sampled_++ % clients_.size()];
    if (client.connection && !client.connecting && !client.slow) take(client.connection->kernel_queues());
  }
}

// ---- Port

Port::Sent Crowd::send(std::uint32_t member, std::string_view message) {
  const websocket::ConnectionPtr& connection = clients_[member].connection;
  return connection ? connection->send_text(message) : Sent::closed;
}

Port::Sent Crowd::send_outside(std::uint32_t room, std::uint32_t sequence, std::string_view message) {
  Outside::Call call;
  if (plan_.workload->origin() == Workload::Origin::channel) {
    const std::string& channel = addresses_->channel(room);
    if (channel.empty()) return Sent::closed;
    call = {Outside::Call::Kind::channel_send, channel, std::string(message), nullptr};
  } else {
    call = {Outside::Call::Kind::group_send, addresses_->group(room), std::string(message), nullptr};
  }
  const Nanoseconds due = traffic_.next_due();
  const bool accepted =
      outside_->submit(std::move(call), [this, room, sequence, due](const Outside::Answer& answer) {
        if (!answer.members.ok()) {
          ++parts_.sums.by_error["control: " + answer.members.error().message];
          return traffic_.refused(room, sequence);
        }
        if (due >= joins_from_) traffic_.left(answer.began - due);
      });
  return accepted ? Sent::accepted : Sent::dropped;
}

}  // namespace roomcheck::loadgen
