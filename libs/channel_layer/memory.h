#pragma once
#include <boost/asio/io_context.hpp>
#include <memory>

#include "libs/base/clock.h"
#include "libs/channel_layer/channel_layer.h"

namespace roomcheck::channel_layer {

// The channel layer within one process, for any number of event loops: they share a hub.
//
//   loop 1 --- InMemoryChannelLayer ---+
//                                      +--- InMemoryHub: groups, channel queues (guarded by one mutex)
//   loop 2 --- InMemoryChannelLayer ---+
//
// A group_send reaches each loop as one posted task, whatever the number of members there.
class InMemoryHub;

// Thread: any, once made.
std::shared_ptr<InMemoryHub> make_in_memory_hub(const LayerOptions& options, const Clock& clock);

// REQUIRES: `io` outlives the layer.
std::unique_ptr<ChannelLayer> make_in_memory_layer(std::shared_ptr<InMemoryHub> hub,
                                                   boost::asio::io_context& io);

}  // namespace roomcheck::channel_layer
