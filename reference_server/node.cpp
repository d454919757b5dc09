#include "reference_server/node.h"

#include <spdlog/spdlog.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <thread>

#include "libs/base/cancellation.h"
#include "libs/channel_layer/memory.h"
#include "reference_server/mutants/wire.h"

namespace roomcheck::reference_server {
namespace {

void add(NodeStats& sum, const websocket::ServerStats& server, const HostStats& hosts,
         const SessionStats& sessions) {
  sum.server.connections += server.connections;
  sum.server.accepted += server.accepted;
  sum.server.upgraded += server.upgraded;
  sum.server.refused += server.refused;
  sum.server.messages_received += server.messages_received;
  sum.server.messages_sent += server.messages_sent;
  sum.server.messages_dropped += server.messages_dropped;
  sum.server.bytes_sent += server.bytes_sent;
  sum.server.handshake_timeouts += server.handshake_timeouts;
  sum.server.idle_timeouts += server.idle_timeouts;
  sum.server.close_timeouts += server.close_timeouts;
  sum.server.unanswered_pings += server.unanswered_pings;
  sum.server.over_limit_closes += server.over_limit_closes;
  sum.server.over_connection_limit += server.over_connection_limit;
  sum.server.over_address_limit += server.over_address_limit;
  sum.server.accept_pauses += server.accept_pauses;
  sum.server.bad_requests += server.bad_requests;
  sum.server.too_large_requests += server.too_large_requests;
  sum.server.too_large_messages += server.too_large_messages;
  sum.server.protocol_errors += server.protocol_errors;
  sum.hosts.bad_messages += hosts.bad_messages;
  sum.hosts.bad_events += hosts.bad_events;
  sum.sessions.too_large += sessions.too_large;
  sum.sessions.expired += sessions.expired;
  sum.sessions.bad += sessions.bad;
}

std::optional<SessionVerifier> verifier(const NodeOptions& options) {
  if (options.session_keys.empty()) return std::nullopt;
  return SessionVerifier(options.session_keys, options.session_age, options.session_cookie);
}

}  // namespace

// One event loop: everything in it belongs to its thread.
class Node::Loop final : public websocket::Application {
 public:
  Loop(Node& node, const MakeLayer& make_layer, const websocket::ServerOptions& options)
      : node_(node), guard_(boost::asio::make_work_guard(io_)) {
    layer_ = make_layer(io_);
    if (node.mutation_) layer_ = node.mutation_->wrap(std::move(layer_), io_);
    parts_.reset(new LoopParts{io_, *layer_, node.pool_, node.mutation_.get()});
    server_ = std::make_unique<websocket::Server>(io_, options, *this);
  }

  void on_handshake(std::shared_ptr<websocket::Handshake> handshake) override {
    const websocket::Request& request = handshake->request();
    const auto refuse = [&handshake](int status, const char* why) {
      handshake->refuse({status, why, "text/plain; charset=utf-8", {}});
    };
    if (!node_.origins_.allows(request.headers)) return refuse(403, "this origin is not allowed\n");
    std::optional<Route> found = route(request.path, node_.options_.chat_consumer);
    if (node_.mutation_) found = node_.mutation_->reroute(request, found, node_.options_.chat_consumer);
    if (!found) return refuse(404, "no route for this path\n");
    std::optional<std::string> user = node_.user_of(request, sessions_);
    if (!user && (found->login_required || node_.options_.login_required))
      return refuse(403, "log in first\n");
    host_consumer(std::move(handshake), *found, std::move(user), *parts_);
  }

  void on_http(std::shared_ptr<websocket::HttpExchange> exchange) override {
    serve_page(exchange, node_, io_);
  }

  void stop() {
    boost::asio::post(io_, [this] {
      if (stopping_) return;
      stopping_ = true;
      server_->shut_down(1001, std::chrono::seconds(5), [this] { node_.on_loop_empty(); });
    });
  }

  boost::asio::io_context io_{1};

 private:
  friend class Node;
  Node& node_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  std::unique_ptr<channel_layer::ChannelLayer> layer_;
  std::unique_ptr<LoopParts> parts_;
  std::unique_ptr<websocket::Server> server_;
  SessionStats sessions_;
  bool stopping_ = false;
};

Node::Node(const NodeOptions& options)
    : options_(options), origins_(options.allowed_origins), sessions_(verifier(options)) {
  if (!options.mutants.empty()) mutation_ = std::make_unique<Mutation>(options.mutants);
  websocket::ServerOptions server = options.server;
  websocket::require_free_port(server.host, server.port);
  const bool wired = mutation_ && mutation_->on_the_wire();
  if (wired) {
    if (server.tls.enabled())
      throw BadInput("--mutant " + options.mutants.front() + " cannot see through TLS: leave out --tls-cert");
    server.host = "127.0.0.1";
    server.port = 0;
  }
  const MakeLayer make_layer = layer_maker();
  if (options.max_connections_per_address > 0)
    server.address_limit = std::make_shared<websocket::AddressLimit>(options.max_connections_per_address);
  if (server.max_connections > 0)
    server.max_connections = std::max<std::size_t>(1, server.max_connections / options.threads);
  for (std::size_t i = 0; i < options.threads; ++i) {
    loops_.push_back(std::make_unique<Loop>(*this, make_layer, server));
    server.port = port();  // port 0 was any: the others share the one that was found
  }
  open_loops_ = loops_.size();
  if (wired) wire_ = mutation_->listen(first_loop(), options.server.host, options.server.port, port());
  if (!options.control_enabled) return;
  control_application_ = make_control(*this, options.control_token);
  control_ = std::make_unique<websocket::Server>(first_loop(), options.control, *control_application_);
}

Node::~Node() {
  pool_.stop();
  control_.reset();                           // runs on the first loop
  while (!loops_.empty()) loops_.pop_back();  // the first is the home of what they share
}

// What the loops of this node share is made with the first layer, on the first loop.
Node::MakeLayer Node::layer_maker() const {
  using namespace channel_layer;
  if (options_.layer_kind == LayerKind::memory)
    return [hub = make_in_memory_hub(options_.layer, steady_clock())](boost::asio::io_context& io) {
      return make_in_memory_layer(hub, io);
    };
  const auto make_peer = options_.layer_kind == LayerKind::redis ? make_redis_peer : make_redis_pubsub_peer;
  RedisOptions redis = options_.redis;
  redis.layer = options_.layer;
  return [redis, make_peer, peer = std::shared_ptr<RedisPeer>()](boost::asio::io_context& io) mutable {
    if (!peer) peer = make_peer(redis, io);
    return make_redis_layer(peer, io);
  };
}

void Node::run() {
  std::vector<std::thread> threads;
  const auto run = [this](std::size_t i) {
    decline_cancellation();
    loops_[i]->io_.run();
  };
  for (std::size_t i = 1; i < loops_.size(); ++i) threads.emplace_back(run, i);
  run(0);
  for (std::thread& thread : threads) thread.join();
  if (last_words_.joinable()) last_words_.join();
}

void Node::stop() {
  if (wire_) boost::asio::post(first_loop(), [this] { wire_->stop(); });
  for (const auto& loop : loops_) loop->stop();
}

// The loops run on until the sync consumers, which wait for them, have left their groups.
void Node::on_loop_empty() {
  if (--open_loops_ > 0) return;
  last_words_ = std::thread([this] {
    pool_.join();
    boost::asio::post(first_loop(), [this] {
      first_layer().close([this](const Result<void>& closed) {
        if (!closed.ok()) spdlog::warn("the channel layer: {}", closed.error().message);
        for (const auto& loop : loops_) loop->io_.stop();
      });
    });
  });
}

std::optional<std::string> Node::user_of(const websocket::Request& request, SessionStats& stats) const {
  return sessions_ ? sessions_->user_of(request.headers, wall_now(), stats) : std::nullopt;
}

std::uint16_t Node::port() const { return wire_ ? wire_->port() : loops_[0]->server_->port(); }
std::uint16_t Node::control_port() const { return control_ ? control_->port() : 0; }
boost::asio::io_context& Node::first_loop() { return loops_[0]->io_; }
channel_layer::ChannelLayer& Node::first_layer() { return *loops_[0]->layer_; }
const Mutation* Node::mutation() const { return mutation_.get(); }

void Node::collect(std::function<void(NodeStats)> done) {
  struct Sum {
    NodeStats stats;
    std::size_t missing;
    std::function<void(NodeStats)> done;
  };
  const auto sum = std::make_shared<Sum>(Sum{{}, loops_.size(), std::move(done)});
  for (const auto& loop : loops_)
    boost::asio::post(loop->io_, [this, sum, loop = loop.get()] {
      const auto server = loop->server_->stats();
      const auto hosts = loop->parts_->stats;
      const auto sessions = loop->sessions_;
      boost::asio::post(first_loop(), [this, sum, server, hosts, sessions] {
        add(sum->stats, server, hosts, sessions);
        if (--sum->missing > 0) return;
        sum->stats.layer = first_layer().stats();  // the hub's: of all loops
        if (control_) sum->stats.control = control_->stats();
        sum->stats.control_api = control_stats_;
        sum->done(sum->stats);
      });
    });
}

}  // namespace roomcheck::reference_server
