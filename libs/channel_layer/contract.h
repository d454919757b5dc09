#pragma once
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "libs/channel_layer/channel_layer.h"

namespace roomcheck::channel_layer {

// A backend under the contract suite: how to make it, and which rows of SPEC section layer it has.
struct Backend {
  std::string name;
  bool keeps_messages = true;  // a send waits for a later receive (not on pub/sub)
  bool checks_names = true;
  bool has_capacity = true;     // a full channel refuses (not on pub/sub)
  bool refuses_at_once = true;  // capacity counts what is on its way to a listener (not on Redis)
  bool has_expiry = true;
  bool knows_members = true;

  // A node: what its loops share. Layers made from one node see each other.
  using Node = std::function<std::unique_ptr<ChannelLayer>(boost::asio::io_context&)>;
  std::function<Node(const LayerOptions&, const Clock&)> make_node;
};

std::vector<Backend> backends();

}  // namespace roomcheck::channel_layer
