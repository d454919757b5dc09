#pragma once
#include "reference_server/consumers/consumer.h"

namespace roomcheck::reference_server {

// The seed's first consumer (step 4): answers each message to its sender only.
class EchoConsumer final : public Consumer {
 public:
  using Consumer::Consumer;
  void connect() override;
  void disconnect(int close_code) override;
  void receive(std::optional<std::string_view> text_data,
               std::optional<std::string_view> bytes_data) override;
  void dispatch(std::string_view handler, const channel_layer::Message& event) override;
};

}  // namespace roomcheck::reference_server
