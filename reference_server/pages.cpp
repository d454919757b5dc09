#include <boost/asio/post.hpp>

#include "reference_server/chat_page.h"
#include "reference_server/node.h"

namespace roomcheck::reference_server {
namespace {

std::string prometheus(const NodeStats& stats) {
  std::string out;
  const auto line = [&out](const char* type, const std::string& name, const char* help, std::uint64_t value) {
    out += "# HELP roomcheck_" + name + " " + help + "\n# TYPE roomcheck_" + name + " " + type +
           "\nroomcheck_" + name + " " + std::to_string(value) + "\n";
  };
  line("gauge", "connections", "WebSocket connections open now.", stats.server.connections);
  line("counter", "connections_accepted_total", "TCP connections accepted.", stats.server.accepted);
  line("counter", "handshakes_upgraded_total", "Handshakes answered 101.", stats.server.upgraded);
  line("counter", "handshakes_refused_total", "Handshakes answered otherwise.", stats.server.refused);
  line("counter", "handshake_timeouts_total", "Handshakes not finished in time.",
       stats.server.handshake_timeouts);
  line("counter", "connections_over_limit_total", "Connections beyond the limit.",
       stats.server.over_connection_limit);
  line("counter", "connections_over_address_limit_total", "Connections beyond the share of their address.",
       stats.server.over_address_limit);
  line("counter", "accept_pauses_total", "Times that no descriptor was left to accept with.",
       stats.server.accept_pauses);
  line("counter", "bad_requests_total", "HTTP requests that are malformed or ambiguous.",
       stats.server.bad_requests);
  line("counter", "too_large_requests_total", "HTTP requests whose headers or body are too large.",
       stats.server.too_large_requests);
  line("counter", "too_large_messages_total", "Connections closed 1009.", stats.server.too_large_messages);
  line("counter", "protocol_errors_total", "Connections closed because the client broke RFC 6455.",
       stats.server.protocol_errors);
  line("counter", "idle_timeouts_total", "Connections ended because nothing was received.",
       stats.server.idle_timeouts);
  line("counter", "close_timeouts_total",
       "Connections ended because the client did not finish their closing.", stats.server.close_timeouts);
  line("counter", "pings_unanswered_total", "Pings of clients that do not read their pongs.",
       stats.server.unanswered_pings);
  line("counter", "slow_readers_closed_total", "Connections closed 1013 because they did not read.",
       stats.server.over_limit_closes);
  line("counter", "messages_received_total", "Messages from clients.", stats.server.messages_received);
  line("counter", "messages_sent_total", "Messages to clients.", stats.server.messages_sent);
  line("counter", "messages_dropped_total", "Messages dropped for slow readers.",
       stats.server.messages_dropped);
  line("counter", "bytes_sent_total", "Bytes of messages to clients.", stats.server.bytes_sent);
  line("counter", "bad_messages_total", "Client messages that no consumer can take.",
       stats.hosts.bad_messages);
  line("counter", "bad_events_total", "Events without a handler, or without what it reads.",
       stats.hosts.bad_events);
  line("counter", "too_large_sessions_total", "Session cookies that are too long, or unpack to too much.",
       stats.sessions.too_large);
  line("counter", "expired_sessions_total", "Session cookies of this site that are too old.",
       stats.sessions.expired);
  line("counter", "bad_sessions_total", "Session cookies that this site has not signed, or that hold none.",
       stats.sessions.bad);
  line("counter", "control_unauthorized_total", "Control requests without the token.",
       stats.control_api.unauthorized);
  line("counter", "control_bad_requests_total",
       "Control requests that are malformed, or whose body is no event.",
       stats.control_api.bad_requests + stats.control.bad_requests);
  line("counter", "control_too_large_requests_total", "Control requests whose headers or body are too large.",
       stats.control.too_large_requests);
  line("counter", "control_connections_over_limit_total", "Control connections beyond the limit.",
       stats.control.over_connection_limit);
  line("counter", "control_timeouts_total", "Control requests not finished in time.",
       stats.control.handshake_timeouts);
  line("gauge", "groups", "Groups with at least one member.", stats.layer.groups);
  line("gauge", "memberships", "Memberships in groups.", stats.layer.members);
  line("gauge", "layer_groups", "Groups that have a member here.", stats.layer.groups);
  line("counter", "layer_sent_total", "Direct sends.", stats.layer.sent);
  line("counter", "layer_group_sent_total", "Group sends.", stats.layer.group_sent);
  line("counter", "layer_delivered_total", "Messages delivered to channels.", stats.layer.delivered);
  line("counter", "layer_dropped_total", "Messages dropped over capacity.", stats.layer.dropped);
  line("counter", "layer_expired_total", "Messages nobody received in time.", stats.layer.expired);
  line("counter", "layer_poison_total", "Malformed messages skipped.", stats.layer.poison);
  line("counter", "layer_failed_total", "Operations that Redis did not do.", stats.layer.failed);
  line("counter", "layer_outages_total", "Connections to Redis lost.", stats.layer.outages);
  return out;
}

}  // namespace

void serve_page(const std::shared_ptr<websocket::HttpExchange>& exchange, Node& node,
                boost::asio::io_context& io) {
  const std::string& path = exchange->request().path;
  const std::string& method = exchange->request().method;
  const auto text = [&](int status, const std::string& body) {
    exchange->respond({status, body, "text/plain; charset=utf-8", {}});
  };
  std::optional<websocket::Response> page = chat_page(exchange->request());
  if (!page && path != "/healthz" && path != "/metrics") return text(404, "not found\n");
  if (method != "GET" && method != "HEAD")
    return exchange->respond({405, "use GET\n", "text/plain; charset=utf-8", {{"Allow", "GET, HEAD"}}});
  if (path == "/healthz") return text(200, "ok\n");
  if (page) return exchange->respond(*std::move(page));
  node.collect([exchange, &io](const NodeStats& stats) {
    boost::asio::post(io, [exchange, body = prometheus(stats)] {
      exchange->respond({200, body, "text/plain; version=0.0.4; charset=utf-8", {}});
    });
  });
}

}  // namespace roomcheck::reference_server
