#include "reference_server/mutants/wire.h"

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>

#include "libs/base/result.h"
#include "libs/websocket/raw_frame.h"

namespace roomcheck::reference_server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using websocket::RawFrame;

constexpr std::size_t kMostWaiting = 1u << 20;  // beyond it the other side is not read: back-pressure
constexpr std::size_t kMostHead = 64u << 10;
constexpr std::size_t kMostFrame = 64u << 20;

}  // namespace

std::string lower(std::string text) {
  for (char& letter : text)
    letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  return text;
}

struct Link::Shared {
  asio::io_context& io;
  std::vector<const WireMutant*> mutants;
  tcp::endpoint server;
  std::map<std::string, WireRoom> rooms;
  bool peer_is_gone = false;
};

const std::vector<WireMutant>& wire_mutants() {
  static const std::vector<WireMutant> all = [] {
    std::vector<WireMutant> out;
    for (auto noun : {handshake_mutants, transport_mutants, message_mutants, room_mutants})
      for (WireMutant& mutant : noun()) out.push_back(std::move(mutant));
    return out;
  }();
  return all;
}

WireMutant spoils_frames(std::string_view name, std::vector<std::string_view> requirements,
                         std::string_view sentence, std::function<Then(Link&, RawFrame&)> from_client,
                         std::function<Then(Link&, RawFrame&)> from_server) {
  WireMutant out;
  out.mutant = {name, Mutant::Kind::spec, std::move(requirements), sentence, ""};
  out.from_client = std::move(from_client);
  out.from_server = std::move(from_server);
  return out;
}

bool is_text(const RawFrame& frame) { return frame.opcode == 1 && frame.fin && frame.rsv == 0; }

RawFrame text_frame(const std::string& payload) {
  RawFrame frame;
  frame.masked = false;
  frame.payload = payload;
  return frame;
}

// ---- one connection

Link::Link(std::shared_ptr<Shared> shared)
    : shared_(std::move(shared)), client_(shared_->io), server_(shared_->io), timer_(shared_->io) {}

Link::~Link() = default;

void Link::start() {
  error_code code;
  server_.socket.connect(shared_->server, code);  // loopback, to a server that listens: does not wait
  if (code) return;
  for (Side* side : {&client_, &server_}) side->socket.set_option(tcp::no_delay(true), code);
  read(client_, server_);
  read(server_, client_);
}

std::string Link::header(std::string_view name) const {
  const std::size_t at = lower(request_).find("\r\n" + lower(std::string(name)) + ": ");
  if (at == request_.npos) return {};
  const std::size_t begin = at + name.size() + 4;
  return request_.substr(begin, request_.find("\r\n", begin) - begin);
}

bool Link::peer_is_gone() const { return shared_->peer_is_gone; }
WireRoom& Link::room() { return shared_->rooms[path_]; }
std::map<std::string, WireRoom>& Link::rooms() { return shared_->rooms; }
void Link::to_client(const RawFrame& frame) { write(client_, websocket::RawClient::encode(frame)); }
void Link::to_client(const std::string& octets) { write(client_, octets); }
void Link::to_server(const RawFrame& frame) { write(server_, websocket::RawClient::encode(frame)); }

void Link::later(std::chrono::milliseconds wait, std::function<void()> call) {
  timer_.expires_after(wait);
  timer_.async_wait([self = shared_from_this(), call = std::move(call)](const error_code& code) {
    if (!code) call();
  });
}

void Link::hold(std::chrono::milliseconds wait, std::function<void()> then) {
  client_.held = true;
  later(wait, [this, then = std::move(then)] {
    client_.held = false;
    then();
    flush(client_);
  });
}

void Link::cut() {
  leave();
  error_code ignored;
  for (Side* side : {&client_, &server_}) side->socket.close(ignored);
}

void Link::read(Side& from, Side& to) {
  from.socket.async_read_some(asio::buffer(from.chunk),
                              [self = shared_from_this(), &from, &to](const error_code& code, std::size_t n) {
                                if (code) return self->ended(from, to, code != asio::error::eof);
                                from.in.append(from.chunk.data(), n);
                                self->understand(from, to);
                                from.paused = to.out.size() > kMostWaiting;
                                if (!from.paused) self->read(from, to);
                              });
}

void Link::write(Side& to, const std::string& octets) {
  to.out += octets;
  flush(to);
}

void Link::flush(Side& to) {
  if (!to.writing.empty() || to.held) return;
  if (to.out.empty()) {
    error_code ignored;
    if (to.fin_due) to.socket.shutdown(tcp::socket::shutdown_send, ignored);
    return;
  }
  std::swap(to.out, to.writing);
  Side& from = &to == &client_ ? server_ : client_;
  asio::async_write(to.socket, asio::buffer(to.writing),
                    [self = shared_from_this(), &from, &to](const error_code& code, std::size_t) {
                      if (code) return;  // its reading side says how it ended
                      to.writing.clear();
                      self->flush(to);
                      if (from.paused && !from.ended) {
                        from.paused = false;
                        self->read(from, to);
                      }
                    });
}

void Link::ended(Side& from, Side& to, bool reset) {
  error_code ignored;
  from.ended = true;
  if (&from == &client_) {
    fin = !reset && !closing_;
    leave();
  }
  if (reset) {
    to.socket.set_option(asio::socket_base::linger(true, 0), ignored);
    to.socket.close(ignored);
    from.socket.close(ignored);
    return;
  }
  if (!from.in.empty()) write(to, std::exchange(from.in, {}));
  to.fin_due = true;
  flush(to);
}

void Link::leave() {
  if (!std::exchange(joined_, false)) return;
  for (const WireMutant* m : shared_->mutants)
    if (m->gone) m->gone(*this);
  auto& links = room().links;
  links.erase(std::remove(links.begin(), links.end(), this), links.end());
  room().talkers.erase(this);
}

// ---- what passes

// The head of the request or the response; false while it is not complete.
bool Link::take_head(Side& from, Side& to) {
  const std::size_t end = from.in.find("\r\n\r\n");
  if (end == from.in.npos) {
    opaque_ = from.in.size() > kMostHead;
    return opaque_;
  }
  std::string head = from.in.substr(0, end + 4);
  from.in.erase(0, end + 4);
  if (&from == &client_) {
    request_seen_ = true;
    request_ = head;
    const std::size_t space = head.find(' ');
    path_ = head.substr(space + 1, head.find_first_of(" ?", space + 1) - space - 1);
    for (const WireMutant* m : shared_->mutants)
      if (m->request) m->request(*this, head);
    opaque_ = lower(head).find("\r\nupgrade: websocket\r\n") == head.npos;
  } else {
    response_seen_ = true;
    opaque_ = opaque_ || head.compare(0, 12, "HTTP/1.1 101") != 0;
    if (!opaque_) {
      joined_ = true;
      room().links.push_back(this);
    }
    for (const WireMutant* m : shared_->mutants)
      if (m->response) m->response(*this, head);
  }
  write(to, head);
  return true;
}

void Link::understand(Side& from, Side& to) {
  const bool of_client = &from == &client_;
  if (!opaque_ && !(of_client ? request_seen_ : response_seen_) && !take_head(from, to)) return;
  if (of_client) {
    ++pieces_;
    frames_in_read_ = 0;
  }
  std::string error;
  while (!opaque_) {
    std::optional<websocket::ReceivedFrame> received = websocket::take_frame(from.in, kMostFrame, error);
    if (!error.empty()) {
      opaque_ = true;
      for (const WireMutant* m : shared_->mutants)
        if (m->huge) m->huge(*this);
    }
    if (!received) break;
    RawFrame frame;
    frame.fin = received->fin;
    frame.rsv = received->rsv;
    frame.opcode = received->opcode;
    frame.masked = received->masked;
    frame.mask = received->mask;
    frame.payload = std::move(received->payload);
    if (of_client) ++frames_in_read_;
    if (of_client && frame.opcode == 8) closing_ = true;
    Then then = Then::pass;
    for (const WireMutant* m : shared_->mutants)
      if (const auto& spoil = of_client ? m->from_client : m->from_server; spoil && then == Then::pass)
        then = spoil(*this, frame);
    if (then == Then::pass) write(to, websocket::RawClient::encode(frame));
    if (of_client) pieces_ = 0;
  }
  if (opaque_) write(to, std::exchange(from.in, {}));
}

// ---- the wire

Wire::Wire(asio::io_context& io, std::vector<const WireMutant*> mutants, const std::string& host,
           std::uint16_t port, std::uint16_t server_port)
    : shared_(new Link::Shared{
          io, std::move(mutants), tcp::endpoint(asio::ip::address_v4::loopback(), server_port), {}, false}),
      acceptor_(io),
      peer_(io),
      again_(io) {
  try {
    const tcp::endpoint endpoint(asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host), port);
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(endpoint);
    acceptor_.listen();
  } catch (const boost::system::system_error& e) {
    throw StartFailure("cannot listen on " + host + ":" + std::to_string(port) + ": " + e.what());
  }
  accept();
}

Wire::~Wire() = default;

std::uint16_t Wire::port() const { return acceptor_.local_endpoint().port(); }

void Wire::watch(const std::string& peer) {
  const std::size_t colon = peer.rfind(':');
  error_code code;
  const tcp::endpoint endpoint(asio::ip::make_address(peer.substr(0, colon), code),
                               static_cast<std::uint16_t>(std::atoi(peer.c_str() + colon + 1)));
  if (colon == peer.npos || code) throw BadInput("expected HOST:PORT of another node, not " + peer);
  peer_.async_connect(endpoint, [this, peer](const error_code& refused) {
    if (refused == asio::error::operation_aborted) return;
    if (refused) {
      peer_ = tcp::socket(shared_->io);
      again_.expires_after(std::chrono::milliseconds(20));
      return again_.async_wait([this, peer](const error_code& aborted) {
        if (!aborted) watch(peer);
      });
    }
    peer_.async_read_some(asio::buffer(&octet_, 1), [shared = shared_](const error_code& ended, std::size_t) {
      shared->peer_is_gone = ended && ended != asio::error::operation_aborted;
    });
  });
}

void Wire::stop() {
  error_code ignored;
  peer_.close(ignored);
  again_.cancel();
  acceptor_.close(ignored);
}

void Wire::accept() {
  const auto link = std::make_shared<Link>(shared_);
  acceptor_.async_accept(link->client_socket(), [this, link](const error_code& code) {
    if (code == asio::error::operation_aborted) return;  // the wire may be gone
    if (!code) link->start();
    accept();
  });
}

}  // namespace roomcheck::reference_server
