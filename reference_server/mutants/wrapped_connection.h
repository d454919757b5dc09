#pragma once
#include <string>
#include <utility>

#include "libs/websocket/connection.h"

namespace roomcheck::reference_server {

// A connection with a mutant before it: all but texts goes through as it is.
class WrappedConnection : public websocket::Connection {
 public:
  Sent send_binary(std::string_view payload) override { return inner_->send_binary(payload); }
  void ping(std::string_view payload) override { inner_->ping(payload); }
  void close(std::uint16_t code, std::string_view reason) override { inner_->close(code, reason); }
  void abort() override { inner_->abort(); }
  void pause_reading() override { inner_->pause_reading(); }
  void resume_reading() override { inner_->resume_reading(); }
  std::size_t unsent_bytes() const override { return inner_->unsent_bytes(); }
  std::uint64_t dropped() const override { return inner_->dropped(); }
  std::string remote_address() const override { return inner_->remote_address(); }

 protected:
  explicit WrappedConnection(websocket::ConnectionPtr inner) : inner_(std::move(inner)) {}
  const websocket::ConnectionPtr inner_;
};

}  // namespace roomcheck::reference_server
