#include "loadgen/ledger.h"

#include <algorithm>
#include <cassert>

namespace roomcheck::loadgen {

Ledger::Ledger(std::vector<RoomPlan> rooms, std::uint32_t senders, std::uint32_t remembered)
    : senders_(senders), remembered_(remembered), messages_(rooms.size() * remembered) {
  assert(senders >= 1 && remembered >= 1 && (remembered & (remembered - 1)) == 0);
  for (RoomPlan& plan : rooms) {
    Room room;
    room.first_member = member_count();
    members_.resize(members_.size() + plan.members);
    for (std::uint32_t m = room.first_member; m < members_.size(); ++m) members_[m].room = room_count();
    room.plan = std::move(plan);
    rooms_.push_back(std::move(room));
  }
  after_sender_.resize(members_.size() * senders_);
}

Ledger::Message& Ledger::message(std::uint32_t room, std::uint32_t sequence) {
  return messages_[std::size_t{room} * remembered_ + (sequence & (remembered_ - 1))];
}

const Ledger::Message* Ledger::remembered(std::uint32_t room, std::uint32_t sequence) const {
  const Message& slot = messages_[std::size_t{room} * remembered_ + (sequence & (remembered_ - 1))];
  return slot.sequence == sequence ? &slot : nullptr;
}

void Ledger::offend(const char* kind, std::uint32_t member, std::uint64_t sender, std::uint64_t sequence) {
  if (delivery_.offenders.size() >= kOffenders) return;
  const Room& room = rooms_[members_[member].room];
  delivery_.offenders.push_back(
      {kind, room.plan.name, sender, sequence, room.plan.place(member - room.first_member)});
}

void Ledger::offend_lost(std::uint32_t member, std::uint32_t sequence) {
  const Message* sent = remembered(members_[member].room, sequence);
  offend("lost", member, sent != nullptr ? sent->sender : 0, sequence);
}

void Ledger::join(std::uint32_t number, Nanoseconds at) {
  Member& member = members_[number];
  assert(!member.open && !finished_);
  Room& room = rooms_[member.room];
  if (!member.ever_open) ++room.ever;
  member.open = member.ever_open = true;
  ++room.open;
  ++open_members_;
  room.joining.emplace_back(number, at);
}

void Ledger::sent(std::uint32_t number, std::uint32_t sender, Nanoseconds intended, Nanoseconds at) {
  Room& room = rooms_[number];
  const std::uint32_t sequence = room.next++;
  // Intended times of a room only grow: who joined before this one is a member for all that follow.
  for (std::size_t i = room.joining.size(); i-- > 0;) {
    if (room.joining[i].second > intended) continue;
    Member& member = members_[room.joining[i].first];
    member.first = sequence;
    member.top = sequence;
    room.joining[i] = room.joining.back();
    room.joining.pop_back();
  }
  const auto expected = static_cast<std::uint32_t>(room.open - room.joining.size());
  message(number, sequence) = {sequence, sender, expected, 0, at, Nanoseconds(0)};
  if (intended < measured_from_) return;
  if (room.measured_first == kNone) room.measured_first = sequence;
  outstanding_ += expected;
}

bool Ledger::is_seen(const Member& member, std::uint32_t sequence) const {
  return sequence < member.top && (member.seen[sequence % kWindow / 64] >> (sequence % 64) & 1) != 0;
}

std::uint32_t Ledger::begin_of(const Member& member) const {
  return std::max(member.first, rooms_[member.room].measured_first);
}

// One step for each sequence that the top moves past; in order, that is one.
bool Ledger::mark(std::uint32_t number, std::uint32_t sequence, bool measured) {
  Member& member = members_[number];
  if (sequence < member.top) {
    if (member.top - sequence > kWindow) {
      if (member.holes == 0 || !measured) return false;
      --member.holes;
      --missing_;
      return true;
    }
    std::uint64_t& word = member.seen[sequence % kWindow / 64];
    const std::uint64_t bit = std::uint64_t{1} << (sequence % 64);
    if ((word & bit) != 0) return false;
    word |= bit;
    if (measured) --missing_;
    return true;
  }
  const std::uint32_t begin = begin_of(member);
  for (; member.top <= sequence; ++member.top) {
    std::uint64_t& word = member.seen[member.top % kWindow / 64];
    const std::uint64_t bit = std::uint64_t{1} << (member.top % 64);
    if (member.top >= kWindow && member.top - kWindow >= begin && (word & bit) == 0) {
      ++member.holes;
      offend_lost(number, member.top - kWindow);
    }
    if (member.top == sequence) {
      word |= bit;
    } else {
      word &= ~bit;
      if (member.top >= begin) ++missing_;
    }
  }
  return true;
}

Arrival Ledger::received(std::uint32_t number, const Probe& probe, Nanoseconds at) {
  Member& member = members_[number];
  const Room& room = rooms_[member.room];
  const bool measured = Nanoseconds(probe.intended_ns) >= measured_from_;
  Arrival out;
  out.room = member.room;
  if (probe.room != room.plan.number) {
    out.kind = measured ? Arrival::Kind::foreign : Arrival::Kind::warm_up;
    if (!measured) return out;
    ++delivery_.foreign;
    offend("foreign", number, probe.sender, probe.sequence);
    return out;
  }
  if (probe.sequence >= room.next || probe.sender >= senders_) {
    received_corrupt(number);
    return out;
  }
  if (probe.sequence < member.first) {  // also while it waits for its first: kNone
    out.kind = measured ? Arrival::Kind::set_apart : Arrival::Kind::warm_up;
    if (measured) ++delivery_.in_flight_members;
    return out;
  }
  const bool fresh = mark(number, probe.sequence, measured);
  std::uint32_t& after = after_sender_[std::size_t{number} * senders_ + probe.sender];
  const bool behind = probe.sequence < after;
  if (!behind) after = probe.sequence + 1;
  out.kind = Arrival::Kind::warm_up;
  if (!measured) return out;
  if (!fresh) {
    ++delivery_.duplicated;
    offend("duplicated", number, probe.sender, probe.sequence);
    out.kind = Arrival::Kind::duplicated;
    return out;
  }
  if (finished_) {
    ++delivery_.late;
    out.kind = Arrival::Kind::late;
    return out;
  }
  if (behind) {
    ++delivery_.reordered;
    offend("reordered", number, probe.sender, probe.sequence);
  }
  ++member.delivered;
  ++delivered_;
  --outstanding_;
  out.kind = Arrival::Kind::delivered;
  Message& sent = message(member.room, probe.sequence);
  if (sent.sequence != probe.sequence) return out;
  if (++sent.count == 1) sent.first_at = at;
  out.sent = sent.at;
  out.first_at = sent.first_at;
  out.first = sent.count == 1;
  out.median = sent.count == (sent.expected + 1) / 2;
  out.last = sent.count == sent.expected;
  return out;
}

void Ledger::received_corrupt(std::uint32_t member) {
  ++delivery_.corrupt;
  offend("corrupt", member, 0, 0);
}

bool Ledger::is_overtaken(std::uint32_t number, std::uint32_t sequence) const {
  const Message* sent = remembered(members_[number].room, sequence);
  return sent == nullptr || after_sender_[std::size_t{number} * senders_ + sent->sender] > sequence;
}

void Ledger::retract(std::uint32_t number, std::uint32_t sequence) {
  const Room& room = rooms_[number];
  if (finished_ || room.measured_first == kNone || sequence < room.measured_first) return;
  for (std::uint32_t m = room.first_member; m < room.first_member + room.plan.members; ++m) {
    Member& member = members_[m];
    if (!member.open || sequence < begin_of(member) || !mark(m, sequence, true)) continue;
    ++member.set_apart;
    --outstanding_;
    Message& sent = message(number, sequence);
    if (sent.sequence == sequence) --sent.expected;
  }
}

void Ledger::leave(std::uint32_t number) {
  Member& member = members_[number];
  if (!member.open || finished_) return;
  Room& room = rooms_[member.room];
  --room.open;
  --open_members_;
  room.joining.erase(std::remove_if(room.joining.begin(), room.joining.end(),
                                    [&](const auto& joining) { return joining.first == number; }),
                     room.joining.end());
  const std::uint32_t window = member.top > kWindow ? member.top - kWindow : 0;
  for (std::uint32_t s = std::max(begin_of(member), window); s < room.next; ++s) {
    if (is_seen(member, s) || is_overtaken(number, s)) continue;
    ++member.set_apart;
    ++delivery_.in_flight_members;
    --outstanding_;
    if (s < member.top) --missing_;
    --message(member.room, s).expected;
  }
  close_account(number, true);
  const bool ever = member.ever_open;
  const std::uint32_t of_room = member.room;
  member = Member();
  member.room = of_room;
  member.ever_open = ever;
  const auto after = after_sender_.begin() + static_cast<std::ptrdiff_t>(std::size_t{number} * senders_);
  std::fill(after, after + senders_, 0u);
}

// Adds what the member was owed and got to the sums of its room, and names what it has lost.
void Ledger::close_account(std::uint32_t number, bool left) {
  const Member& member = members_[number];
  Room& room = rooms_[member.room];
  const std::uint32_t begin = begin_of(member);
  if (room.next <= begin) return;
  const std::uint64_t expected = std::uint64_t{room.next} - begin - member.set_apart;
  room.expected += expected;
  room.delivered += member.delivered;
  if (expected == member.delivered) return;
  if (left) outstanding_ -= expected - member.delivered;
  const std::uint32_t window = member.top > kWindow ? member.top - kWindow : 0;
  for (std::uint32_t s = std::max(begin, window); s < room.next; ++s) {
    if (delivery_.offenders.size() >= kOffenders) break;
    if (!is_seen(member, s) && (!left || is_overtaken(number, s))) offend_lost(number, s);
  }
}

void Ledger::finish() {
  assert(!finished_);
  finished_ = true;
  for (Room& room : rooms_) {
    for (std::uint32_t m = room.first_member; m < room.first_member + room.plan.members; ++m)
      if (members_[m].open) close_account(m, false);
    reports::RoomResult result;
    result.room = room.plan.name;
    result.members = room.ever;
    result.expected = room.expected;
    result.delivered = room.delivered;
    result.lost = room.expected - room.delivered;
    delivery_.expected += result.expected;
    delivery_.delivered += result.delivered;
    delivery_.lost += result.lost;
    room_results_.push_back(std::move(result));
  }
}

}  // namespace roomcheck::loadgen
