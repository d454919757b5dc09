#include "loadgen/traffic.h"

#include <algorithm>
#include <cmath>

namespace roomcheck::loadgen {
namespace {

constexpr std::uint32_t kJoinSequence =
    UINT32_MAX;  // of the message by which a member finds out that it has joined
constexpr int kBurst = 256;
constexpr double kRememberedSeconds = 60;  // a message is timed by its send time for this long at least

std::uint32_t remembered_per_room(const WorkloadPlan& plan) {
  const double wanted = std::clamp(
      plan.rate / static_cast<double>(room_sizes(plan).size()) * kRememberedSeconds, 64.0, 1048576.0);
  std::uint32_t out = 64;
  while (out < wanted) out *= 2;
  return out;
}

std::uint32_t senders_of_plan(const WorkloadPlan& plan) {
  const bool one = plan.workload->alone() || plan.workload->origin() != Workload::Origin::member;
  return one ? 1 : plan.senders;
}

// The message around its text.
void split(const target::Template& message, const std::string& profile, std::string& before,
           std::string& after) {
  constexpr std::string_view kText = "~rc~TEXT";
  const std::string frame = message.render(kText);
  const std::size_t at = frame.find(kText);
  if (at == frame.npos)
    throw BadInput("profile " + profile +
                   ": a message changes the text it carries; the probe would not be found again");
  before = frame.substr(0, at);
  after = frame.substr(at + kText.size());
}

}  // namespace

Traffic::Traffic(const Scenario& scenario, std::size_t index, const target::Profile& profile,
                 std::uint32_t run, std::uint32_t thread, Port& port, const Clock& clock)
    : workload_(*scenario.workloads[index].workload),
      probes_(run, static_cast<std::uint16_t>(scenario.shard.index), scenario.workloads[index].payload,
              scenario.shard.count),
      port_(port),
      clock_(clock),
      schedule_(schedule_of(scenario, index)),
      rooms_in_plan_(static_cast<std::uint32_t>(loadgen::room_sizes(scenario.workloads[index]).size())),
      senders_(senders_of_plan(scenario.workloads[index])),
      // Nobody else hears what is said on an echo route: there is nothing to join.
      self_echo_(profile.join_barrier == target::JoinBarrier::self_echo && &workload_ != &echo()),
      kernel_timestamps_(scenario.kernel_timestamps),
      warmup_(scenario.warmup),
      shard_(scenario.shard),
      ledger_(rooms_of(scenario, index, run, thread), senders_,
              remembered_per_room(scenario.workloads[index])),
      is_open_(ledger_.member_count()),
      is_joined_(ledger_.member_count()),
      all_(latency_[std::string(workload_.latency())]),
      stages_(scenario.stages.size()),
      room_latency_(ledger_.room_count()) {
  if (!shard_.whole() && !workload_.alone())
    remote_ = std::make_unique<RemoteLedger>(ledger_, shard_,
                                             workload_.origin() == Workload::Origin::member ? senders_ : 0);
  refused_.resize(ledger_.room_count());
  if (!profile.greeting.empty()) greeting_.emplace(profile.greeting);
  split(workload_.message(profile), profile.name, before_text_, after_text_);
  if (self_echo_) split(profile.room.send, profile.name, join_before_text_, join_after_text_);
  if (!workload_.alone()) {
    first_ = &latency_["first"];
    median_ = &latency_["median"];
    last_ = &latency_["last"];
    spread_ = &latency_["spread"];
  }
  Nanoseconds end = warmup_;
  for (const Stage& stage : scenario.stages) stage_ends_.push_back(end += stage.duration);
  for (std::uint32_t room = 0; room < ledger_.room_count(); ++room) {
    std::uint32_t bound = 1;
    while (bound < ledger_.plan(room).places()) bound *= 2;
    SizeClass& size_class = size_classes_[bound];
    size_class.members = bound;
    if (shard_.has(0, ledger_.plan(room).index)) ++size_class.rooms;  // once among all shards
    class_of_.push_back(&size_class);
  }
}

std::uint32_t Traffic::senders_of(std::uint32_t room) const {
  return std::min(senders_, ledger_.plan(room).places());
}

void Traffic::opened(std::uint32_t member, Nanoseconds at) {
  is_open_[member] = true;
  if (!self_echo_) {
    is_joined_[member] = true;
    ++joined_;
    if (remote_) remote_->join(member);
    return ledger_.join(member, at);
  }
  frame_ = join_before_text_;
  probes_.append({ledger_.plan(ledger_.room_of(member)).number, member, kJoinSequence, at.count()}, frame_);
  frame_ += join_after_text_;
  port_.send(member, frame_);
}

void Traffic::closed(std::uint32_t member) {
  if (is_joined_[member]) {
    ledger_.leave(member);
    if (remote_) remote_->leave(member);
    --joined_;
  }
  is_open_[member] = is_joined_[member] = false;
}

void Traffic::start(Nanoseconds start) {
  start_ = start;
  measured_from_ = start + warmup_;
  ledger_.measure_from(measured_from_);
  if (remote_) remote_->begin();
  turn_ = 0;
  room_ = 0;
  next_due_ = start;
  advance();
}

// Sets next_due_ for the message at (turn_, room_).
void Traffic::advance() {
  if (ledger_.room_count() == 0) return stop_sending();
  const Nanoseconds due = schedule_.due(turn_ * rooms_in_plan_ + ledger_.plan(room_).index);
  next_due_ = due == Nanoseconds::max() ? due : start_ + due;
}

void Traffic::send_due(Nanoseconds now) {
  for (int i = 0; i < kBurst && next_due_ <= now; ++i) {
    if (is_our_turn()) send_one();
    if (++room_ == ledger_.room_count()) {
      room_ = 0;
      ++turn_;
    }
    advance();
  }
}

// Each turn of a room belongs to the shard that has its sender; those of producers outside go round.
bool Traffic::is_our_turn() const {
  if (shard_.whole() || workload_.alone()) return true;
  if (workload_.origin() != Workload::Origin::member) return turn_ % shard_.count == shard_.index;
  return shard_.has(turn_ % senders_of(room_), ledger_.plan(room_).index);
}

void Traffic::write_frame(std::uint32_t sender) {
  if (!shard_.whole() && next_due_ < measured_from_) sender |= RemoteLedger::kWarmUp;
  frame_ = before_text_;
  probes_.append({ledger_.plan(room_).number, sender, ledger_.next_sequence(room_), next_due_.count()},
                 frame_);
  frame_ += after_text_;
}

void Traffic::account(bool measured, std::uint32_t sender, Nanoseconds at) {
  ledger_.sent(room_, sender, next_due_, at);
  ++second_.sent;
  if (!measured) return;
  ++sends_.sent;
  if (StageSum* stage = stage_at(next_due_)) ++stage->sent;
}

void Traffic::send_one() {
  using Sent = Port::Sent;
  const bool measured = next_due_ >= measured_from_;
  sends_.intended += measured ? 1 : 0;
  if (workload_.origin() != Workload::Origin::member) {
    // Whether it left in time, the producer's thread knows (left).
    write_frame(0);
    const Nanoseconds now = clock_.now();
    const Sent sent = port_.send_outside(room_, ledger_.next_sequence(room_), frame_);
    if (sent == Sent::accepted) return account(measured, 0, now);
    (sent == Sent::closed ? sends_.dropped_no_sender : sends_.dropped_full) += measured ? 1 : 0;
    return;
  }
  const std::uint32_t count = senders_of(room_);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto sender = static_cast<std::uint32_t>((turn_ + i) % count);
    const RoomPlan& plan = ledger_.plan(room_);
    if (!shard_.has(sender, plan.index)) continue;
    const std::uint32_t member = ledger_.first_member(room_) + (sender - plan.first_place) / plan.stride;
    if (!is_joined_[member]) continue;  // the next in line speaks in its place
    write_frame(sender);
    const Nanoseconds now = clock_.now();
    const Sent sent = port_.send(member, frame_);
    if (sent == Sent::closed) continue;
    if (sent == Sent::dropped) {
      sends_.dropped_full += measured ? 1 : 0;
      return;
    }
    if (measured) left(now - next_due_);
    return account(measured, sender, now);
  }
  sends_.dropped_no_sender += measured ? 1 : 0;
}

void Traffic::left(Nanoseconds lag) {
  sends_.late += lag > kLate ? 1 : 0;
  sends_.lag.record(lag);
}

void Traffic::refused(std::uint32_t room, std::uint32_t sequence) {
  ++sends_.refused;
  if (!finished_ && sequence >= ledger_.first_measured(room)) ++refused_[room];
  ledger_.retract(room, sequence);
}

// nullptr: intended in the warm-up.
Traffic::StageSum* Traffic::stage_at(Nanoseconds intended) {
  const Nanoseconds at = intended - start_;
  if (at < warmup_) return nullptr;
  if (stage_ > 0 && at < stage_ends_[stage_ - 1]) stage_ = 0;
  while (stage_ + 1 < stages_.size() && at >= stage_ends_[stage_]) ++stage_;
  return &stages_[stage_];
}

void Traffic::measure_lag(std::uint32_t member, Nanoseconds read_at, Nanoseconds kernel_at) {
  if (kernel_at == Nanoseconds(0)) {
    ++client_lag_.inexact;
    return;
  }
  client_lag_.lag.record(read_at - kernel_at);
  // The time is that of the read's last segment: it is the own one of the last delivery in it only.
  if (member == last_member_ && read_at == last_read_) ++client_lag_.inexact;
  last_member_ = member;
  last_read_ = read_at;
}

void Traffic::receive(std::uint32_t member, std::string_view payload, Nanoseconds read_at,
                      Nanoseconds kernel_at) {
  if (!is_open_[member]) return;
  const Nanoseconds at = kernel_at == Nanoseconds(0) ? read_at : kernel_at;
  Probe probe;
  const ProbeFormat::Found found = probes_.find(payload, probe);
  if (found != ProbeFormat::Found::ours) {
    if (found == ProbeFormat::Found::nothing && greeting_ && greeting_->in_beginning_of(payload)) return;
    return ledger_.received_corrupt(member);
  }
  if (probe.sequence == kJoinSequence) {  // others' are no business of this one's
    if (probe.origin != shard_.index || probe.sender != member || is_joined_[member]) return;
    is_joined_[member] = true;
    ++joined_;
    if (remote_) remote_->join(member);
    return ledger_.join(member, at);
  }
  if (remote_ && probe.origin != shard_.index) {  // timed where it was sent
    const Arrival::Kind kind = remote_->received(member, probe);
    second_.delivered += kind == Arrival::Kind::delivered || kind == Arrival::Kind::warm_up ? 1 : 0;
    return;
  }
  probe.sender &= ~RemoteLedger::kWarmUp;
  const Arrival arrival = ledger_.received(member, probe, at);
  if (arrival.kind == Arrival::Kind::delivered || arrival.kind == Arrival::Kind::warm_up) ++second_.delivered;
  if (arrival.kind != Arrival::Kind::delivered) return;
  if (kernel_timestamps_) measure_lag(member, read_at, kernel_at);
  const Nanoseconds corrected = at - Nanoseconds(probe.intended_ns);
  second_.corrected.record(corrected);
  room_latency_[arrival.room].record(corrected);
  SizeClass& size_class = *class_of_[arrival.room];
  ++size_class.delivered;
  size_class.all.record(corrected);
  if (stages_.size() > 1)
    if (StageSum* stage = stage_at(Nanoseconds(probe.intended_ns))) {
      ++stage->delivered;
      stage->corrected.record(corrected);
    }
  if (arrival.sent.count() < 0) return;  // no longer remembered
  const Nanoseconds uncorrected = at - arrival.sent;
  all_.uncorrected.record(uncorrected);
  if (first_ == nullptr) return;
  const auto also = [&](reports::Latency& latency) {
    latency.corrected.record(corrected);
    latency.uncorrected.record(uncorrected);
  };
  if (arrival.first) {
    also(*first_);
    size_class.first.record(corrected);
  }
  if (arrival.median) also(*median_);
  if (!arrival.last) return;
  also(*last_);
  size_class.last.record(corrected);
  // By the kernel's times the one that we read last may have come before the one that we read first.
  const Nanoseconds spread = std::max(at - arrival.first_at, Nanoseconds(0));
  spread_->corrected.record(spread);
  spread_->uncorrected.record(spread);
}

Traffic::Second Traffic::take_second() {
  all_.corrected.merge(second_.corrected);
  Second out = std::move(second_);
  second_ = Second();
  return out;
}

void Traffic::finish() {
  stop_sending();
  ledger_.finish();
  if (remote_) remote_->finish();
  finished_ = true;
}

std::vector<reports::StreamSent> Traffic::streams_sent() const {
  std::vector<reports::StreamSent> out;
  for (std::uint32_t room = 0; remote_ && room < ledger_.room_count(); ++room)
    if (ledger_.first_measured(room) < ledger_.next_sequence(room))
      out.push_back({ledger_.plan(room).name, ledger_.first_measured(room), ledger_.next_sequence(room),
                     refused_[room]});
  return out;
}

std::vector<reports::RoomResult> Traffic::room_results() const {
  std::vector<reports::RoomResult> out = ledger_.room_results();
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].p50_ns = room_latency_[i].quantile(0.5).count();
    out[i].p99_ns = room_latency_[i].quantile(0.99).count();
    out[i].max_ns = room_latency_[i].max().count();
  }
  return out;
}

}  // namespace roomcheck::loadgen
