#pragma once
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/clock.h"
#include "libs/channel_layer/channel_layer.h"

namespace roomcheck::channel_layer {

// Where a Redis server is, and as whom we speak to it.
struct RedisUrl {
  std::string host = "localhost";
  std::uint16_t port = 6379;
  std::string socket_path;  // not empty: a unix socket, and host and port mean nothing
  std::string user;
  std::string password;
  int database = 0;

  std::string name() const;  // for people: "redis://host:6379/0", never the password
};

// redis://[user][:password@]host[:port][/database], unix://[user:password@]/path/to.sock[?db=N]; user and
// password may be percent-encoded. Throws BadInput with the accepted forms; refuses rediss:// (TLS), which
// hiredis 0.14 cannot.
RedisUrl parse_redis_url(std::string_view text);

enum class RedisSerializer { msgpack, json };

// per_connection: every channel is an entry of the Redis group, as Python writes it, so that anybody can list
// and address it. per_node: this process is one entry of each group and fans out inside; others then see the
// process, not its connections.
enum class RedisMembers { per_connection, per_node };

// For both layers. What a Django site configures in CHANNEL_LAYERS must be said here alike: nothing of it can
// be discovered from Redis.
struct RedisOptions {
  LayerOptions layer;
  std::vector<RedisUrl> hosts = {RedisUrl()};  // shards; their order is part of the protocol
  std::vector<std::string> encryption_keys;    // the first encrypts, all are tried to decrypt; none: clear
  RedisSerializer serializer = RedisSerializer::msgpack;
  std::size_t random_prefix_length = 12;                // core only: octets that make equal messages distinct
  RedisMembers members = RedisMembers::per_connection;  // core only: on pub/sub groups are per node anyhow

  // Each step of an operation ends within this time, whatever Redis does: while Redis is away it waits that
  // long for it to come back, then fails. (group_send on core has two steps: who is there, then the message.)
  std::chrono::nanoseconds operation_timeout = std::chrono::seconds(3);
  std::chrono::nanoseconds connect_timeout = std::chrono::seconds(2);

  // Where scores come from; every peer of the cluster must have the same clock (NTP).
  std::function<std::chrono::system_clock::time_point()> wall_clock = wall_now;
};

// What the event loops of one process share: its place in the cluster (one client prefix), its Redis
// connections and its memberships. All of it lives on the home loop; decision 0006 says why.
//
//   loop 1 (home) --- layer ---+
//                              +--- RedisPeer on loop 1: connections, memberships --- Redis, one per shard
//   loop 2 ---------- layer ---+
//
// A message that arrives is decoded once and reaches each loop as one posted task, whatever the number of
// members there.
class RedisPeer;

// The layer of channels_redis `core`: sorted sets; messages wait in a process's inbox, with capacity and
// expiry. REQUIRES: `home` outlives the peer, and every layer of the peer is destroyed on the home loop's
// thread or after the loops have ended.
std::shared_ptr<RedisPeer> make_redis_peer(const RedisOptions& options, boost::asio::io_context& home);
// The layer of channels_redis `pubsub`: nothing waits anywhere, members cannot be listed.
std::shared_ptr<RedisPeer> make_redis_pubsub_peer(const RedisOptions& options, boost::asio::io_context& home);

std::unique_ptr<ChannelLayer> make_redis_layer(std::shared_ptr<RedisPeer> peer, boost::asio::io_context& io);

// For a program with one event loop.
std::unique_ptr<ChannelLayer> make_redis_layer(const RedisOptions& options, boost::asio::io_context& io);
std::unique_ptr<ChannelLayer> make_redis_pubsub_layer(const RedisOptions& options,
                                                      boost::asio::io_context& io);

}  // namespace roomcheck::channel_layer
