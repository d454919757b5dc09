// floor_server [--batch] [--uring N]: the cheapest room server that one thread and epoll can be, as the
// baseline of ci/bench.
//
// One room. Whoever connects is a member; what a member sends goes to every member: framed once, then one
// send() for each member, nothing else. With --batch what one pass over the ready sockets has brought is
// joined, and each member gets one send() for all of it. With --uring N the sends go through an io_uring, N
// in each system call (docs/decisions/0008). No ping, no close handshake, no limits: what a real server needs
// on top is what the bench measures.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "benchmarks/floor/uring.h"
#include "benchmarks/floor/wire.h"

namespace roomcheck::floor {
namespace {

class Server {
 public:
  Server(int listener, bool batch, unsigned ring)
      : listener_(listener),
        batch_(batch),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        uring_(ring > 0 ? std::make_unique<Uring>(ring) : nullptr) {
    watch(listener_);
  }

  [[noreturn]] void run() {
    std::vector<epoll_event> events(512);
    for (;;) {
      const int n = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < n; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        fd == listener_ ? accept_all() : read(fd);
      }
      if (!due_.empty()) broadcast(due_);
      due_.clear();
    }
  }

 private:
  void watch(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  void accept_all() {
    for (int fd; (fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      if (static_cast<std::size_t>(fd) >= state_.size())
        state_.resize(static_cast<std::size_t>(fd) + 1, State::none);
      state_[static_cast<std::size_t>(fd)] = State::opening;
      watch(fd);
    }
  }

  void read(int fd) {
    const ssize_t n = ::recv(fd, buffer_, sizeof buffer_, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return leave(fd);
    const std::string_view bytes(buffer_, static_cast<std::size_t>(n));
    if (state_[static_cast<std::size_t>(fd)] == State::opening) return handshake(fd, bytes);
    std::size_t at = 0;
    for (FrameSize size; whole_frame(bytes.data() + at, bytes.size() - at, size);
         at += size.header + size.payload) {
      if ((bytes[at] & 0x0f) == 8) return leave(fd);
      // The floor client masks with zero, loadgen does not: unmask in place.
      char* payload = buffer_ + at + size.header;
      for (std::size_t i = 0; i < size.payload; ++i)
        payload[i] = static_cast<char>(payload[i] ^ payload[static_cast<std::ptrdiff_t>(i % 4) - 4]);
      const std::string out = frame({payload, size.payload}, false);
      batch_ ? void(due_ += out) : broadcast(out);
    }
  }

  // One segment holds the whole request on loopback.
  void handshake(int fd, std::string_view request) {
    constexpr std::string_view kName = "Sec-WebSocket-Key: ";
    const std::size_t at = request.find(kName);
    if (at == request.npos) return leave(fd);
    const std::string_view key = request.substr(at + kName.size(), 24);
    const std::string answer =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
        "Upgrade\r\nSec-WebSocket-Accept: " +
        accept_for(key) + "\r\n\r\n";
    ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    state_[static_cast<std::size_t>(fd)] = State::member;
    members_.push_back(fd);
  }

  void broadcast(const std::string& bytes) {
    if (uring_) {
      for (const int member : members_) uring_->send(member, bytes.data(), bytes.size());
      return uring_->submit();
    }
    for (const int member : members_)
      if (::send(member, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) !=
          static_cast<ssize_t>(bytes.size()))
        die("the floor server does not queue: the client reads too slowly");
  }

  void leave(int fd) {
    members_.erase(std::remove(members_.begin(), members_.end(), fd), members_.end());
    state_[static_cast<std::size_t>(fd)] = State::none;
    ::close(fd);
  }

  enum class State : std::uint8_t { none, opening, member };
  const int listener_;
  const bool batch_;
  const int epoll_;
  const std::unique_ptr<Uring> uring_;
  std::vector<State> state_;  // by descriptor
  std::vector<int> members_;
  std::string due_;
  char buffer_[65536];
};

}  // namespace
}  // namespace roomcheck::floor

int main(int argc, char** argv) {
  using namespace roomcheck::floor;
  raise_open_file_limit();
  std::uint16_t port = 0;
  const int listener = listen_on(0, port);
  std::printf("floor_server: listening on ws://127.0.0.1:%u/\n", unsigned{port});
  std::fflush(stdout);
  bool batch = false;
  unsigned ring = 0;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--batch") == 0) batch = true;
    if (std::strcmp(argv[i], "--uring") == 0 && i + 1 < argc)
      ring = static_cast<unsigned>(std::strtoul(argv[++i], nullptr, 10));
  }
  static Server server(listener, batch, ring);
  server.run();
}
