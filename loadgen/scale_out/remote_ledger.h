#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "loadgen/ledger.h"
#include "loadgen/scale_out/shard.h"
#include "reports/model/load_result.h"

namespace roomcheck::loadgen {

// What came to members of this shard from the other shards of the run; what comes from our own is the
// Ledger's.
//
// The messages of one shard in one room are a stream, numbered without gaps. How long the stream was, only
// that shard knows; here is counted, stream by stream, what came, and which part of it our members were there
// for:
//
//   stream of shard 2 in room 5   warm-up | first ........................ end     (shard 2's result)
//   a member, there all the time           |<------------------------------>|      from_start, to_end
//   one that came during the run                     |<--------------------->|     begins += 1st message,
//   to_end one that left                          |<------------->|                       from_start, ends +=
//   one past the last
//
// `report merge` puts the two together (reports::StreamReceived has the formula): expected and lost are exact
// for the whole run. No clock is compared with another: a message is timed on the shard that sent it, of the
// members there, and elsewhere counted.
//
// Set apart is what is unseen and, only a sender's own messages keeping their order,
//   - was perhaps sent before the member came: not every sender had been heard by then;
//   - or was perhaps in flight when it left: not every sender had been heard since.
//
// Members and rooms are numbered as in the Ledger. Thread: one. Memory: constant after construction, 72
// octets a member and shard, 4 more a member and sender.
class RemoteLedger {
 public:
  // Set in a probe's sender: part of the warm-up.
  static constexpr std::uint32_t kWarmUp = 0x80000000;

  // `senders`: of a room, all shards together; 0: every shard has one outside of its rooms.
  RemoteLedger(const Ledger& local, Shard shard, std::uint32_t senders);

  // The run begins: who is a member now is there from the first message on.
  void begin();
  void join(std::uint32_t member);
  void leave(std::uint32_t member);

  // REQUIRES: the probe's origin is not this shard.
  Arrival::Kind received(std::uint32_t member, const Probe& probe);

  // What comes from now on is late.
  void finish();
  // Everything but expected, delivered and lost, which nobody knows before the merge.
  const reports::Delivery& delivery() const { return delivery_; }
  // After finish(): the streams that somebody here was there for.
  std::vector<reports::StreamReceived> streams() const;

 private:
  static constexpr std::uint32_t kWindow = 256;

  struct Stream {
    bool from_start = false;
    bool begun = false;                   // something of it came
    std::uint32_t first = 0;              // what came first
    std::uint32_t top = 0;                // one past the highest that came
    std::uint32_t holes = 0;              // unseen, and fallen out of the window
    std::uint32_t measured = UINT32_MAX;  // the lowest measured one that came
    std::uint32_t heard = 0;              // senders of the origin that were
    std::uint32_t heard_last = 0;         // the highest of what came first of each
    std::uint32_t apart = 0;              // of the holes
    std::array<std::uint64_t, kWindow / 64> seen{};
  };

  Stream& stream(std::uint32_t member, std::uint32_t origin) {
    return streams_[std::size_t{member} * shard_.count + origin];
  }
  reports::StreamReceived& sum(std::uint32_t room, std::uint32_t origin) {
    return sums_[std::size_t{room} * shard_.count + origin];
  }
  std::uint32_t& after(std::uint32_t member, std::uint32_t origin, std::uint32_t sender) {
    return after_[std::size_t{member} * after_a_member_ + (senders_ == 0 ? origin : sender)];
  }
  static bool mark(Stream& stream, std::uint32_t sequence, std::uint32_t owed_from);  // false: seen before
  std::uint32_t senders_of(std::uint32_t member, std::uint32_t origin) const;
  std::uint32_t surely_owed(std::uint32_t member, std::uint32_t origin);
  std::uint32_t surely_overtaken(std::uint32_t member, std::uint32_t origin);
  void close_account(std::uint32_t member, bool left);
  void offend(const char* kind, std::uint32_t member, const Probe& probe);

  const Ledger& local_;
  const Shard shard_;
  const std::uint32_t senders_;
  const std::uint32_t after_a_member_;
  std::vector<bool> open_;
  std::vector<Stream> streams_;                // [member][origin]
  std::vector<std::uint32_t> after_;           // [member][sender]: one past the highest that came
  std::vector<reports::StreamReceived> sums_;  // [room][origin]
  bool running_ = false;
  bool finished_ = false;
  reports::Delivery delivery_;
};

}  // namespace roomcheck::loadgen
