#pragma once
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

#include "libs/channel_layer/channel_layer.h"

namespace roomcheck::reference_server {

// The channel layer as a consumer uses it: `then` runs where the consumer runs.
class LayerAccess {
 public:
  using Then = std::function<void(Result<void>)>;
  virtual ~LayerAccess() = default;
  virtual void group_add(const std::string& group, const std::string& channel, Then then) = 0;
  virtual void group_discard(const std::string& group, const std::string& channel, Then then) = 0;
  virtual void group_send(const std::string& group, channel_layer::Event event, Then then) = 0;
};

// For async consumers: on the event loop, `then` when it is done (Python: await).
std::unique_ptr<LayerAccess> make_async_access(channel_layer::ChannelLayer& layer);

// For sync consumers, on a thread of the pool: blocks until the loop has done it, then calls `then` at once
// (Python: async_to_sync). A wait of more than 10 s ends with an error.
std::unique_ptr<LayerAccess> make_sync_access(channel_layer::ChannelLayer& layer,
                                              boost::asio::io_context& io);

}  // namespace roomcheck::reference_server
