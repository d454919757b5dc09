#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "layerctl/options.h"
#include "libs/base/result.h"
#include "libs/event/event.h"

namespace roomcheck::layerctl {

// What the verbs need, whichever way they go: blocking, each bounded by --limit. What a way cannot do is
// Error::Kind::unsupported, with a sentence.
class Bus {
 public:
  virtual ~Bus() = default;
  virtual Result<void> send(const std::string& channel, const event::Event& event) = 0;
  // The answer of docs/PROFILES.md: {"members": n, "dropped": m}, or {} where that is not known.
  virtual Result<event::Event> group_send(const std::string& group, const event::Event& event) = 0;
  virtual Result<std::vector<std::string>> members(const std::string& group) = 0;
  // Hands over each event as it comes, until `count` (0: any number) have come, or the limit: then Error
  // timeout, also when count is 0 and some came. REQUIRES: it is the last call.
  using Receiver = std::function<void(const event::Event&)>;
  virtual Result<void> receive(const std::string& channel, std::uint64_t count, const Receiver& receiver) = 0;
  virtual Result<void> group_add(const std::string& group, const std::string& channel) = 0;
  virtual Result<void> group_discard(const std::string& group, const std::string& channel) = 0;
  virtual Result<void> flush() = 0;
};

// Throw BadInput for a wrong URL, key file or address.
std::unique_ptr<Bus> make_layer_bus(const Options& options);    // --layer, --redis-url ...
std::unique_ptr<Bus> make_control_bus(const Options& options);  // --control

}  // namespace roomcheck::layerctl
