#include "reference_server/host.h"

#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>

#include "libs/base/prefetch.h"
#include "libs/event/event.h"
#include "reference_server/consumers/echo_consumer.h"
#include "reference_server/consumers/room_consumer.h"
#include "reference_server/consumers/whoami_consumer.h"
#include "reference_server/mutants/mutation.h"

namespace roomcheck::reference_server {
namespace {

bool is_sync(ConsumerKind kind) { return kind == ConsumerKind::sync || kind == ConsumerKind::json; }

// The state of one hosted consumer; alive as long as anything still runs for it.
class Host final : public std::enable_shared_from_this<Host> {
 public:
  Host(const Route& route, LoopParts& parts)
      : parts_(parts),
        on_pool_(is_sync(route.consumer)),
        kind_(route.consumer),
        channel_(parts.layer.new_channel()) {
    if (on_pool_) strand_.emplace(parts.pool.executor());
  }

  void start(const std::shared_ptr<websocket::Handshake>& handshake, const Route& route,
             std::optional<std::string> user);
  void on_message(const websocket::Message& message);
  void on_close(const websocket::CloseInfo& info);
  void on_event(const channel_layer::Message& event, bool more);
  void on_soon(int others) const;

 private:
  class HostClient;

  // Runs a step of the consumer where its kind runs: here and now, or on the pool, one at a time and in
  // order.
  template <class Step>
  void run(Step step) {
    if (!on_pool_) return guarded(step);
    boost::asio::post(*strand_, [self = shared_from_this(), step = std::move(step)] { self->guarded(step); });
  }

  // On the loop, from wherever the consumer runs.
  template <class Call>
  void on_loop(Call call) {
    if (!on_pool_) return call();
    boost::asio::post(parts_.io, [self = shared_from_this(), call = std::move(call)] { call(); });
  }

  template <class Step>
  void guarded(const Step& step) {
    try {
      step();
    } catch (const BadMessage& e) {
      spdlog::debug("closing the connection of {}: {}", channel_, e.what());
      on_loop([this] {
        ++parts_.stats.bad_messages;
        connection_->close(1011, "");
      });
    } catch (const BadEvent& e) {
      spdlog::debug("event ignored by {}: {}", channel_, e.what());
      on_loop([this] { ++parts_.stats.bad_events; });
    }
  }

  void dispatch(const channel_layer::Message& event);

  LoopParts& parts_;
  const bool on_pool_;  // a sync kind; beside what every delivery reads
  bool corked_ = false;
  bool closed_ = false;
  websocket::ConnectionPtr connection_;
  std::unique_ptr<Consumer> consumer_;
  const Client* client_ = nullptr;                                                      // the consumer's
  std::optional<boost::asio::strand<boost::asio::thread_pool::executor_type>> strand_;  // on_pool_ only
  const ConsumerKind kind_;
  const std::string channel_;
  std::shared_ptr<websocket::Handshake> handshake_;  // until answered
};

// The library's handler: owned by the connection, holds the host.
class HostHandler final : public websocket::ConnectionHandler {
 public:
  explicit HostHandler(std::shared_ptr<Host> host) : host_(std::move(host)) {}
  void on_message(const websocket::Message& message) override { host_->on_message(message); }
  void on_close(const websocket::CloseInfo& info) override { host_->on_close(info); }

 private:
  std::shared_ptr<Host> host_;
};

class Host::HostClient final : public Client {
 public:
  // `direct`: the consumer runs on the connection's own loop, so that a delivery needs no detour over the
  // host.
  HostClient(std::weak_ptr<Host> host, websocket::ConnectionPtr connection, bool direct)
      : host_(std::move(host)), connection_(std::move(connection)), direct_(direct) {}

  void accept() override {
    with_host([](Host& host) {
      if (host.handshake_)
        host.handshake_->accept(host.parts_.mutation != nullptr ? host.parts_.mutation->subprotocol() : "");
      host.handshake_.reset();
    });
  }
  void refuse(int status, const std::string& why) override {
    with_host([status, why](Host& host) {
      if (host.handshake_) host.handshake_->refuse({status, why + "\n", "text/plain; charset=utf-8", {}});
      host.handshake_.reset();
    });
  }
  void send(const websocket::PreparedText& text) override {
    if (direct_) {
      connection_->send(text);
    } else {
      with_host([text](Host& host) { host.connection_->send(text); });
    }
  }

 private:
  template <class Call>
  void with_host(Call call) {
    const std::shared_ptr<Host> host = host_.lock();
    if (host) host->on_loop([host, call = std::move(call)] { call(*host); });
  }
  const std::weak_ptr<Host> host_;
  const websocket::ConnectionPtr connection_;
  const bool direct_;
};

void Host::start(const std::shared_ptr<websocket::Handshake>& handshake, const Route& route,
                 std::optional<std::string> user) {
  handshake_ = handshake;
  connection_ = handshake->attach(std::make_unique<HostHandler>(shared_from_this()));
  if (parts_.mutation != nullptr) connection_ = parts_.mutation->wrap(connection_, route, parts_.io);

  Consumer::Parts parts;
  parts.scope = {handshake->request().path, route.room, handshake->request().remote_address, std::move(user)};
  parts.channel_name = channel_;
  parts.channel_layer =
      on_pool_ ? make_sync_access(parts_.layer, parts_.io) : make_async_access(parts_.layer);
  parts.client = std::make_shared<HostClient>(weak_from_this(), connection_, !on_pool_);
  client_ = parts.client.get();
  parts.fan_out = on_pool_ ? &parts_.pool_fan_out : &parts_.fan_out;
  if (route.kind == Route::Kind::echo) {
    consumer_ = std::make_unique<EchoConsumer>(std::move(parts));
  } else if (route.kind == Route::Kind::whoami) {
    consumer_ = std::make_unique<WhoAmIConsumer>(std::move(parts));
  } else if (kind_ == ConsumerKind::json || kind_ == ConsumerKind::async_json) {
    consumer_ = std::make_unique<JsonRoomConsumer>(std::move(parts));
  } else {
    consumer_ = std::make_unique<RoomConsumer>(std::move(parts));
  }

  // Every consumer listens, as in Channels; the connection is accepted after that, so that nothing is missed.
  // `this` is safe: the connection's handler holds the host until on_close(), which ends the listening.
  parts_.layer.listen(channel_,
                      {[this](const channel_layer::Message& event, bool more) { on_event(event, more); },
                       [this](int others) { on_soon(others); }},
                      {});
  run([this] { consumer_->connect(); });
}

void Host::on_message(const websocket::Message& message) {
  const bool text = message.opcode == websocket::Opcode::text;
  const auto receive = [this, text](std::string_view data) {
    if (closed_) return;
    if (text) {
      consumer_->receive(data, std::nullopt);
    } else {
      consumer_->receive(std::nullopt, data);
    }
  };
  if (!on_pool_) return run([&] { receive(message.payload); });
  run([receive, copy = std::string(message.payload)] { receive(copy); });
}

// A consumer on the loop is done with an event when this returns: what all that is due now makes it send
// leaves in one write.
void Host::on_event(const channel_layer::Message& event, bool more) {
  if (on_pool_) return dispatch(event);
  if (!corked_) connection_->cork();
  corked_ = more;
  dispatch(event);
  if (!more) connection_->uncork();
}

// What comes first in this object, then what that leads to.
void Host::on_soon(int others) const {
  if (others > 1) return prefetch(this, 64);
  websocket::fetch_ahead(connection_.get());
  prefetch(consumer_.get(), 64);
  prefetch(client_, sizeof(HostClient));
}

void Host::dispatch(const channel_layer::Message& event) {
  const Result<std::string>& handler = parts_.handlers.once(event, [&] {
    Result<std::string> name = event::handler_name(*event);
    if (!name.ok()) spdlog::warn("event ignored: {}", name.error().message);
    return name;
  });
  if (!handler.ok()) {
    ++parts_.stats.bad_events;
    return;
  }
  if (!on_pool_) return guarded([&] { consumer_->dispatch(*handler, event); });
  run([this, handler = *handler, event] { consumer_->dispatch(handler, event); });
}

void Host::on_close(const websocket::CloseInfo& info) {
  parts_.layer.unlisten(channel_);
  handshake_.reset();
  if (parts_.mutation != nullptr && parts_.mutation->keeps_ghost(info)) return;
  run([this, code = info.code] {
    closed_ = true;
    consumer_->disconnect(code);
  });
}

}  // namespace

void host_consumer(std::shared_ptr<websocket::Handshake> handshake, const Route& route,
                   std::optional<std::string> user, LoopParts& parts) {
  std::make_shared<Host>(route, parts)->start(handshake, route, std::move(user));
}

}  // namespace roomcheck::reference_server
