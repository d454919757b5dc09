#include "loadgen/workload/fan_out.h"

#include <algorithm>
#include <cmath>

namespace roomcheck::loadgen {
namespace {

using Sent = websocket::Connection::Sent;

constexpr std::uint32_t kJoinSequence =
    UINT32_MAX;  // of the message by which a member finds out that it has joined
constexpr int kBurst = 256;
constexpr double kRememberedSeconds = 60;  // a message is timed by its send time for this long at least

std::uint32_t remembered_per_room(const Scenario& s) {
  const double wanted = std::clamp(s.rate / s.rooms * kRememberedSeconds, 64.0, 1048576.0);
  std::uint32_t out = 64;
  while (out < wanted) out *= 2;
  return out;
}

}  // namespace

FanOut::FanOut(const Scenario& scenario, const target::Profile& profile, std::uint32_t run,
               std::uint32_t thread, Port& port, const Clock& clock)
    : probes_(run, 0, scenario.payload),
      port_(port),
      clock_(clock),
      schedule_(scenario.rate),
      rooms_in_run_(scenario.rooms),
      senders_(scenario.senders),
      self_echo_(profile.join_barrier == target::JoinBarrier::self_echo),
      warmup_(scenario.warmup),
      total_(schedule_.count_before(scenario.warmup + scenario.duration)),
      ledger_(rooms_of(scenario, run, thread), scenario.senders, remembered_per_room(scenario)),
      is_open_(ledger_.member_count()),
      is_joined_(ledger_.member_count()),
      room_latency_(ledger_.room_count()) {
  if (!profile.greeting.empty()) greeting_.emplace(profile.greeting);
  const std::string text = probes_.text({});
  frame_ = profile.room.send.render(text);
  probe_at_ = frame_.find(text);
  if (probe_at_ == frame_.npos)
    throw BadInput("profile " + profile.name +
                   ": room.send changes the text it carries; the probe would not be found again");
}

std::uint32_t FanOut::senders_of(std::uint32_t room) const {
  return std::min(senders_, ledger_.plan(room).members);
}

void FanOut::opened(std::uint32_t member, Nanoseconds at) {
  is_open_[member] = true;
  if (!self_echo_) {
    is_joined_[member] = true;
    ++joined_;
    ledger_.join(member, at);
    return;
  }
  probes_.write({ledger_.plan(ledger_.room_of(member)).number, member, kJoinSequence, at.count()},
                &frame_[probe_at_]);
  port_.send(member, frame_);
}

void FanOut::closed(std::uint32_t member) {
  is_open_[member] = false;
  if (is_joined_[member]) ledger_.leave(member);
}

void FanOut::start(Nanoseconds start) {
  start_ = start;
  measured_from_ = start + warmup_;
  ledger_.measure_from(measured_from_);
  turn_ = 0;
  room_ = 0;
  next_due_ = start;
  advance();
}

// Sets next_due_ for the message at (turn_, room_).
void FanOut::advance() {
  const std::uint64_t n = turn_ * rooms_in_run_ + ledger_.plan(room_).number;
  next_due_ = n < total_ ? start_ + schedule_.due(n) : Nanoseconds::max();
}

void FanOut::stop_sending() { next_due_ = Nanoseconds::max(); }

void FanOut::send_due(Nanoseconds now) {
  for (int i = 0; i < kBurst && next_due_ <= now; ++i) {
    send_one();
    if (++room_ == ledger_.room_count()) {
      room_ = 0;
      ++turn_;
    }
    advance();
  }
}

void FanOut::send_one() {
  const bool measured = next_due_ >= measured_from_;
  sends_.intended += measured ? 1 : 0;
  const std::uint32_t count = senders_of(room_);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto sender = static_cast<std::uint32_t>((turn_ + i) % count);
    const std::uint32_t member = ledger_.first_member(room_) + sender;
    if (!is_joined_[member] || !is_open_[member]) continue;  // the next in line speaks in its place
    const Probe probe{ledger_.plan(room_).number, sender, ledger_.next_sequence(room_), next_due_.count()};
    probes_.write(probe, &frame_[probe_at_]);
    const Nanoseconds now = clock_.now();
    const Sent sent = port_.send(member, frame_);
    if (sent == Sent::closed) continue;
    if (sent == Sent::dropped) {
      sends_.dropped_full += measured ? 1 : 0;
      return;
    }
    ledger_.sent(room_, sender, next_due_, now);
    ++second_.sent;
    sends_.sent += measured ? 1 : 0;
    sends_.late += measured && now - next_due_ > kLate ? 1 : 0;
    return;
  }
  sends_.dropped_no_sender += measured ? 1 : 0;
}

void FanOut::receive(std::uint32_t member, std::string_view payload, Nanoseconds at) {
  Probe probe;
  const ProbeFormat::Found found = probes_.find(payload, probe);
  if (found != ProbeFormat::Found::ours) {
    if (found == ProbeFormat::Found::nothing && greeting_ &&
        std::regex_search(payload.begin(), payload.end(), *greeting_))
      return;
    return ledger_.received_corrupt(member);
  }
  if (probe.sequence == kJoinSequence) {  // others' are no business of this one's
    if (probe.sender != member || is_joined_[member]) return;
    is_joined_[member] = true;
    ++joined_;
    return ledger_.join(member, at);
  }
  const Arrival arrival = ledger_.received(member, probe);
  if (arrival.kind == Arrival::Kind::delivered || arrival.kind == Arrival::Kind::warm_up) ++second_.delivered;
  if (arrival.kind != Arrival::Kind::delivered) return;
  const Nanoseconds corrected = at - Nanoseconds(probe.intended_ns);
  second_.corrected.record(corrected);
  room_latency_[arrival.room].record(corrected);
  const bool has_send_time = arrival.sent.count() >= 0;
  const Nanoseconds uncorrected = at - arrival.sent;
  if (has_send_time) fan_out_.uncorrected.record(uncorrected);
  const auto also = [&](reports::Latency& latency) {
    latency.corrected.record(corrected);
    latency.uncorrected.record(uncorrected);
  };
  if (arrival.first) also(first_);
  if (arrival.median) also(median_);
  if (arrival.last) also(last_);
}

FanOut::Second FanOut::take_second() {
  fan_out_.corrected.merge(second_.corrected);
  Second out = std::move(second_);
  second_ = Second();
  return out;
}

void FanOut::finish() {
  stop_sending();
  ledger_.finish();
}

std::vector<reports::RoomResult> FanOut::room_results() const {
  std::vector<reports::RoomResult> out = ledger_.room_results();
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].p50_ns = room_latency_[i].quantile(0.5).count();
    out[i].p99_ns = room_latency_[i].quantile(0.99).count();
    out[i].max_ns = room_latency_[i].max().count();
  }
  return out;
}

}  // namespace roomcheck::loadgen
