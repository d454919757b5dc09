#include "loadgen/scale_out/remote_ledger.h"

#include <algorithm>
#include <cassert>

namespace roomcheck::loadgen {

RemoteLedger::RemoteLedger(const Ledger& local, Shard shard, std::uint32_t senders)
    : local_(local),
      shard_(shard),
      senders_(senders),
      after_a_member_(senders == 0 ? shard.count : senders),
      open_(local.member_count()),
      streams_(std::size_t{local.member_count()} * shard.count),
      after_(std::size_t{local.member_count()} * after_a_member_),
      sums_(std::size_t{local.room_count()} * shard.count) {}

void RemoteLedger::begin() {
  running_ = true;
  for (std::uint32_t member = 0; member < open_.size(); ++member)
    for (std::uint32_t origin = 0; open_[member] && origin < shard_.count; ++origin)
      stream(member, origin).from_start = true;
}

void RemoteLedger::join(std::uint32_t member) { open_[member] = true; }

void RemoteLedger::leave(std::uint32_t member) {
  if (!open_[member] || finished_) return;
  open_[member] = false;
  if (running_) close_account(member, true);
  for (std::uint32_t origin = 0; origin < shard_.count; ++origin) stream(member, origin) = Stream();
  const auto begin = after_.begin() + static_cast<std::ptrdiff_t>(std::size_t{member} * after_a_member_);
  std::fill(begin, begin + after_a_member_, 0u);
}

bool RemoteLedger::mark(Stream& stream, std::uint32_t sequence, std::uint32_t owed_from) {
  const auto bit = [](std::uint32_t s) { return std::uint64_t{1} << (s % 64); };
  if (sequence < stream.top) {
    if (stream.top - sequence > kWindow) {
      if (stream.holes == 0) return false;
      --stream.holes;
      if (stream.apart > 0) --stream.apart;
      return true;
    }
    std::uint64_t& word = stream.seen[sequence % kWindow / 64];
    const bool fresh = (word & bit(sequence)) == 0;
    word |= bit(sequence);
    return fresh;
  }
  for (; stream.top <= sequence; ++stream.top) {
    std::uint64_t& word = stream.seen[stream.top % kWindow / 64];
    if (stream.top >= stream.first + kWindow && (word & bit(stream.top)) == 0) {
      ++stream.holes;
      const std::uint32_t fallen = stream.top - kWindow;
      if (fallen >= stream.measured && fallen < owed_from) ++stream.apart;
    }
    word = stream.top == sequence ? word | bit(stream.top) : word & ~bit(stream.top);
  }
  return true;
}

void RemoteLedger::offend(const char* kind, std::uint32_t member, const Probe& probe) {
  if (delivery_.offenders.size() >= Ledger::kOffenders) return;
  const std::uint32_t room = local_.room_of(member);
  const RoomPlan& plan = local_.plan(room);
  delivery_.offenders.push_back({kind, plan.name, probe.sender & ~kWarmUp, probe.sequence,
                                 plan.place(member - local_.first_member(room))});
}

Arrival::Kind RemoteLedger::received(std::uint32_t member, const Probe& probe) {
  using Kind = Arrival::Kind;
  assert(probe.origin != shard_.index);
  const bool measured = (probe.sender & kWarmUp) == 0;
  const std::uint32_t sender = probe.sender & ~kWarmUp;
  const std::uint32_t room = local_.room_of(member);
  if (probe.origin >= shard_.count || sender >= std::max(1u, senders_)) {
    ++delivery_.corrupt;
    offend("corrupt", member, probe);
    return Kind::corrupt;
  }
  if (probe.room != local_.plan(room).number) {
    if (!measured) return Kind::warm_up;
    ++delivery_.foreign;
    offend("foreign", member, probe);
    return Kind::foreign;
  }
  Stream& from = stream(member, probe.origin);
  const bool before = from.begun && !from.from_start && probe.sequence < from.first;
  if (!open_[member] || before) {
    if (measured) ++delivery_.in_flight_members;
    return measured ? Kind::set_apart : Kind::warm_up;
  }
  if (!from.begun) {
    from.begun = true;
    from.first = from.top = probe.sequence;
  }
  std::uint32_t& after_sender = after(member, probe.origin, sender);
  if (after_sender == 0) {
    ++from.heard;
    from.heard_last = std::max(from.heard_last, probe.sequence);
  }
  const bool fresh = mark(from, probe.sequence, surely_owed(member, probe.origin));
  const bool behind = probe.sequence < after_sender;
  if (!behind) after_sender = probe.sequence + 1;
  if (!measured) return Kind::warm_up;
  from.measured = std::min(from.measured, probe.sequence);
  if (!fresh) {
    ++delivery_.duplicated;
    offend("duplicated", member, probe);
    return Kind::duplicated;
  }
  if (finished_) {
    ++delivery_.late;
    return Kind::late;
  }
  if (behind) {
    ++delivery_.reordered;
    offend("reordered", member, probe);
  }
  ++sum(room, probe.origin).delivered;
  return Kind::delivered;
}

// How many senders of the member's room the origin has.
std::uint32_t RemoteLedger::senders_of(std::uint32_t member, std::uint32_t origin) const {
  if (senders_ == 0) return 1;
  const RoomPlan& plan = local_.plan(local_.room_of(member));
  return Shard{origin, shard_.count}.places_of(std::min(senders_, plan.places()), plan.index);
}

// From it on everything was sent after the member came, whoever of the origin's senders it came from.
std::uint32_t RemoteLedger::surely_owed(std::uint32_t member, std::uint32_t origin) {
  const Stream& from = stream(member, origin);
  if (from.from_start) return 0;
  return from.heard < senders_of(member, origin) ? UINT32_MAX : from.heard_last;
}

// Below it everything has been overtaken, whoever of the origin's senders it came from.
std::uint32_t RemoteLedger::surely_overtaken(std::uint32_t member, std::uint32_t origin) {
  if (senders_ == 0) return after(member, origin, 0);
  const RoomPlan& plan = local_.plan(local_.room_of(member));
  std::uint32_t out = UINT32_MAX;
  for (std::uint32_t place = 0; place < std::min(senders_, plan.places()); ++place)
    if (Shard{origin, shard_.count}.has(place, plan.index)) out = std::min(out, after(member, origin, place));
  return out;
}

void RemoteLedger::close_account(std::uint32_t member, bool left) {
  const std::uint32_t room = local_.room_of(member);
  for (std::uint32_t origin = 0; origin < shard_.count; ++origin) {
    const Stream& from = stream(member, origin);
    // Somebody who left before anything measured came was there for nothing of it. Who came in the warm-up
    // and then heard nothing is owed all of it.
    const bool came = from.measured != UINT32_MAX;
    if (origin == shard_.index || !(came || (!left && (from.from_start || from.begun)))) continue;
    reports::StreamReceived& sums = sum(room, origin);
    if (from.from_start || !came)
      ++sums.from_start;
    else
      sums.begins += from.measured;
    left ? sums.ends += from.top : ++sums.to_end;
    std::uint64_t apart = from.apart;
    const std::uint32_t window = from.top > kWindow ? from.top - kWindow : 0;
    const std::uint32_t owed_from = surely_owed(member, origin);
    const std::uint32_t overtaken = left ? surely_overtaken(member, origin) : UINT32_MAX;
    for (std::uint32_t s = std::max(std::min(from.measured, from.top), window); s < from.top; ++s) {
      if ((from.seen[s % kWindow / 64] >> (s % 64) & 1) != 0) continue;
      if (s < owed_from || s >= overtaken)
        ++apart;
      else  // named, as far as it can still be seen; whose it was, only its shard knows
        offend("lost", member, {local_.plan(room).number, 0, s, 0, origin});
    }
    sums.apart += apart;
    delivery_.in_flight_members += apart;
  }
}

void RemoteLedger::finish() {
  if (finished_) return;
  finished_ = true;
  for (std::uint32_t member = 0; running_ && member < open_.size(); ++member)
    if (open_[member]) close_account(member, false);
}

std::vector<reports::StreamReceived> RemoteLedger::streams() const {
  std::vector<reports::StreamReceived> out;
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    const reports::StreamReceived& sums = sums_[i];
    if (sums.from_start + sums.to_end + sums.begins + sums.ends + sums.delivered == 0) continue;
    out.push_back(sums);
    out.back().room = local_.plan(static_cast<std::uint32_t>(i / shard_.count)).name;
    out.back().origin = i % shard_.count;
  }
  return out;
}

}  // namespace roomcheck::loadgen
