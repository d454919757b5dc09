#pragma once
#include <functional>
#include <string>
#include <vector>

#include "libs/target/profile.h"
#include "loadgen/ledger.h"
#include "loadgen/outside.h"
#include "loadgen/workload/workload.h"

namespace roomcheck::loadgen {

// Where the messages from outside go: to a room's group, or to the channel name of its only client. Both are
// found out through the control before the first message, one question after the other (the queue is for
// messages, and too short for every room).
//
// Thread: the loop's. Ownership: the parts outlive it.
class Addresses {
 public:
  struct Parts {
    const Workload& workload;
    const target::Profile& profile;
    const Ledger& ledger;
    Outside& outside;
    std::chrono::nanoseconds limit;  // for one of the answers that may come late
    // Makes the client of a room join; blocks until it has, or throws. Called on outside's thread.
    std::function<void(std::uint32_t room)> join;
  };
  using Done = std::function<void(std::string)>;  // an error's sentence, or ""

  explicit Addresses(Parts parts);

  // Where nobody can list a group (Redis pub/sub), a channel name is what one join brings to the bus: then
  // the clients may join in find() only, one by one.
  bool wants_to_join() const;
  // `done` is called once, not before it returns.
  void find(Done done);

  std::string group(std::uint32_t room) const;
  // Empty: not known, so nothing can be sent.
  const std::string& channel(std::uint32_t room) const { return channels_[room]; }
  // The client of the room is gone (its name with it), and is back.
  void forget(std::uint32_t room);
  void ask_again(std::uint32_t room);

 private:
  bool to_channels() const { return parts_.workload.origin() == Workload::Origin::channel; }
  void find_group();
  void find_channel(std::uint32_t room);
  void take(std::uint32_t room, const Outside::Answer& answer);

  const Parts parts_;
  std::string group_;  // with {room}
  std::vector<std::string> channels_;
  Nanoseconds deadline_{0};
  Done done_;
};

}  // namespace roomcheck::loadgen
