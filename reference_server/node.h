#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "libs/channel_layer/channel_layer.h"
#include "libs/channel_layer/redis.h"
#include "libs/websocket/server.h"
#include "reference_server/auth/origin.h"
#include "reference_server/auth/session.h"
#include "reference_server/host.h"
#include "reference_server/mutants/mutation.h"
#include "reference_server/routing.h"
#include "reference_server/sync_pool.h"

namespace roomcheck::reference_server {

enum class LayerKind { memory, redis, redis_pubsub };

struct NodeOptions {
  websocket::ServerOptions server;
  websocket::ServerOptions control;
  bool control_enabled = true;
  std::size_t max_connections_per_address = 0;  // of all loops; 0: no such limit
  std::string control_token;
  std::vector<std::string> allowed_origins;  // OriginValidator's patterns; none: no validator, as in the seed
  std::vector<std::string> session_keys;     // SessionVerifier's; none: everybody is anonymous
  std::chrono::seconds session_age = std::chrono::hours(14 * 24);  // SESSION_COOKIE_AGE
  std::string session_cookie = "sessionid";                        // SESSION_COOKIE_NAME
  bool login_required = false;                                     // on every route
  LayerKind layer_kind = LayerKind::memory;
  channel_layer::LayerOptions layer;
  channel_layer::RedisOptions redis;  // but for its `layer`, which is the one above
  ConsumerKind chat_consumer = ConsumerKind::async;
  std::size_t threads = 1;
  std::vector<std::string> mutants;
};

// What the control API refused, beyond what its server does.
struct ControlStats {
  std::uint64_t unauthorized = 0;  // not the token
  std::uint64_t bad_requests = 0;  // the body is no event: not JSON, too deep, no object with a type
};

struct NodeStats {
  websocket::ServerStats server;  // of all loops
  channel_layer::LayerStats layer;
  HostStats hosts;
  SessionStats sessions;
  websocket::ServerStats control;  // of the control API's server
  ControlStats control_api;
};

// The server: N event loops, each with its own listener on the same port, its own connections and its own
// layer object; the control API on the first loop.
//
// Thread: constructed, run and destroyed by one thread, which is also the first loop.
class Node {
 public:
  // Listens; throws StartFailure, BadInput.
  explicit Node(const NodeOptions& options);
  ~Node();

  // Until stop(); returns when every connection is closed.
  void run();
  // Closes every connection with 1001 within 5 s, then run() returns. From any thread, also a signal
  // handler's loop.
  void stop();

  std::uint16_t port() const;
  std::uint16_t control_port() const;  // 0: off

  // The statistics of all loops, added; `done` runs on the first loop.
  void collect(std::function<void(NodeStats)> done);

  boost::asio::io_context& first_loop();
  channel_layer::ChannelLayer& first_layer();
  const Mutation* mutation() const;
  ControlStats& control_stats() { return control_stats_; }  // of the first loop

 private:
  class Loop;
  using MakeLayer = std::function<std::unique_ptr<channel_layer::ChannelLayer>(boost::asio::io_context&)>;
  MakeLayer layer_maker() const;
  void on_loop_empty();
  std::optional<std::string> user_of(const websocket::Request& request, SessionStats& stats) const;
  NodeOptions options_;
  const OriginValidator origins_;
  const std::optional<SessionVerifier> sessions_;
  std::unique_ptr<Mutation> mutation_;
  SyncPool pool_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::unique_ptr<Wire> wire_;              // before the server, when a mutant stands there
  std::atomic<std::size_t> open_loops_{0};  // that still have connections
  std::thread last_words_;  // waits for sync consumers that still leave their groups, then for the layer
  std::unique_ptr<websocket::Application> control_application_;
  std::unique_ptr<websocket::Server> control_;
  ControlStats control_stats_;
};

// The control API (docs/PROFILES.md, "Control over HTTP").
std::unique_ptr<websocket::Application> make_control(Node& node, std::string token);

// Plain HTTP on the public port: /, /healthz, /metrics.
void serve_page(const std::shared_ptr<websocket::HttpExchange>& exchange, Node& node,
                boost::asio::io_context& io);

}  // namespace roomcheck::reference_server
