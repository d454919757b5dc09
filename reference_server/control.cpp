#include <openssl/crypto.h>

#include <nlohmann/json.hpp>

#include "libs/websocket/url.h"
#include "reference_server/node.h"

namespace roomcheck::reference_server {
namespace {

using websocket::HttpExchange;
using json = nlohmann::ordered_json;
using ExchangePtr = std::shared_ptr<HttpExchange>;

void answer(const ExchangePtr& exchange, int status, const json& body) {
  exchange->respond({status, body.dump() + "\n", "application/json", {}});
}

void answer(const ExchangePtr& exchange, const Error& error) {
  const int status = error.kind == Error::Kind::bad_input     ? 400
                     : error.kind == Error::Kind::full        ? 503
                     : error.kind == Error::Kind::unsupported ? 404
                                                              : 500;
  answer(exchange, status, {{"error", error.message}});
}

// "/groups/<name>/send" -> name, where `before` is "/groups/" and `after` "/send". The path as sent: a name
// may hold %2F.
std::optional<std::string> between(std::string_view path, std::string_view before, std::string_view after) {
  if (path.size() < before.size() + after.size() || path.substr(0, before.size()) != before ||
      path.substr(path.size() - after.size()) != after)
    return std::nullopt;
  const std::string_view name = path.substr(before.size(), path.size() - before.size() - after.size());
  if (name.find('/') != name.npos) return std::nullopt;
  return websocket::percent_decode(name);
}

json to_json(LoadStats& stats) {
  const std::lock_guard lock(stats.mu);
  json out{{"deliveries", stats.deliveries.load()},
           {"lost", stats.lost.load()},
           {"duplicated", stats.duplicated.load()},
           {"reordered", stats.reordered.load()},
           {"held", stats.held.encode()}};
  if (stats.serving.count() > 0)
    out["served_per_second"] =
        1e9 * static_cast<double>(stats.served) / static_cast<double>(stats.serving.count());
  return out;
}

json to_json(const NodeStats& stats, const Mutation* mutation) {
  json out{{"connections", stats.server.connections},
           {"accepted", stats.server.accepted},
           {"upgraded", stats.server.upgraded},
           {"refused", stats.server.refused},
           {"messages_received", stats.server.messages_received},
           {"messages_sent", stats.server.messages_sent},
           {"messages_dropped", stats.server.messages_dropped},
           {"bad_messages", stats.hosts.bad_messages},
           {"bad_events", stats.hosts.bad_events},
           {"groups", stats.layer.groups},
           {"memberships", stats.layer.members},
           {"layer_dropped", stats.layer.dropped},
           {"layer_poison", stats.layer.poison},
           {"layer_failed", stats.layer.failed},
           {"layer_outages", stats.layer.outages}};
  if (mutation != nullptr) out["mutant"] = to_json(mutation->stats());
  return out;
}

class Control final : public websocket::Application {
 public:
  Control(Node& node, std::string token) : node_(node), token_(std::move(token)) {}

  void on_handshake(std::shared_ptr<websocket::Handshake> handshake) override {
    handshake->refuse({404, "no WebSocket here\n", "text/plain; charset=utf-8", {}});
  }

  void on_http(ExchangePtr exchange) override {
    const websocket::Request& request = exchange->request();
    if (!allowed(request)) {
      ++node_.control_stats().unauthorized;
      return answer(exchange, 401,
                    {{"error", "the Authorization header has not the token of --control-token"}});
    }
    const std::string path = request.target.substr(0, request.target.find('?'));

    if (const auto group = between(path, "/groups/", "/send"))
      return with_event(exchange, [&](channel_layer::Event event) {
        node_.first_layer().group_send(
            *group, std::move(event), [exchange](const Result<channel_layer::GroupSendReport>& result) {
              if (!result.ok()) return answer(exchange, result.error());
              answer(exchange, 200,
                     result->known ? json{{"members", result->members}, {"dropped", result->dropped}}
                                   : json::object());
            });
      });
    if (const auto channel = between(path, "/channels/", "/send"))
      return with_event(exchange, [&](channel_layer::Event event) {
        node_.first_layer().send(*channel, std::move(event), [exchange](const Result<void>& result) {
          if (!result.ok()) return answer(exchange, result.error());
          answer(exchange, 200, json::object());
        });
      });
    const auto members_of = between(path, "/groups/", "/channels");
    if (!members_of && path != "/stats")
      return answer(exchange, 404, {{"error", "there is no " + path + " in the control API"}});
    if (request.method != "GET") return answer(exchange, 405, {{"error", "use GET"}});
    if (members_of)
      return node_.first_layer().group_channels(*members_of,
                                                [exchange](const Result<std::vector<std::string>>& result) {
                                                  if (!result.ok()) return answer(exchange, result.error());
                                                  answer(exchange, 200, {{"channels", *result}});
                                                });
    node_.collect([exchange, this](const NodeStats& stats) {
      answer(exchange, 200, to_json(stats, node_.mutation()));
    });
  }

 private:
  bool allowed(const websocket::Request& request) const {
    if (token_.empty()) return true;
    const std::string given = request.header("Authorization");
    const std::string wanted = "Bearer " + token_;
    return given.size() == wanted.size() && CRYPTO_memcmp(given.data(), wanted.data(), wanted.size()) == 0;
  }

  template <class Send>
  void with_event(const ExchangePtr& exchange, Send send) {
    if (exchange->request().method != "POST") return answer(exchange, 405, {{"error", "use POST"}});
    Result<channel_layer::Event> event = event::parse_json(exchange->request().body);
    if (!event.ok()) {
      ++node_.control_stats().bad_requests;
      return answer(exchange, event.error());
    }
    if (!event->is_object() || !event->contains("type")) {
      ++node_.control_stats().bad_requests;
      return answer(exchange, 400, {{"error", "the body is an event: a JSON object with a \"type\""}});
    }
    send(std::move(event).value());
  }

  Node& node_;
  const std::string token_;
};

}  // namespace

std::unique_ptr<websocket::Application> make_control(Node& node, std::string token) {
  return std::make_unique<Control>(node, std::move(token));
}

}  // namespace roomcheck::reference_server
