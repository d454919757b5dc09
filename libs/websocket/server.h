#pragma once
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "libs/websocket/address_limit.h"
#include "libs/websocket/connection.h"
#include "libs/websocket/http.h"
#include "libs/websocket/tls.h"

namespace roomcheck::websocket {

struct ServerOptions {
  std::string host = "127.0.0.1";  // an address; names are resolved once, at listen()
  std::uint16_t port = 0;          // 0: any free one, see Server::port()
  bool reuse_port = true;          // SO_REUSEPORT: one Server per event loop on one port
  ServerTls tls;
  std::size_t max_connections = 0;  // of this Server; beyond it new ones get HTTP 503. 0: no limit of our own
  std::shared_ptr<AddressLimit> address_limit;  // beyond it new ones get HTTP 429. Null: no such limit
  std::size_t max_message_size = 16u << 20;     // longer messages, or twice as much with frame headers: 1009
  std::size_t max_http_body = 1u << 20;         // longer: 413
  std::size_t send_buffer_limit = 4u << 20;     // unsent bytes of one connection
  std::chrono::nanoseconds over_limit_time = std::chrono::seconds(10);  // at the limit this long: close 1013
  std::chrono::nanoseconds handshake_timeout =
      std::chrono::seconds(10);  // from accept to the complete request
  std::chrono::nanoseconds idle_timeout =
      std::chrono::seconds(60);  // nothing received: closed; ping at a third. 0: never
};

// Counters of one Server, never decreasing (but connections).
struct ServerStats {
  std::uint64_t connections = 0;  // open now, WebSocket only
  std::uint64_t accepted = 0;     // TCP connections
  std::uint64_t upgraded = 0;     // handshakes answered 101
  std::uint64_t refused = 0;      // handshakes answered otherwise
  std::uint64_t messages_received = 0;
  std::uint64_t messages_sent = 0;
  std::uint64_t messages_dropped = 0;  // over send_buffer_limit
  std::uint64_t bytes_sent = 0;
  std::uint64_t handshake_timeouts = 0;
  std::uint64_t idle_timeouts = 0;
  std::uint64_t close_timeouts = 0;    // WebSockets whose closing the client did not finish
  std::uint64_t unanswered_pings = 0;  // over send_buffer_limit
  std::uint64_t over_limit_closes = 0;
  std::uint64_t over_connection_limit = 0;
  std::uint64_t over_address_limit = 0;
  std::uint64_t accept_pauses = 0;       // no descriptor or memory left for another connection
  std::uint64_t bad_requests = 0;        // HTTP that cannot be parsed, or is ambiguous
  std::uint64_t too_large_requests = 0;  // headers or body
  std::uint64_t too_large_messages = 0;  // closed 1009
  std::uint64_t protocol_errors = 0;     // RFC 6455 broken by a client: closed 1002 or 1007
};

// A WebSocket handshake that waits for the application's word. It may be answered at once or later (a channel
// layer on Redis joins first), once; dropped unanswered, it answers 500. If the client gives up first, an
// answer is a no-op and the handler given to attach() gets its on_close().
//
// Thread: the server's event loop.
class Handshake {
 public:
  virtual ~Handshake() = default;
  virtual const Request& request() const = 0;
  // The subprotocols that the client offered, in its order.
  virtual std::vector<std::string> offered_subprotocols() const = 0;

  // Ties the application's handler to the connection before the answer, so that it may join its groups first:
  // what is sent on the returned connection before accept() follows the 101.
  virtual ConnectionPtr attach(std::unique_ptr<ConnectionHandler> handler) = 0;

  // Answers 101. REQUIRES: attach() was called; `subprotocol` is empty or one of those offered.
  virtual void accept(const std::string& subprotocol = "") = 0;
  // Answers with this response and closes; an attached handler gets on_close().
  virtual void refuse(Response response) = 0;
};

// A plain HTTP request that waits for its response; may be answered later, once; dropped unanswered, it
// answers 500.
class HttpExchange {
 public:
  virtual ~HttpExchange() = default;
  virtual const Request& request() const = 0;
  virtual void respond(Response response) = 0;
};

// What a server does with what comes in. RFC 6455 violations of the opening handshake (method, version other
// than 13, key, Upgrade, Connection) never come here: the library answers them (400, 405, 426).
//
// Thread: the server's event loop. Ownership: outlives the Server.
class Application {
 public:
  virtual ~Application() = default;
  virtual void on_handshake(std::shared_ptr<Handshake> handshake) = 0;
  virtual void on_http(std::shared_ptr<HttpExchange> exchange) = 0;
};

// Throws StartFailure when another program listens on the address: SO_REUSEPORT would share the port with it
// silently, so who opens several Servers on one port asks first.
void require_free_port(const std::string& host, std::uint16_t port);

// One listening socket and its connections on one event loop. For several loops make one Server each, with
// the same port and reuse_port: the kernel spreads the connections, nothing is shared.
//
// Thread: the loop that runs `io`, from construction to destruction.
class Server {
 public:
  // Listens. Throws StartFailure with the address and the remedy (port taken, no such address, no permission,
  // a certificate that cannot be read).
  Server(boost::asio::io_context& io, const ServerOptions& options, Application& application);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;
  ServerStats stats() const;

  // Stops listening and closes every connection with `code`; `done` is called when all are gone, at the
  // latest after `limit`, when what is left is aborted.
  void shut_down(std::uint16_t code, std::chrono::nanoseconds limit, std::function<void()> done);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace roomcheck::websocket
