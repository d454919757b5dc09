#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "loadgen/probe.h"
#include "reports/model/load_result.h"

namespace roomcheck::loadgen {

// A room of this ledger.
struct RoomPlan {
  std::uint32_t number = 0;  // among all rooms of the run, as in the probe
  std::string name;
  std::uint32_t members = 0;
  std::uint32_t index = 0;         // among the rooms of its workload: whose turn it is to send
  std::uint64_t first_client = 0;  // number of its first member among all clients of the run
  // On several machines each has a part of the members: our k-th has the place first_place + k * stride.
  std::uint32_t first_place = 0;
  std::uint32_t stride = 1;
  std::uint32_t elsewhere = 0;  // members that other shards have

  std::uint32_t place(std::uint32_t member) const { return first_place + member * stride; }
  std::uint32_t places() const { return members + elsewhere; }
};

// What one delivery turned out to be, with what is needed to time it.
struct Arrival {
  enum class Kind {
    delivered,  // expected, for the first time
    duplicated,
    foreign,    // of another room
    corrupt,    // nothing we have sent
    set_apart,  // sent before this member counted as one
    warm_up,    // not part of the result
    late        // after finish()
  };
  Kind kind = Kind::corrupt;
  std::uint32_t room = 0;    // local number
  Nanoseconds sent{-1};      // when it left; -1: no longer remembered
  Nanoseconds first_at{-1};  // when the message's first delivery came; -1: no longer remembered
  bool first = false;        // of the message's deliveries
  bool median = false;
  bool last = false;
};

// Who was a member when, what was sent, and what came.
//
//   member 7 of room 3, a window of 256 sequences, `top` is one past the highest that came
//
//        fallen out      |<------------- 256 bits ------------->| top
//     ...  ?  ?  hole  ? | 1 1 1 1 0 1 1 1 1 1 1 1 1 1 1 0 1 1 1 |  not yet
//
// Expected is what was sent while the member was one: a member that joins counts from the first message whose
// intended time is not before its join; one that leaves takes what was in flight to it (sent, not come, not
// overtaken by a later message of the same sender) with it, set apart; its account is then closed, and it may
// join again. Lost = expected - delivered, so it does not depend on the window; the window tells a second
// delivery from a first. A delivery from behind the window is taken for a hole's when there are holes, as
// reordered, else it is a duplicate.
//
// Members are numbered room by room, in the order of the plans. Thread: one. Memory: constant after
// construction, about 100 octets a member, 4 more a member and sender, 48 a remembered message.
class Ledger {
 public:
  static constexpr std::uint32_t kWindow = 256;
  static constexpr std::size_t kOffenders = 10;

  // `remembered`: messages of a room whose send time and count are kept; a power of two. REQUIRES: senders
  // >= 1.
  Ledger(std::vector<RoomPlan> rooms, std::uint32_t senders, std::uint32_t remembered);

  // Messages intended before are warm-up. Until it is called all are.
  void measure_from(Nanoseconds intended) { measured_from_ = intended; }

  void join(std::uint32_t member, Nanoseconds at);
  void leave(std::uint32_t member);

  std::uint32_t next_sequence(std::uint32_t room) const { return rooms_[room].next; }
  // Of the first measured message; UINT32_MAX: there was none.
  std::uint32_t first_measured(std::uint32_t room) const { return rooms_[room].measured_first; }
  // The room's next message has left.
  void sent(std::uint32_t room, std::uint32_t sender, Nanoseconds intended, Nanoseconds at);

  // `sequence` of the room did not leave after all: it is expected of nobody.
  void retract(std::uint32_t room, std::uint32_t sequence);

  Arrival received(std::uint32_t member, const Probe& probe, Nanoseconds at);
  // Came, but is nothing that we have written.
  void received_corrupt(std::uint32_t member);

  // Measured deliveries that are expected of open members and have not come.
  std::uint64_t outstanding() const { return outstanding_; }
  // Measured deliveries overtaken by a later one to the same member: what looks lost while the run goes on.
  std::uint64_t missing() const { return missing_; }
  std::uint64_t delivered() const { return delivered_; }
  std::uint64_t open_members() const { return open_members_; }

  // The drain has ended: what is outstanding now is lost, what comes from now on is late.
  void finish();
  // After finish(): the sums; `late` still grows with what comes.
  const reports::Delivery& delivery() const { return delivery_; }
  // After finish(): expected, delivered and lost of each room, without latencies.
  const std::vector<reports::RoomResult>& room_results() const { return room_results_; }

  std::uint32_t room_of(std::uint32_t member) const { return members_[member].room; }
  std::uint32_t first_member(std::uint32_t room) const { return rooms_[room].first_member; }
  const RoomPlan& plan(std::uint32_t room) const { return rooms_[room].plan; }
  std::uint32_t room_count() const { return static_cast<std::uint32_t>(rooms_.size()); }
  std::uint32_t member_count() const { return static_cast<std::uint32_t>(members_.size()); }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  struct Room {
    RoomPlan plan;
    std::uint32_t first_member = 0;
    std::uint32_t open = 0;
    std::uint64_t expected = 0, delivered = 0;                   // of closed accounts
    std::uint32_t ever = 0;                                      // members that have joined at least once
    std::uint32_t next = 0;                                      // sequence of the next message
    std::uint32_t measured_first = kNone;                        // sequence of the first measured one
    std::vector<std::pair<std::uint32_t, Nanoseconds>> joining;  // joined since the last message, and when
  };
  struct Member {
    std::uint32_t room = 0;
    std::uint32_t first = kNone;  // first expected sequence
    std::uint32_t top = 0;
    std::uint32_t holes = 0;  // expected, measured, unseen and fallen out of the window
    std::uint32_t delivered = 0;
    std::uint32_t set_apart = 0;
    bool open = false;
    bool ever_open = false;
    std::array<std::uint64_t, kWindow / 64>
        seen{};  // sequence s is bit s % kWindow, for s in [top - kWindow, top)
  };
  struct Message {
    std::uint32_t sequence = kNone;
    std::uint32_t sender = 0;
    std::uint32_t expected = 0;
    std::uint32_t count = 0;
    Nanoseconds at{0};
    Nanoseconds first_at{0};
  };

  bool is_seen(const Member& member, std::uint32_t sequence) const;
  bool mark(std::uint32_t number, std::uint32_t sequence, bool measured);  // false: seen before
  bool is_overtaken(std::uint32_t number, std::uint32_t sequence) const;
  std::uint32_t begin_of(const Member& member) const;
  Message& message(std::uint32_t room, std::uint32_t sequence);
  const Message* remembered(std::uint32_t room, std::uint32_t sequence) const;
  void offend(const char* kind, std::uint32_t member, std::uint64_t sender, std::uint64_t sequence);
  void offend_lost(std::uint32_t member, std::uint32_t sequence);
  void close_account(std::uint32_t member, bool left);

  std::vector<Room> rooms_;
  std::vector<Member> members_;
  std::uint32_t senders_;
  std::uint32_t remembered_;
  std::vector<Message> messages_;  // a ring of remembered_ for each room
  std::vector<std::uint32_t>
      after_sender_;  // [member * senders_ + sender]: one past the highest sequence that came
  Nanoseconds measured_from_ = Nanoseconds::max();
  std::uint64_t outstanding_ = 0;
  std::uint64_t missing_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t open_members_ = 0;
  bool finished_ = false;
  reports::Delivery delivery_;
  std::vector<reports::RoomResult> room_results_;
};

}  // namespace roomcheck::loadgen
