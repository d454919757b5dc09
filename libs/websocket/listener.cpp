#include "libs/websocket/listener.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "libs/base/result.h"

namespace roomcheck::websocket {
namespace {

constexpr int kAcceptsPerPass = 256;  // then the connections have their turn
constexpr int kBacklog = 4096;

std::string describe(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    return "[" + std::string(text.data()) + "]:" + std::to_string(ntohs(v6.sin6_port));
  }
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
  ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
  return std::string(text.data()) + ":" + std::to_string(ntohs(v4.sin_port));
}

}  // namespace

int listen_on(const std::string& host, std::uint16_t port, bool reuse_port) {
  const std::string where = host + ":" + std::to_string(port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (const int code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); code != 0)
    throw StartFailure("cannot listen on " + where + ": " + ::gai_strerror(code));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> holder(found, &::freeaddrinfo);
  const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw StartFailure("cannot listen on " + where + ": " + std::strerror(errno));
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (reuse_port) ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (::bind(fd, found->ai_addr, found->ai_addrlen) == 0 && ::listen(fd, kBacklog) == 0) return fd;
  const int code = errno;
  ::close(fd);
  if (code == EADDRINUSE)
    throw StartFailure(
        "cannot listen on " + where +
        ": the port is taken; stop the program that has it or choose another one (port 0 takes any)");
  throw StartFailure("cannot listen on " + where + ": " + std::strerror(code));
}

Listener::Listener(Reactor& reactor, int fd, Accepted accepted)
    : reactor_(reactor), fd_(fd), accepted_(std::move(accepted)) {}

Listener::~Listener() {
  if (fd_ >= 0) ::close(fd_);
}

void Listener::start() { reactor_.add(fd_, *this, EPOLLIN); }

void Listener::stop() {
  if (fd_ < 0) return;
  reactor_.remove(fd_, *this, shared_from_this());
  ::close(fd_);
  fd_ = -1;
}

std::uint16_t Listener::port() const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<sockaddr_in&>(address).sin_port);
}

void Listener::on_events(std::uint32_t) {
  for (int i = 0; i < kAcceptsPerPass && fd_ >= 0; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const int fd = ::accept4(fd_, reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      accepted_(fd, describe(address));
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      // Not for each tick that it lasts.
      ++pauses_;
      if ((pauses_ & (pauses_ - 1)) == 0)
        spdlog::warn("cannot accept connections for now: {}; raise ulimit -n or lower --max-connections",
                     std::strerror(errno));
      paused_ = true;
      reactor_.modify(fd_, *this, 0);
    }
    if (errno != EINTR && errno != ECONNABORTED) return;
  }
}

void Listener::on_tick(Nanoseconds) {
  if (!paused_) return;
  paused_ = false;
  reactor_.modify(fd_, *this, EPOLLIN);
}

}  // namespace roomcheck::websocket
