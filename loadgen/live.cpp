#include "loadgen/live.h"

#include <iostream>
#include <nlohmann/json.hpp>

#include "libs/base/result.h"
#include "libs/websocket/url.h"

namespace roomcheck::loadgen {

Live::Live(const std::string& jsonl, const std::string& prometheus, boost::asio::io_context& io) {
  if (jsonl == "-") lines_ = &std::cout;
  if (!jsonl.empty() && jsonl != "-") {
    file_.open(jsonl);
    if (!file_) throw BadInput("--live-jsonl " + jsonl + ": cannot be written");
    lines_ = &file_;
  }
  if (prometheus.empty()) return;
  websocket::ServerOptions options;
  if (!websocket::split_host_port(prometheus, options.host, options.port))
    throw BadInput("--prometheus " + prometheus + ": expected HOST:PORT, such as 127.0.0.1:9100");
  options.reuse_port = false;
  server_ = std::make_unique<websocket::Server>(io, options, *this);
  std::cerr << "loadgen: metrics on http://" << websocket::join_host_port(options.host, server_->port())
            << "/metrics" << std::endl;
}

Live::~Live() = default;
void Live::stop() { server_.reset(); }

void Live::second(const reports::Second& second, const Standing& standing) {
  last_ = second;
  sent_ += second.sent;
  delivered_ += second.delivered;
  missing_ = standing.missing;
  if (lines_ == nullptr) return;
  const nlohmann::ordered_json line{{"at_ns", second.at_ns},     {"phase", second.phase},
                                    {"members", second.members}, {"clients", standing.clients},
                                    {"sent", second.sent},       {"delivered", second.delivered},
                                    {"p50_ns", second.p50_ns},   {"p99_ns", second.p99_ns},
                                    {"max_ns", second.max_ns},   {"missing", standing.missing}};
  *lines_ << line.dump() << std::endl;
}

void Live::on_handshake(std::shared_ptr<websocket::Handshake> handshake) {
  handshake->refuse({404, "no WebSocket here\n", "text/plain; charset=utf-8", {}});
}

void Live::on_http(std::shared_ptr<websocket::HttpExchange> exchange) {
  if (exchange->request().path != "/metrics")
    return exchange->respond({404, "see /metrics\n", "text/plain; charset=utf-8", {}});
  exchange->respond({200, page(), "text/plain; version=0.0.4; charset=utf-8", {}});
}

std::string Live::page() const {
  std::string out;
  const auto metric = [&out](const std::string& name, const char* type, const char* help, double value) {
    out += "# HELP roomcheck_loadgen_" + name + " " + help + "\n# TYPE roomcheck_loadgen_" + name + " " +
           type + "\nroomcheck_loadgen_" + name + " " + nlohmann::json(value).dump() + "\n";
  };
  const auto count = [](std::uint64_t n) { return static_cast<double>(n); };
  const auto seconds = [](std::int64_t ns) { return static_cast<double>(ns) / 1e9; };
  metric("members", "gauge", "Open members.", count(last_.members));
  metric("messages_sent_total", "counter", "Messages sent, warm-up included.", count(sent_));
  metric("deliveries_total", "counter", "Deliveries received, warm-up included.", count(delivered_));
  metric("deliveries_missing", "gauge", "Deliveries overtaken by a later one: lost so far.", count(missing_));
  metric("latency_p50_seconds", "gauge",
         "Median latency of the last second's deliveries, from the intended time.", seconds(last_.p50_ns));
  metric("latency_p99_seconds", "gauge", "99th percentile of the same.", seconds(last_.p99_ns));
  metric("latency_max_seconds", "gauge", "Greatest of the same.", seconds(last_.max_ns));
  return out;
}

}  // namespace roomcheck::loadgen
