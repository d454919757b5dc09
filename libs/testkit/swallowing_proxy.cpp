#include "libs/testkit/swallowing_proxy.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace roomcheck::testkit {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return out;
}

void require(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("the proxy cannot ") + what + ": " + std::strerror(errno));
}

}  // namespace

SwallowingProxy::SwallowingProxy(std::uint16_t target) : target_(target) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  require(
      ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0 && ::listen(listener_, 1024) == 0 &&
          ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0 && ::pipe(wake_) == 0,
      "listen");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { carry(); });
}

SwallowingProxy::~SwallowingProxy() {
  swallow();
  for (const Way& way : ways_) ::close(way.from);  // each descriptor is the `from` of one way
  ::close(listener_);
  ::close(wake_[0]);
}

void SwallowingProxy::swallow() {
  if (!thread_.joinable()) return;
  ::close(wake_[1]);
  thread_.join();
}

void SwallowingProxy::accept_one() {
  const int near = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  const int far = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(target_);
  if (near < 0 || ::connect(far, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(near);
    ::close(far);
    return;
  }
  ways_.push_back({near, far, false});
  ways_.push_back({far, near, false});
}

bool SwallowingProxy::send_all(int to, const char* data, std::size_t size) const {
  while (size > 0) {
    std::array<pollfd, 2> watched{{{wake_[0], POLLIN, 0}, {to, POLLOUT, 0}}};
    ::poll(watched.data(), watched.size(), -1);
    if (watched[0].revents != 0) return false;
    const ssize_t n = ::send(to, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN) return false;
    if (n < 0) continue;
    data += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

void SwallowingProxy::carry() {
  std::array<char, 16384> part{};
  for (;;) {
    std::vector<pollfd> watched{{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const Way& way : ways_)
      watched.push_back({way.ended ? -1 : way.from, POLLIN, 0});  // poll() passes over -1
    if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) return;
    if (watched[0].revents != 0) return;
    for (std::size_t i = 2; i < watched.size(); ++i) {
      Way& way = ways_[i - 2];
      if (watched[i].revents == 0) continue;
      const ssize_t n = ::recv(way.from, part.data(), part.size(), 0);
      if (n > 0 && send_all(way.to, part.data(), static_cast<std::size_t>(n))) continue;
      way.ended = true;
      ::shutdown(way.to, SHUT_WR);
    }
    if (watched[1].revents != 0) accept_one();
  }
}

}  // namespace roomcheck::testkit
