#pragma once
// For the tests of this folder: what a client of the server saw.
#include <memory>
#include <string>
#include <vector>

#include "libs/websocket/client.h"

namespace roomcheck::reference_server {

struct Seen {
  std::vector<std::string> texts;
  std::vector<std::uint16_t> closes;
  std::vector<int> refused;
  bool opened = false;
};

class Recorder final : public websocket::ClientHandler {
 public:
  explicit Recorder(std::shared_ptr<Seen> seen) : seen_(std::move(seen)) {}
  void on_open() override { seen_->opened = true; }
  void on_message(const websocket::Message& message) override { seen_->texts.emplace_back(message.payload); }
  void on_close(const websocket::CloseInfo& info) override { seen_->closes.push_back(info.code); }
  void on_failed(const websocket::ConnectFailure& failure) override {
    seen_->refused.push_back(failure.status);
  }

 private:
  std::shared_ptr<Seen> seen_;
};

}  // namespace roomcheck::reference_server
