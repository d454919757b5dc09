#pragma once
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "libs/websocket/connection.h"
#include "libs/websocket/http.h"
#include "libs/websocket/tls.h"
#include "libs/websocket/url.h"

namespace roomcheck::websocket {

struct ConnectOptions {
  Url url;
  Headers headers;
  std::string cookies;  // value of the Cookie header; empty: none
  std::vector<std::string> subprotocols;
  bool compress = false;       // offer permessage-deflate
  std::string source_address;  // bind to it before connecting; empty: the kernel's choice
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);  // from connect() to the 101
  std::size_t max_message_size = 16u << 20;
  std::size_t send_buffer_limit = 4u << 20;
  // Ask the kernel when it received what a read brings (Message::kernel_at): one time for each read, of its
  // last segment. Not with TLS, whose records hide it: there it fails to open.
  bool kernel_timestamps = false;
};

// What an attempt to connect cost, each measured from connect(), and what it came to.
struct ConnectTimes {
  Nanoseconds tcp{0};
  Nanoseconds tls{0};       // 0 without TLS
  Nanoseconds upgrade{0};   // 101 read
  bool compressed = false;  // permessage-deflate was agreed on
};

// Why a connection did not open.
struct ConnectFailure {
  enum class Stage { resolve, tcp, tls, http, timeout };
  Stage stage = Stage::tcp;
  int status = 0;       // the HTTP status when stage is http
  std::string message;  // one sentence
};
std::string_view to_string(ConnectFailure::Stage stage);

// The application's side of a client's connection. Exactly one of on_connected() and on_failed() comes first;
// on_close() comes exactly once after on_connected(), never after on_failed().
class ClientHandler : public ConnectionHandler {
 public:
  virtual void on_connected(const ConnectTimes& times) { (void)times; }
  virtual void on_failed(const ConnectFailure& failure) = 0;
};

struct ClientStats {
  std::uint64_t opened = 0;
  std::uint64_t failed = 0;
  std::uint64_t messages_received = 0;
};

// Opens WebSocket connections on one event loop, by the thousand.
//
// Thread: the loop that runs `io`. Names are resolved once per host and remembered.
class Client {
 public:
  // Throws BadInput when a TLS file cannot be read.
  explicit Client(boost::asio::io_context& io, const ClientTls& tls = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Starts to connect; never blocks, never calls the handler before it returns.
  ConnectionPtr connect(const ConnectOptions& options, std::unique_ptr<ClientHandler> handler);

  ClientStats stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace roomcheck::websocket
