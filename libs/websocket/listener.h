#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "libs/websocket/reactor.h"

namespace roomcheck::websocket {

// Opens a listening socket. Throws StartFailure with the address and the remedy.
int listen_on(const std::string& host, std::uint16_t port, bool reuse_port);

// Accepts connections of one listening socket. Without descriptors left it waits for the next tick instead of
// spinning.
//
// Thread: the reactor's loop.
class Listener final : public Pollable, public std::enable_shared_from_this<Listener> {
 public:
  using Accepted = std::function<void(int fd, std::string remote_address)>;
  Listener(Reactor& reactor, int fd, Accepted accepted);
  ~Listener() override;

  void start();
  void stop();
  std::uint16_t port() const;
  std::uint64_t pauses() const { return pauses_; }  // for want of descriptors or memory

  void on_events(std::uint32_t events) override;
  void flush() override {}
  void on_tick(Nanoseconds now) override;

 private:
  Reactor& reactor_;
  int fd_;
  Accepted accepted_;
  bool paused_ = false;
  std::uint64_t pauses_ = 0;
};

}  // namespace roomcheck::websocket
