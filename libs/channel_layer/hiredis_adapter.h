#pragma once
#include <boost/asio/io_context.hpp>

struct redisAsyncContext;

namespace roomcheck::channel_layer {

// Lets hiredis' asynchronous API run on an Asio loop. hiredis keeps the descriptor and closes it.
// REQUIRES: before any callback is set on `context`; `io` outlives it.
void attach_to_asio(redisAsyncContext* context, boost::asio::io_context& io);

}  // namespace roomcheck::channel_layer
