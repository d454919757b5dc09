#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "libs/base/clock.h"
#include "libs/target/control.h"
#include "libs/websocket/reactor.h"

namespace roomcheck::loadgen {

// A producer outside the target's sockets: a thread that makes the control's blocking calls, one after the
// other, so that the event loop never waits for them.
//
// Thread:   the loop's; answers are posted to it.
// Capacity: 1,024 calls wait; beyond that submit() says no, and the caller counts a dropped send.
class Outside {
 public:
  struct Call {
    enum class Kind { group_send, channel_send, members, groups, channel_of, nothing };
    Kind kind = Kind::group_send;
    std::string address;         // group or channel name; groups: the text in their names
    std::string event;           // JSON; of the two sends
    std::function<void()> join;  // of channel_of
  };
  // What became of a call: when it was begun, its error or the names.
  struct Answer {
    Nanoseconds began{0};
    Result<std::vector<std::string>> members = std::vector<std::string>();
  };
  using Done = std::function<void(const Answer&)>;

  Outside(std::unique_ptr<target::Control> control, websocket::Reactor& loop);
  ~Outside();  // waits for the call under way; what still waits is not made
  Outside(const Outside&) = delete;
  Outside& operator=(const Outside&) = delete;

  // `done` runs on the loop; false: too many wait.
  bool submit(Call call, Done done);
  bool lists_members() const { return lists_members_; }

 private:
  static constexpr std::size_t kCapacity = 1024;

  void run();
  Answer make(const Call& call);

  const std::unique_ptr<target::Control> control_;
  const bool lists_members_;
  websocket::Reactor& loop_;
  std::mutex mu_;
  std::condition_variable changed_;
  std::deque<std::pair<Call, Done>> waiting_;  // guarded by mu_
  bool stopping_ = false;                      // guarded by mu_
  std::thread thread_;
};

}  // namespace roomcheck::loadgen
