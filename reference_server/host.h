#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <memory>

#include "libs/channel_layer/channel_layer.h"
#include "libs/websocket/server.h"
#include "reference_server/consumers/consumer.h"
#include "reference_server/routing.h"
#include "reference_server/sync_pool.h"

namespace roomcheck::reference_server {

class Mutation;

// Counted per event loop.
struct HostStats {
  std::uint64_t bad_messages = 0;
  std::uint64_t bad_events = 0;
};

// What the consumers of one event loop share. Outlives them.
struct LoopParts {
  boost::asio::io_context& io;
  channel_layer::ChannelLayer& layer;
  SyncPool& pool;
  const Mutation* mutation;                             // null: the server is right
  FanOut fan_out = FanOut(FanOut::Threads::one);        // for consumers on the loop
  FanOut pool_fan_out = FanOut(FanOut::Threads::many);  // for those on the pool
  HostStats stats = {};
  EventMemo<Result<std::string>> handlers = {};  // the name of an event's handler
};

// Runs a consumer for a handshake: gives it its channel name and scope, feeds it what the client and the
// channel layer send, and makes sure that it leaves its group however the connection ends.
//
// Thread: the loop of `parts`. Answers the handshake when the consumer accepts.
void host_consumer(std::shared_ptr<websocket::Handshake> handshake, const Route& route,
                   std::optional<std::string> user, LoopParts& parts);

}  // namespace roomcheck::reference_server
