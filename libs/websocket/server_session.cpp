#include "libs/websocket/server_session.h"

#include <algorithm>
#include <websocketpp/base64/base64.hpp>

#include "libs/websocket/url.h"

namespace roomcheck::websocket {
namespace {

// The application's answer to one request, once; gone without one, the client gets a 500.
class PendingHandshake final : public Handshake {
 public:
  explicit PendingHandshake(std::shared_ptr<ServerSession> session) : session_(std::move(session)) {}
  ~PendingHandshake() override { session_->respond({500, "the application did not answer\n", {}, {}}); }

  const Request& request() const override { return session_->request(); }
  std::vector<std::string> offered_subprotocols() const override { return session_->offered_subprotocols(); }
  ConnectionPtr attach(std::unique_ptr<ConnectionHandler> handler) override {
    return session_->attach(std::move(handler));
  }
  void accept(const std::string& subprotocol) override { session_->accept(subprotocol); }
  void refuse(Response response) override { session_->respond(response); }

 private:
  std::shared_ptr<ServerSession> session_;
};

class PendingExchange final : public HttpExchange {
 public:
  explicit PendingExchange(std::shared_ptr<ServerSession> session) : session_(std::move(session)) {}
  ~PendingExchange() override { session_->respond({500, "the application did not answer\n", {}, {}}); }
  const Request& request() const override { return session_->request(); }
  void respond(Response response) override { session_->respond(response); }

 private:
  std::shared_ptr<ServerSession> session_;
};

Request to_request(const protocol::HttpRequest& parser, std::string remote_address) {
  Request out;
  out.method = parser.get_method();
  out.target = parser.get_uri();
  std::string_view target = out.target;
  if (const std::size_t scheme = target.find("://"); scheme != target.npos && target.find('/') > scheme) {
    target.remove_prefix(scheme + 3);  // absolute form (RFC 7230, 5.3.2)
    const std::size_t path = target.find('/');
    target = path == target.npos ? std::string_view("/") : target.substr(path);
  }
  const std::size_t question = target.find('?');
  out.path = percent_decode(target.substr(0, question));
  if (question != target.npos) out.query = std::string(target.substr(question + 1));
  for (const auto& [name, value] : parser.get_headers()) out.headers.emplace_back(name, value);
  out.body = parser.get_body();
  out.remote_address = std::move(remote_address);
  return out;
}

}  // namespace

ServerSession::ServerSession(boost::asio::io_context& io, ServerCore& core)
    : Session(io, Role::server, core.options.send_buffer_limit, core.options.max_message_size), core_(&core) {
  parser_->set_max_body_size(core.options.max_http_body);
}

void ServerSession::start(Stream stream, std::string remote_address, Admission admission) {
  admission_ = admission;
  if (admission_ != Admission::admitted) ++core_->told_off;
  remote_address_ = std::move(remote_address);
  core_->sessions.insert(this);
  enter_reactor(std::move(stream), EPOLLIN);
  deadline_ = reactor_.now() + core_->options.handshake_timeout;
}

void ServerSession::cut_loose() {
  abort();
  core_ = nullptr;
}

// ---- the request

void ServerSession::on_opening_bytes(char* bytes, std::size_t n) {
  if (phase_ != Phase::reading) return;
  std::size_t taken = 0;
  try {
    taken = parser_->consume(bytes, n);
  } catch (const websocketpp::http::exception& e) {
    phase_ = Phase::waiting;
    const bool too_large = e.m_error_code == 413 || e.m_error_code == 431;
    ++(too_large ? core_->stats.too_large_requests : core_->stats.bad_requests);
    return respond(
        {static_cast<int>(e.m_error_code), std::string(e.what()) + "\n", "text/plain; charset=utf-8", {}});
  }
  if (!parser_->ready()) return;
  early_.assign(bytes + taken, n - taken);
  dispatch();
}

void ServerSession::dispatch() {
  phase_ = Phase::waiting;
  deadline_ = reactor_.now() + core_->options.handshake_timeout;  // the application's time
  // Nothing more is read until the answer; only that the peer goes away.
  set_interest(EPOLLRDHUP);
  request_ = to_request(*parser_, remote_address_);

  const auto text = [this](int status, const std::string& body) {
    respond({status, body + "\n", "text/plain; charset=utf-8", {}});
  };
  if (admission_ == Admission::server_is_full) return text(503, "too many connections");
  if (admission_ == Admission::address_has_its_share)
    return text(429, "too many connections from this address");
  const auto bad = [&](int status, const std::string& why) {
    ++core_->stats.bad_requests;
    text(status, why);
  };
  if (const std::string why = ambiguity(); !why.empty()) return bad(400, why);
  if (!request_.header("Transfer-Encoding").empty())
    return bad(501, "transfer encodings are not supported; send Content-Length");
  if (request_.header("Host").empty() && parser_->get_version() == "HTTP/1.1")
    return bad(400, "the Host header is missing");

  const auto self = std::static_pointer_cast<ServerSession>(shared_from_this());
  if (!websocketpp::processor::is_websocket_handshake(*parser_)) {
    guarded([&] { core_->application->on_http(std::make_shared<PendingExchange>(self)); });
    return;
  }
  const Response wrong = check_upgrade();
  if (wrong.status != 101) {
    ++core_->stats.refused;
    return respond(wrong);
  }
  hold_output_ = true;
  guarded([&] { core_->application->on_handshake(std::make_shared<PendingHandshake>(self)); });
}

// Where two readers could see different ends of a request, one of them can be made to take a part of it for
// the next (request smuggling).
std::string ServerSession::ambiguity() const {
  const std::string length = request_.header("Content-Length");
  if (!length.empty() && !request_.header("Transfer-Encoding").empty())
    return "Content-Length and Transfer-Encoding contradict each other; send Content-Length";
  if (!std::all_of(length.begin(), length.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return "Content-Length is not one number";
  return "";
}

Response ServerSession::check_upgrade() const {
  const auto wrong = [](int status, const std::string& body, Headers headers = {}) {
    return Response{status, body + "\n", "text/plain; charset=utf-8", std::move(headers)};
  };
  if (request_.method != "GET") return wrong(405, "a WebSocket handshake is a GET", {{"Allow", "GET"}});
  if (parser_->get_version() != "HTTP/1.1") return wrong(400, "a WebSocket handshake is HTTP/1.1");
  const Headers supported{{"Sec-WebSocket-Version", "13"}};
  const std::string version = request_.header("Sec-WebSocket-Version");
  if (version.empty()) return wrong(400, "Sec-WebSocket-Version is missing", supported);
  if (version != "13") return wrong(426, "only Sec-WebSocket-Version 13 is supported", supported);
  const std::string key = request_.header("Sec-WebSocket-Key");
  if (key.size() != 24 || websocketpp::base64_decode(key).size() != 16 || key.compare(22, 2, "==") != 0)
    return wrong(400, "Sec-WebSocket-Key is not 16 octets in base64");
  Response fine;
  fine.status = 101;
  return fine;
}

std::vector<std::string> ServerSession::offered_subprotocols() const {
  std::vector<std::string> out;
  const std::string header = request_.header("Sec-WebSocket-Protocol");
  for (std::size_t at = 0; at < header.size();) {
    const std::size_t comma = std::min(header.find(',', at), header.size());
    const std::size_t begin = header.find_first_not_of(" \t", at);
    const std::size_t end = header.find_last_not_of(" \t", comma - 1);
    if (begin < comma && comma > 0) out.push_back(header.substr(begin, end - begin + 1));
    at = comma + 1;
  }
  return out;
}

// ---- the answer

ConnectionPtr ServerSession::attach(std::unique_ptr<ConnectionHandler> handler) {
  handler_ = std::move(handler);
  if (state_ == State::closed) finish({1006, "the client went away"});
  return shared_from_this();
}

void ServerSession::accept(const std::string& subprotocol) {
  if (phase_ != Phase::waiting || state_ != State::opening || core_ == nullptr) return;
  phase_ = Phase::answered;
  protocol::HttpResponse response;
  begin_open();
  processor().process_handshake(*parser_, subprotocol, response);
  response.set_version("HTTP/1.1");
  response.set_status(websocketpp::http::status_code::switching_protocols);
  release_output(response.raw());
  upgraded_ = true;
  ++core_->stats.upgraded;
  ++core_->stats.connections;
  parser_.reset();
  request_ = Request();
  // Later, so that no handler runs inside the application's call.
  reactor_.post([self = std::static_pointer_cast<ServerSession>(shared_from_this())] {
    if (self->state_ != State::open) return;
    self->guarded([&] {
      if (self->handler_) self->handler_->on_open();
    });
    std::string early;
    early.swap(self->early_);
    if (!early.empty()) self->feed(early.data(), early.size());
    self->update_interest();
  });
}

void ServerSession::respond(const Response& response) {
  if (phase_ != Phase::waiting || state_ != State::opening) return;
  phase_ = Phase::answered;
  if (hold_output_ && core_ != nullptr) ++core_->stats.refused;
  std::string out = "HTTP/1.1 " + std::to_string(response.status) + " " +
                    std::string(reason_phrase(response.status)) + "\r\n";
  for (const auto& [name, value] : response.headers) out += name + ": " + value + "\r\n";
  if (!response.content_type.empty()) out += "Content-Type: " + response.content_type + "\r\n";
  out += "Content-Length: " + std::to_string(response.body.size()) + "\r\nConnection: close\r\n\r\n";
  if (request_.method != "HEAD") out += response.body;
  discard_unsent();  // what was sent on a connection that is refused after all
  finish({1006, "the handshake was refused"});
  linger();
  release_output(std::move(out));
}

// ---- ending

void ServerSession::on_opening_event(std::uint32_t events) {
  if (phase_ != Phase::waiting) return;
  const bool half_closed = (events & EPOLLRDHUP) != 0;
  if (half_closed && !hold_output_) {  // a client of plain HTTP may have said all it wants to say
    return set_interest(0);
  }
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0) return;
  phase_ = Phase::answered;
  finish({1006, "the client went away during the handshake"});
  close_stream();
}

void ServerSession::on_opening_end(const std::string&) { phase_ = Phase::answered; }

void ServerSession::on_opening_deadline() {
  if (core_ != nullptr && phase_ == Phase::reading) ++core_->stats.handshake_timeouts;
  const int status = phase_ == Phase::reading ? 408 : 503;
  phase_ = Phase::waiting;
  respond({status, "timed out\n", "text/plain; charset=utf-8", {}});
}

void ServerSession::on_open_tick(Nanoseconds now) {
  if (core_ == nullptr) return;
  const ServerOptions& options = core_->options;
  if (over_limit_since_ != Nanoseconds(0) && now - over_limit_since_ >= options.over_limit_time) {
    ++core_->stats.over_limit_closes;
    discard_unsent();
    return close(1013, "too slow");
  }
  const Nanoseconds idle = options.idle_timeout;
  if (idle == Nanoseconds(0)) return;
  if (now - last_received_ >= idle) {
    ++core_->stats.idle_timeouts;
    finish({1006, "nothing was received for the idle time"});
    return close_stream(true);
  }
  if (now - last_received_ < idle / 3 || now - last_ping_ < idle / 3) return;
  last_ping_ = now;
  ping("");
}

void ServerSession::on_received() {
  if (core_ != nullptr) ++core_->stats.messages_received;
}

void ServerSession::on_sent(std::size_t bytes, bool message) {
  if (core_ == nullptr) return;
  core_->stats.bytes_sent += bytes;
  if (message) ++core_->stats.messages_sent;
}

void ServerSession::on_dropped() {
  if (core_ != nullptr) ++core_->stats.messages_dropped;
}

void ServerSession::on_unanswered_ping() {
  if (core_ != nullptr) ++core_->stats.unanswered_pings;
}

void ServerSession::on_unfinished_close() {
  if (core_ != nullptr && upgraded_) ++core_->stats.close_timeouts;
}

void ServerSession::on_failed(std::uint16_t code) {
  if (core_ != nullptr) ++(code == 1009 ? core_->stats.too_large_messages : core_->stats.protocol_errors);
}

void ServerSession::on_stream_closed() {
  if (core_ == nullptr) return;
  core_->sessions.erase(this);
  if (admission_ != Admission::admitted) {
    --core_->told_off;
  } else if (core_->options.address_limit) {
    core_->options.address_limit->leave(remote_address_);
  }
  if (upgraded_) --core_->stats.connections;
  if (core_->sessions.empty() && core_->on_empty) core_->on_empty();
}

}  // namespace roomcheck::websocket
