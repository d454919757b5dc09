#pragma once
// For the tests of what goes wrong: the program, and an ordinary room in it that must not notice.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "libs/base/regex.h"
#include "libs/testkit/paths.h"
#include "libs/testkit/process.h"
#include "libs/websocket/raw_client.h"

namespace roomcheck::reference_server {

using websocket::RawClient;
using websocket::RawFrame;

inline const std::string kPrefixes =
    "\\u9884\\u8b66\\u4fe1\\u606f2\\uff1a\\u9884\\u8b66\\u4fe1\\u606f1\\uff1a";

// A limit for what must come; no test expects it to be reached.
inline Nanoseconds soon() { return steady_clock().now() + std::chrono::seconds(60); }

inline std::string upgrade(const std::string& path) {
  return "GET " + path +
         " HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
}

inline RawFrame frame(std::uint8_t opcode, const std::string& payload, bool fin = true) {
  RawFrame out;
  out.opcode = opcode;
  out.payload = payload;
  out.fin = fin;
  return out;
}

inline std::string encoded(const RawFrame& frame) { return RawClient::encode(frame); }

// A TCP connection that only takes a few octets at a time, so that the kernel does not hide a slow reader.
class Socket {
 public:
  explicit Socket(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int small = 4096;
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error(std::string("cannot connect: ") + std::strerror(errno));
  }
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&&) = delete;

  void say(std::string_view octets) const {
    (void)!::send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL);  // refused: what is heard tells
  }
  // Until the other side ends the connection.
  std::string hear() const {
    const timeval limit{60, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    std::string out;
    std::array<char, 4096> part{};
    for (ssize_t n = 0; (n = ::recv(fd_, part.data(), part.size(), 0)) > 0;)
      out.append(part.data(), static_cast<std::size_t>(n));
    return out;
  }

 private:
  int fd_;
};

// reference_server on free ports.
class Program {
 public:
  explicit Program(const std::vector<std::string>& more = {},
                   const std::map<std::string, std::string>& environment = {})
      : process_(command(more), environment) {
    port_ = process_.wait_for("listening on ws://127.0.0.1:(\\d+)");
    control_port_ = process_.wait_for("control on http://127.0.0.1:(\\d+)");
  }

  std::uint16_t port() const { return static_cast<std::uint16_t>(std::stoi(port_)); }
  std::uint16_t control_port() const { return static_cast<std::uint16_t>(std::stoi(control_port_)); }
  testkit::Process& process() { return process_; }

  std::unique_ptr<RawClient> connect() const { return connect(port_); }

  // In the room of `path` when this returns. `by_way_of`: another port that leads here.
  std::unique_ptr<RawClient> member(const std::string& path, const websocket::Headers& headers = {},
                                    std::uint16_t by_way_of = 0) const {
    auto client = connect(by_way_of == 0 ? port_ : std::to_string(by_way_of));
    websocket::RawHandshake handshake;
    handshake.target = path;
    handshake.headers = headers;
    if (client->handshake(handshake, soon()).status != 101) throw std::runtime_error("not let in: " + path);
    return client;
  }

  // Everything that the public port says to these octets until it ends the connection.
  std::string exchange(const std::string& octets) const {
    const Socket socket(port());
    socket.say(octets);
    return socket.hear();
  }

  websocket::RawResponse control(const std::string& method, const std::string& path, const std::string& body,
                                 const std::string& token = "") const {
    const auto client = connect(control_port_);
    std::string request = method + " " + path + " HTTP/1.1\r\nHost: x\r\n";
    if (!token.empty()) request += "Authorization: Bearer " + token + "\r\n";
    (void)client->send_bytes(request + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body,
                             soon());
    return client->read_response(soon());
  }

  // A counter of /metrics, without its prefix.
  std::uint64_t metric(const std::string& name) const {
    const std::string all = exchange("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto found = Regex("\nroomcheck_" + name + " (\\d+)\n").find(all);
    if (!found) throw std::runtime_error("no metric " + name + " in " + all);
    return std::stoull((*found)[1]);
  }
  void await(const std::string& name, std::uint64_t at_least) const {
    for (const Nanoseconds limit = soon(); metric(name) < at_least;)
      if (steady_clock().now() > limit)
        throw std::runtime_error(name + " stays at " + std::to_string(metric(name)));
  }
  void await_below(const std::string& name, std::uint64_t bound) const {
    for (const Nanoseconds limit = soon(); metric(name) >= bound;)
      if (steady_clock().now() > limit)
        throw std::runtime_error(name + " stays at " + std::to_string(metric(name)));
  }

 private:
  static std::vector<std::string> command(const std::vector<std::string>& more) {
    std::vector<std::string> out{testkit::bin_dir() + "/reference_server", "--listen", "127.0.0.1:0",
                                 "--control", "127.0.0.1:0"};
    out.insert(out.end(), more.begin(), more.end());
    return out;
  }

  static std::unique_ptr<RawClient> connect(const std::string& port) {
    auto client = RawClient::connect(websocket::parse_url("ws://127.0.0.1:" + port + "/"), soon());
    if (!client.ok()) throw std::runtime_error(client.error().message);
    return std::move(client).value();
  }

  testkit::Process process_;
  std::string port_;
  std::string control_port_;
};

// Five members of one room. The first says 0, 1, 2, ..., each when all five have heard the one before; that
// every member hears exactly these, in order, is checked for each.
class OrdinaryRoom {
 public:
  static constexpr std::size_t kMembers = 5;
  static constexpr const char* kPath = "/ws/chat/ordinary/";

  explicit OrdinaryRoom(const Program& server) {
    for (std::size_t i = 0; i < kMembers; ++i) members_.push_back(server.member(kPath));
    thread_ = std::thread([this] { run(); });
    advance(1);
  }
  ~OrdinaryRoom() { (void)finish(); }
  OrdinaryRoom(const OrdinaryRoom&) = delete;
  OrdinaryRoom& operator=(const OrdinaryRoom&) = delete;

  // Returns when so many more messages have reached everybody, or something went wrong (finish() says what).
  void advance(std::uint64_t rounds) {
    std::unique_lock lock(mutex_);
    const std::uint64_t wanted = rounds_ + rounds;
    changed_.wait(lock, [&] { return rounds_ >= wanted || !wrong_.empty(); });
  }

  // Empty when every member heard everything exactly once.
  std::string finish() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    return wrong_;
  }

 private:
  void run() {
    for (std::uint64_t round = 0; !stop_; ++round) {
      const std::string number = std::to_string(round);
      const std::string wanted = R"({"message": ")" + kPrefixes + number + "\"}";
      std::string wrong;
      if (!members_[0]->send_text(R"({"msg": ")" + number + "\"}", soon()).ok()) wrong = "cannot send";
      for (std::size_t i = 0; i < kMembers && wrong.empty(); ++i) {
        const websocket::Received got = members_[i]->read_message(soon());
        if (got.kind != websocket::Received::Kind::text || got.payload != wanted)
          wrong = "member " + std::to_string(i) + " heard " + std::string(to_string(got.kind)) + " " +
                  got.payload + " instead of message " + number;
      }
      const std::lock_guard lock(mutex_);
      ++rounds_;
      wrong_ = wrong;
      changed_.notify_all();
      if (!wrong.empty()) return;
    }
  }

  std::vector<std::unique_ptr<RawClient>> members_;
  std::thread thread_;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t rounds_ = 0;  // guarded by mutex_
  std::string wrong_;         // guarded by mutex_ until the thread has ended
};

}  // namespace roomcheck::reference_server
