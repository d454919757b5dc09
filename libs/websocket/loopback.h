#pragma once
// For the tests of this folder: a server and its clients on one event loop.
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "libs/websocket/client.h"
#include "libs/websocket/raw_client.h"
#include "libs/websocket/server.h"

namespace roomcheck::websocket {

// What one side of a connection saw.
struct Seen {
  std::vector<std::string> texts;
  std::vector<std::string> binaries;
  std::vector<std::uint16_t> closes;
  std::vector<ConnectFailure> failures;
  bool opened = false;
};

class Recorder : public ClientHandler {
 public:
  explicit Recorder(std::shared_ptr<Seen> seen, std::function<void(const Message&)> then = {})
      : seen_(std::move(seen)), then_(std::move(then)) {}
  void on_open() override { seen_->opened = true; }
  void on_message(const Message& message) override {
    (message.opcode == Opcode::text ? seen_->texts : seen_->binaries).emplace_back(message.payload);
    if (then_) then_(message);
  }
  void on_close(const CloseInfo& info) override { seen_->closes.push_back(info.code); }
  void on_failed(const ConnectFailure& failure) override { seen_->failures.push_back(failure); }

 private:
  std::shared_ptr<Seen> seen_;
  std::function<void(const Message&)> then_;
};

class Loopback : public testing::Test, public Application {
 protected:
  // REQUIRES: before the first connect(), if other than the defaults.
  ServerOptions options;
  ClientTls client_tls;

  struct Accepted {
    ConnectionPtr connection;
    std::shared_ptr<Seen> seen = std::make_shared<Seen>();
  };
  std::vector<Accepted> accepted;  // server side, in order of arrival
  bool hold = false;               // keep handshakes unanswered in `held`
  std::vector<std::shared_ptr<Handshake>> held;
  std::function<void(Connection&, const Message&)> on_server_message;

  void on_handshake(std::shared_ptr<Handshake> handshake) override {
    Accepted entry;
    auto handler =
        std::make_unique<Recorder>(entry.seen, [this, index = accepted.size()](const Message& message) {
          if (on_server_message) on_server_message(*accepted[index].connection, message);
        });
    entry.connection = handshake->attach(std::move(handler));
    accepted.push_back(entry);
    if (hold) {
      held.push_back(handshake);
    } else {
      handshake->accept();
    }
  }

  void on_http(std::shared_ptr<HttpExchange> exchange) override {
    exchange->respond({200,
                       exchange->request().method + " " + exchange->request().path + "?" +
                           exchange->request().query + " " + exchange->request().body,
                       "text/plain",
                       {}});
  }

  Server& server() {
    if (!server_) server_ = std::make_unique<Server>(io, options, *this);
    return *server_;
  }

  Url url(const std::string& target = "/") {
    return parse_url((options.tls.enabled() ? "wss://127.0.0.1:" : "ws://127.0.0.1:") +
                     std::to_string(server().port()) + target);
  }

  struct Opened {
    ConnectionPtr connection;
    std::shared_ptr<Seen> seen = std::make_shared<Seen>();
  };
  Opened connect(ConnectOptions connect_options = {}) {
    if (connect_options.url.host.empty()) connect_options.url = url();
    if (!client_) client_ = std::make_unique<Client>(io, client_tls);
    Opened out;
    out.connection = client_->connect(connect_options, std::make_unique<Recorder>(out.seen));
    return out;
  }
  Opened open() {
    Opened out = connect();
    run_until([&] { return out.seen->opened; });
    return out;
  }

  // Runs the loop until `ready`; what never comes fails the test instead of hanging it.
  template <class Ready>
  void run_until(Ready ready) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!ready() && std::chrono::steady_clock::now() < limit) {
      io.restart();
      io.run_one_for(std::chrono::milliseconds(20));
    }
    ASSERT_TRUE(ready());
  }
  // Runs the loop until `blocking` has returned, in a thread of its own.
  void run_while(const std::function<void()>& blocking) {
    std::atomic<bool> done{false};
    std::thread thread([&] {
      blocking();
      done = true;
    });
    run_until([&] { return done.load(); });
    thread.join();
  }
  // Against a peer that lies on the wire.
  void against(const std::function<void(RawClient&, Nanoseconds deadline)>& steps) {
    run_while([&, to = url()] {
      const Nanoseconds deadline = steady_clock().now() + std::chrono::seconds(20);
      const auto client = RawClient::connect(to, deadline);
      if (client.ok()) steps(**client, deadline);
    });
  }
  // An open connection whose other end the test is. nullptr: it did not open.
  std::unique_ptr<RawClient> raw_peer() {
    std::unique_ptr<RawClient> out;
    run_while([&, to = url()] {
      const Nanoseconds deadline = steady_clock().now() + std::chrono::seconds(20);
      auto client = RawClient::connect(to, deadline);
      if (client.ok() && (*client)->handshake({}, deadline).status == 101) out = std::move(*client);
    });
    return out;
  }
  void settle() {
    io.restart();
    io.poll();
  }

  boost::asio::io_context io{1};
  std::unique_ptr<Server> server_;
  std::unique_ptr<Client> client_;

  void TearDown() override {
    client_.reset();
    held.clear();
    server_.reset();
    settle();
  }
};

}  // namespace roomcheck::websocket
