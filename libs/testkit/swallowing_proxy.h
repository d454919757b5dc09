#pragma once
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace roomcheck::testkit {

// A way to a port of 127.0.0.1 that can go dead: TCP connections to port() are carried on to it, until
// swallow(). From then on nothing is read or forwarded in either direction, and nothing is closed: whoever
// came this way is half open. Throws std::runtime_error when it cannot listen.
class SwallowingProxy {
 public:
  explicit SwallowingProxy(std::uint16_t target);
  ~SwallowingProxy();
  SwallowingProxy(const SwallowingProxy&) = delete;
  SwallowingProxy& operator=(const SwallowingProxy&) = delete;

  std::uint16_t port() const { return port_; }
  void swallow();  // returns when it does

 private:
  struct Way {
    int from, to;
    bool ended = false;
  };
  void carry();
  void accept_one();
  bool send_all(int to, const char* data, std::size_t size) const;  // false: it ended, or swallow() came

  const std::uint16_t target_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  int wake_[2] = {-1, -1};  // closing the second ends carry()
  std::vector<Way> ways_;   // thread_ only, until it has ended
  std::thread thread_;
};

}  // namespace roomcheck::testkit
