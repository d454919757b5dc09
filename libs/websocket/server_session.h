#pragma once
#include <memory>
#include <string>
#include <unordered_set>

#include "libs/websocket/server.h"
#include "libs/websocket/session.h"

namespace roomcheck::websocket {

class ServerSession;

// Told to a connection when it comes; those that are not admitted stay long enough to hear why.
enum class Admission : std::uint8_t { admitted, server_is_full, address_has_its_share };

// What a Server's sessions look up to; outlived by none of them (they are cut loose first).
struct ServerCore {
  ServerOptions options;
  Application* application;
  ServerStats stats;
  std::unordered_set<ServerSession*> sessions;
  std::size_t told_off = 0;        // of the sessions: not admitted
  std::function<void()> on_empty;  // the last session left while shutting down
};

// A connection that a server accepted: reads the request, asks the application, answers.
class ServerSession final : public Session {
 public:
  ServerSession(boost::asio::io_context& io, ServerCore& core);

  void start(Stream stream, std::string remote_address, Admission admission);
  void cut_loose();  // the server goes away

  // For the application's answer (Handshake, HttpExchange); no-ops when the peer is gone.
  const Request& request() const { return request_; }
  std::vector<std::string> offered_subprotocols() const;
  ConnectionPtr attach(std::unique_ptr<ConnectionHandler> handler);
  void accept(const std::string& subprotocol);
  void respond(const Response& response);

 private:
  enum class Phase : std::uint8_t { reading, waiting, answered };

  void on_opening_event(std::uint32_t events) override;
  void on_opening_bytes(char* bytes, std::size_t n) override;
  void on_opening_end(const std::string& why) override;
  void on_opening_deadline() override;
  void on_open_tick(Nanoseconds now) override;
  void on_received() override;
  void on_sent(std::size_t bytes, bool message) override;
  void on_dropped() override;
  void on_unanswered_ping() override;
  void on_unfinished_close() override;
  void on_failed(std::uint16_t code) override;
  void on_stream_closed() override;

  void dispatch();
  std::string ambiguity() const;   // of the request's length; empty: none
  Response check_upgrade() const;  // status 101: nothing wrong with it

  ServerCore* core_;
  std::unique_ptr<protocol::HttpRequest> parser_ = std::make_unique<protocol::HttpRequest>();
  Request request_;
  std::string early_;  // octets behind the request: frames
  Nanoseconds last_ping_{0};
  Admission admission_ = Admission::admitted;
  Phase phase_ = Phase::reading;
  bool upgraded_ = false;
};

}  // namespace roomcheck::websocket
