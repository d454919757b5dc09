#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libs/base/result.h"
#include "libs/event/event.h"

namespace roomcheck::target {

// How we reach the target from outside its sockets: push into a group, send to one channel name, ask for the
// members. Blocking calls, each bounded by the time limit given at creation.
//
// Thread: any; calls are serialised inside.
// Errors: bad_input - the target or the driver refused the name or the event; full - the channel is full;
//         unsupported - this control cannot do it;
//         refused, timeout, closed, system - the control itself is broken (a harness error, never the
//         target's).
class Control {
 public:
  virtual ~Control() = default;
  virtual Result<void> group_send(const std::string& group, const event::Event& event) = 0;
  virtual Result<void> channel_send(const std::string& channel, const event::Event& event) = 0;
  virtual Result<std::vector<std::string>> members(const std::string& group) = 0;
  // False where members() is unsupported by design (pub/sub: nobody can list a group).
  virtual bool knows_members() { return true; }

  // Whether channel_of() is possible.
  virtual bool finds_channels() { return knows_members(); }
  // Runs `join`, which makes exactly one connection a member of `group` (effective when it returns), and
  // tells that connection's channel name. `join` may throw; it must not call this control. Where
  // knows_members() is false the name is a guess, right as long as nobody else joined meanwhile: send there
  // once to make sure. Error unsupported: the name cannot be told (none or several were new): could not test.
  virtual Result<std::string> channel_of(const std::string& group, const std::function<void()>& join);

  // The names of the groups that have a member now and hold this text: how a target names its groups can be
  // seen. Error unsupported: this control cannot list groups.
  virtual Result<std::vector<std::string>> groups_with(const std::string& text);

  virtual std::string describe() const = 0;  // the address, without secrets
};

// `address`: http://HOST:PORT (the reference server's control API),
// redis://HOST:PORT/DB?layer=core|pubsub&prefix=asgi (a peer of channels_redis) or cmd:COMMAND
// (docs/PROFILES.md). Throws BadInput for another form. `token` (may be empty) is sent as "Authorization:
// Bearer".
std::unique_ptr<Control> make_control(const std::string& address, const std::string& token,
                                      std::chrono::nanoseconds limit);

}  // namespace roomcheck::target
