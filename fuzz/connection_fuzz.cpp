// What a client sends to the server, over a real socket. The first octet says how: even, the input is the
// request itself (the opening handshake, or plain HTTP); odd, it follows a valid handshake (frames).
// Afterwards another client must still be answered.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>

#include "fuzz/fuzz.h"
#include "libs/websocket/server.h"

using namespace roomcheck;

namespace {

constexpr const char* kHandshake =
    "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

class Echo final : public websocket::ConnectionHandler {
 public:
  void on_message(const websocket::Message& message) override {
    if (message.opcode == websocket::Opcode::text)
      fuzz::promise(websocket::is_valid_utf8(message.payload), "a text is valid UTF-8");
    connection->send_text(message.opcode == websocket::Opcode::text ? message.payload : "binary");
  }
  void on_close(const websocket::CloseInfo&) override {}
  websocket::ConnectionPtr connection;
};

class Application final : public websocket::Application {
 public:
  void on_handshake(std::shared_ptr<websocket::Handshake> handshake) override {
    auto handler = std::make_unique<Echo>();
    Echo& echo = *handler;
    echo.connection = handshake->attach(std::move(handler));
    handshake->accept();
  }
  void on_http(std::shared_ptr<websocket::HttpExchange> exchange) override {
    exchange->respond({200, exchange->request().body, "text/plain", {}});
  }
};

struct World {
  boost::asio::io_context io{1};
  Application application;
  websocket::Server server{io, options(), application};
  static websocket::ServerOptions options() {
    websocket::ServerOptions out;
    out.max_message_size = 64 * 1024;
    out.max_http_body = 64 * 1024;
    return out;
  }
};

// What the machine has not got for the moment, to connect with: descriptors, ports, memory for sockets.
// Nothing that the server has done, unless it never gives its descriptors back.
bool is_shortage(int code) {
  return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM || code == EADDRNOTAVAIL ||
         code == EADDRINUSE || code == EAGAIN;
}

// A descriptor, or -1 in a shortage.
int connected(const World& world) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  // Each from an address of its own in 127/8: the ports of one would all be in TIME_WAIT before long.
  static std::uint32_t client = 0;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + ++client % 0xfffff0);
  int code = fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ? errno : 0;
  address.sin_port = htons(world.server.port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  while (code == 0 && ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    code = errno == EINTR ? 0 : errno;  // libFuzzer's alarm may interrupt it
  fuzz::promise(code == 0 || is_shortage(code),
                (std::string("the server listens: ") + std::strerror(code)).c_str());
  if (code == 0) return fd;
  if (fd >= 0) ::close(fd);
  return -1;
}

// What the server answers until it has nothing more to say, after our end of TCP; nothing in a shortage, here
// or where it accepts.
std::optional<std::string> converse(World& world, const std::string& bytes) {
  const std::uint64_t pauses = world.server.stats().accept_pauses;
  const int fd = connected(world);
  if (fd < 0) return std::nullopt;
  (void)!::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::shutdown(fd, SHUT_WR);
  std::string out;
  char chunk[4096];
  for (int turns = 0; turns < 10000; ++turns) {
    world.io.restart();
    world.io.poll();
    const ssize_t n = ::recv(fd, chunk, sizeof chunk, MSG_DONTWAIT);
    if (n > 0) out.append(chunk, static_cast<std::size_t>(n));
    if (n == 0 || (n < 0 && errno != EAGAIN)) break;
    if (world.server.stats().accept_pauses != pauses) break;
  }
  ::close(fd);
  world.io.restart();
  world.io.poll();
  if (world.server.stats().accept_pauses != pauses) return std::nullopt;
  return out;
}

// The input is given up, and the server gets the time that its limits take to end what still lingers.
void wait_out_a_shortage(World& world, bool short_now) {
  static int in_a_row = 0;
  in_a_row = short_now ? in_a_row + 1 : 0;
  if (!short_now) return;
  fuzz::promise(in_a_row < 100, "within 50 s the server gives its descriptors back");
  world.io.restart();
  world.io.run_for(std::chrono::milliseconds(500));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  if (size == 0) return 0;
  const std::string input(fuzz::text(data + 1, size - 1));
  auto answer = converse(world, data[0] % 2 == 0 ? input : kHandshake + input);
  if (answer) answer = converse(world, std::string(kHandshake) + "\x81\x80\x01\x02\x03\x04");
  wait_out_a_shortage(world, !answer);
  fuzz::promise(!answer || answer->find("101") != std::string::npos, "after any client the next is answered");
  return 0;
}
