#include "loadgen/crowd.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cmath>

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
    const std::uint32_t place = *it - ledger.first_member(ledger.room_of(*it));
    const bool speaks = plan_.workload->origin() == Workload::Origin::member && place < plan_.senders;
    if (speaks || plan_.workload->alone()) continue;
    clients_[*it].slow = true;
    ++parts_.sums.slow_readers;
    --slow;
  }
  if (plan_.workload->origin() != Workload::Origin::member)
    outside_ = std::make_unique<Outside>(
        target::make_control(parts.scenario.control, parts.scenario.control_token, kControlLimit), parts.io);
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
  const std::uint32_t place = number - ledger.first_member(room);
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
  client.was_open = true;
  parts_.sums.connect.corrected.record(now - client.intended);
  parts_.sums.connect.uncorrected.record(times.upgrade);
  if (!client.slow) {
    ++members_open_;
    traffic_.opened(number, now);
    if (traffic_.is_member(number)) {
      parts_.sums.join.corrected.record(now - client.intended);
      parts_.sums.join.uncorrected.record(times.upgrade);
    }
  }
  if (running_ && plan_.workload->comes_and_goes()) plan_leave(number, now);
  parts_.listener.attempt_ended();
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
  parts_.listener.attempt_ended();
}

void Crowd::prepare(std::function<void(std::string)> done) {
  prepared_ = std::move(done);
  const std::uint32_t rooms = traffic_.ledger().room_count();
  if (plan_.workload->origin() != Workload::Origin::channel || rooms == 0)
    return boost::asio::post(parts_.io, [this] { prepared_(""); });
  channels_.resize(rooms);
  ask_for_channel(0);
}

// One question at a time: the queue is for messages, and too short for every room.
void Crowd::ask_for_channel(std::uint32_t room) {
  const std::string& name = traffic_.ledger().plan(room).name;
  outside_->submit({Outside::Call::Kind::members, parts_.profile.group_of(name), ""},
                   [this, room, &name](const Outside::Answer& answer) {
                     if (!answer.members.ok())
                       return prepared_("the control: " + answer.members.error().message);
                     if (answer.members->size() > 1)
                       return prepared_("room " + name + " has one client of ours and " +
                                        std::to_string(answer.members->size()) +
                                        " channel names: is the field \"group\" of the profile right?");
                     // Who did not get in cannot be addressed: its messages count as dropped.
                     if (!answer.members->empty()) channels_[room] = answer.members->front();
                     if (room + 1 == channels_.size()) return prepared_("");
                     ask_for_channel(room + 1);
                   });
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

// Join i of a storm is due at joins_from_ + i * threads / connect_rate.
Nanoseconds Crowd::next_join() const {
  if (!joins_in_the_run_ || next_ == order_.size() || stopped_ || !running_) return Nanoseconds::max();
  const double gap = 1e9 * parts_.scenario.threads / parts_.scenario.connect_rate;
  return joins_from_ + Nanoseconds(static_cast<std::int64_t>(gap * static_cast<double>(next_)));
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
  const Reconnect& policy = parts_.scenario.reconnect;
  Nanoseconds wait = client.leaving ? Nanoseconds(0) : policy.first;
  for (int i = 0; i < client.failures && wait < policy.most; ++i) wait *= 2;
  wait = std::min(wait, policy.most);
  const double jitter = uniform(parts_.scenario.seed ^ number, 1'000'000 + stays_[number]) / 2;
  if (client.failures < 255) ++client.failures;
  wait += Nanoseconds(static_cast<std::int64_t>(jitter * static_cast<double>(wait.count())));
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
  if (traffic_.is_member(number)) return traffic_.receive(number, message.payload, message.at);
  traffic_.receive(number, message.payload, message.at);
  if (!traffic_.is_member(number)) return;
  parts_.sums.join.corrected.record(message.at - client.intended);
  parts_.sums.join.uncorrected.record(message.at - client.intended);
}

void Crowd::on_close(std::uint32_t number, const websocket::CloseInfo& info) {
  Client& client = clients_[number];
  client.connection.reset();
  --open_;
  if (!client.leaving && !client.slow) {
    traffic_.closed(number);
    --members_open_;
  }
  if (!closing_) {
    if (!client.leaving) {
      ++parts_.sums.closed_by_target;
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
    if (channels_[room].empty()) return Sent::dropped;
    call = {Outside::Call::Kind::channel_send, channels_[room], std::string(message)};
  } else {
    call = {Outside::Call::Kind::group_send, parts_.profile.group_of(traffic_.ledger().plan(room).name),
            std::string(message)};
  }
  const Nanoseconds due = traffic_.next_due();
  const bool accepted =
      outside_->submit(std::move(call), [this, room, sequence, due](const Outside::Answer& answer) {
        if (!answer.members.ok()) {
          ++parts_.sums.by_error["control: " + answer.members.error().message];
          return traffic_.refused(room, sequence);
        }
        if (due >= joins_from_ && answer.began - due > Traffic::kLate) traffic_.left_late();
      });
  return accepted ? Sent::accepted : Sent::dropped;
}

}  // namespace roomcheck::loadgen
