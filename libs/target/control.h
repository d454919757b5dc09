#pragma once
#include <chrono>
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
// Errors: bad_input - the target or the driver refused the name or the event; unsupported - this control
// cannot do it;
//         refused, timeout, closed, system - the control itself is broken (a harness error, never the
//         target's).
class Control {
 public:
  virtual ~Control() = default;
  virtual Result<void> group_send(const std::string& group, const event::Event& event) = 0;
  virtual Result<void> channel_send(const std::string& channel, const event::Event& event) = 0;
  virtual Result<std::vector<std::string>> members(const std::string& group) = 0;
  virtual std::string describe() const = 0;  // the address, without secrets
};

// `address`: http://HOST:PORT (the reference server's control API). Throws BadInput for another form.
// `token` (may be empty) is sent as "Authorization: Bearer".
std::unique_ptr<Control> make_control(const std::string& address, const std::string& token,
                                      std::chrono::nanoseconds limit);

}  // namespace roomcheck::target
