#pragma once
#include <boost/asio/io_context.hpp>
#include <fstream>
#include <memory>
#include <string>

#include "libs/websocket/server.h"
#include "loadgen/progress.h"
#include "reports/model/load_result.h"

namespace roomcheck::loadgen {

// What a run tells to machines while it lasts: a JSON line a second into a file, and a page for Prometheus.
//
//   {"at_ns":3000000000,"phase":"run","members":5000,"clients":5000,"sent":200,"delivered":20000,
//    "p50_ns":..,"p99_ns":..,"max_ns":..,"missing":0}
//
// Thread: the one that runs `io`.
class Live final : public websocket::Application {
 public:
  // "": none of the two. Throws StartFailure, BadInput.
  Live(const std::string& jsonl, const std::string& prometheus, boost::asio::io_context& io);
  ~Live() override;

  void second(const reports::Second& second, const Standing& standing);
  // Serves no more, so that the loop can end.
  void stop();

 private:
  void on_handshake(std::shared_ptr<websocket::Handshake> handshake) override;
  void on_http(std::shared_ptr<websocket::HttpExchange> exchange) override;
  std::string page() const;

  std::ofstream file_;
  std::ostream* lines_ = nullptr;
  std::unique_ptr<websocket::Server> server_;
  reports::Second last_;
  std::uint64_t sent_ = 0, delivered_ = 0, missing_ = 0;
};

}  // namespace roomcheck::loadgen
