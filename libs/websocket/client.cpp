#include "libs/websocket/client.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/rand.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <unordered_set>
#include <websocketpp/base64/base64.hpp>

#include "libs/websocket/kernel_clock.h"
#include "libs/websocket/session.h"

namespace roomcheck::websocket {
namespace {

constexpr std::size_t kMaxResponseHead = 16384;

class ClientSession;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

// What the sessions of one Client share; outlived by none of them.
struct ClientCore {
  boost::asio::io_context& io;
  std::shared_ptr<TlsContext> tls;  // made with the Client: a wrong file is found before the first connection
  std::string server_name;
  ClientStats stats;
  std::map<std::string, Result<Address>> resolved;
  std::unordered_set<ClientSession*> sessions;
  KernelClock kernel_clock;
};

Result<Address> resolve(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (code != 0) return Error{Error::Kind::refused, "cannot resolve " + host + ": " + ::gai_strerror(code)};
  Address out;
  std::memcpy(&out.storage, found->ai_addr, found->ai_addrlen);
  out.size = found->ai_addrlen;
  ::freeaddrinfo(found);
  return out;
}

class ClientSession final : public Session {
 public:
  ClientSession(ClientCore& core, const ConnectOptions& options, std::unique_ptr<ClientHandler> handler)
      : Session(core.io, Role::client, options.send_buffer_limit, options.max_message_size),
        core_(&core),
        options_(std::make_unique<ConnectOptions>(options)) {
    client_handler_ = handler.get();
    handler_ = std::move(handler);
    remote_address_ = options.url.host_header();
  }

  void start() {
    core_->sessions.insert(this);
    started_ = steady_clock().now();
    const Url& url = options_->url;
    const std::string key = url.host + " " + std::to_string(url.port);
    auto known = core_->resolved.find(key);
    if (known == core_->resolved.end())
      known = core_->resolved.emplace(key, resolve(url.host, url.port)).first;
    if (!known->second.ok())
      return fail_open(ConnectFailure::Stage::resolve, 0, known->second.error().message);
    const Address& address = *known->second;

    Stream stream(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
                  nullptr);
    if (!stream.is_open()) return fail_open(ConnectFailure::Stage::tcp, 0, errno_text(errno));
    const int on = 1;
    ::setsockopt(stream.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (options_->kernel_timestamps) {
      if (url.secure() || ::setsockopt(stream.fd(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0)
        return fail_open(ConnectFailure::Stage::tcp, 0,
                         url.secure() ? "TLS hides the kernel's receive times" : errno_text(errno));
      kernel_clock_ = &core_->kernel_clock;
    }
    if (const int code = bind_source(stream.fd()); code != 0)
      return fail_open(ConnectFailure::Stage::tcp, 0,
                       "cannot use the source address " + options_->source_address + ": " + errno_text(code));
    if (::connect(stream.fd(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0 &&
        errno != EINPROGRESS)
      return fail_open(ConnectFailure::Stage::tcp, 0, errno_text(errno));
    if (url.secure()) {
      const std::string& name = core_->server_name.empty() ? url.host : core_->server_name;
      stream.start_tls(core_->tls->open(stream.fd(), false, name));
    }
    enter_reactor(std::move(stream), EPOLLOUT);
    deadline_ = started_ + options_->timeout;
  }

  void cut_loose() {
    abort();
    core_ = nullptr;
    kernel_clock_ = nullptr;
  }

 private:
  static std::string errno_text(int code) { return std::strerror(code); }

  int bind_source(int fd) const {
    if (options_->source_address.empty()) return 0;
    const Result<Address> source = resolve(options_->source_address, 0);
    if (!source.ok()) return EADDRNOTAVAIL;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
                 sizeof on);  // ports are then chosen per 4-tuple
    return ::bind(fd, reinterpret_cast<const sockaddr*>(&source->storage), source->size) == 0 ? 0 : errno;
  }

  Nanoseconds elapsed() const { return steady_clock().now() - started_; }

  void on_opening_event(std::uint32_t) override {
    if (!connected_) {
      int code = 0;
      socklen_t size = sizeof code;
      ::getsockopt(stream_.fd(), SOL_SOCKET, SO_ERROR, &code, &size);
      if (code != 0) return fail_open(ConnectFailure::Stage::tcp, 0, errno_text(code));
      connected_ = true;
      times_.tcp = elapsed();
      if (!stream_.is_tls()) send_request();
    } else if (stream_.is_tls() && tls_done() && key_.empty()) {
      times_.tls = elapsed();
      send_request();
    }
  }

  void send_request() {
    std::array<unsigned char, 16> raw{};
    RAND_bytes(raw.data(), static_cast<int>(raw.size()));
    key_ = websocketpp::base64_encode(raw.data(), raw.size());
    std::string out =
        "GET " + options_->url.target + " HTTP/1.1\r\nHost: " + options_->url.host_header() +
        "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
        key_ + "\r\n";
    if (!options_->cookies.empty()) out += "Cookie: " + options_->cookies + "\r\n";
    for (const auto& [name, value] : options_->headers) out += name + ": " + value + "\r\n";
    if (!options_->subprotocols.empty()) {
      out += "Sec-WebSocket-Protocol: ";
      for (std::size_t i = 0; i < options_->subprotocols.size(); ++i)
        out += (i > 0 ? ", " : "") + options_->subprotocols[i];
      out += "\r\n";
    }
    if (options_->compress) out += "Sec-WebSocket-Extensions: " + std::string(kDeflateOffer) + "\r\n";
    enqueue(std::make_shared<const std::string>(out + "\r\n"));
    update_interest();
  }

  void on_opening_bytes(char* bytes, std::size_t n) override {
    const std::size_t before = head_.size();
    head_.append(bytes, n);
    const std::size_t end = head_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
    if (end == head_.npos) {
      if (head_.size() > kMaxResponseHead)
        fail_open(ConnectFailure::Stage::http, 0, "the answer's headers do not end");
      return;
    }
    const std::string frames = head_.substr(end + 4);
    head_.resize(end + 4);
    check_answer();
    if (state_ == State::open && !frames.empty()) {
      std::string copy = frames;
      feed(copy.data(), copy.size());
    }
  }

  void check_answer() {
    protocol::HttpResponse response;
    try {
      response.consume(head_.data(), head_.size());
    } catch (const websocketpp::http::exception&) {
      return fail_open(ConnectFailure::Stage::http, 0, "the answer is no HTTP");
    }
    const int status = static_cast<int>(response.get_status_code());
    if (status != 101)
      return fail_open(ConnectFailure::Stage::http, status,
                       "HTTP " + std::to_string(status) + " " + response.get_status_msg());
    protocol::HttpRequest request;
    request.replace_header("Sec-WebSocket-Key", key_);
    begin_open();
    if (processor().validate_server_handshake_response(request, response))
      return fail_open(ConnectFailure::Stage::http, 101,
                       "the 101 has no valid Sec-WebSocket-Accept, Upgrade or Connection header");
    const std::string& extensions = response.get_header("Sec-WebSocket-Extensions");
    if (options_->compress) {
      const Result<std::optional<DeflateTerms>> terms = parse_deflate_answer(extensions);
      if (!terms.ok()) return fail_open(ConnectFailure::Stage::http, 101, terms.error().message);
      if (*terms) deflate_ = std::make_unique<Deflate>(**terms);
      times_.compressed = deflate_ != nullptr;
    } else if (!extensions.empty()) {
      return fail_open(ConnectFailure::Stage::http, 101,
                       "the 101 agrees to an extension, and none was offered");
    }
    times_.upgrade = elapsed();
    ++core_->stats.opened;
    options_.reset();
    head_ = std::string();
    guarded([this] {
      client_handler_->on_connected(times_);
      handler_->on_open();
    });
    update_interest();
  }

  void fail_open(ConnectFailure::Stage stage, int status, const std::string& why) {
    if (core_ != nullptr) ++core_->stats.failed;
    const ConnectFailure failure{stage, status, why};
    finish_with([this, failure] { client_handler_->on_failed(failure); });
    close_stream();
    leave();
  }

  void on_opening_end(const std::string& why) override {
    const bool in_tls = connected_ && stream_.is_tls() && !tls_done();
    fail_open(in_tls       ? ConnectFailure::Stage::tls
              : connected_ ? ConnectFailure::Stage::http
                           : ConnectFailure::Stage::tcp,
              0, why);
  }

  void on_opening_deadline() override {
    fail_open(ConnectFailure::Stage::timeout, 0, "no answer within the time limit");
  }
  void on_received() override {
    if (core_ != nullptr) ++core_->stats.messages_received;
  }
  void on_stream_closed() override { leave(); }

  void leave() {
    if (core_ != nullptr) core_->sessions.erase(this);
  }

  ClientCore* core_;
  std::unique_ptr<ConnectOptions> options_;  // until open
  ClientHandler* client_handler_;
  std::string key_;
  std::string head_;
  ConnectTimes times_;
  Nanoseconds started_{0};
  bool connected_ = false;
};

}  // namespace

std::string_view to_string(ConnectFailure::Stage stage) {
  switch (stage) {
    case ConnectFailure::Stage::resolve:
      return "resolve";
    case ConnectFailure::Stage::tcp:
      return "tcp";
    case ConnectFailure::Stage::tls:
      return "tls";
    case ConnectFailure::Stage::http:
      return "http";
    case ConnectFailure::Stage::timeout:
      return "timeout";
  }
  return "unknown";
}

class Client::Impl {
 public:
  Impl(boost::asio::io_context& io, const ClientTls& tls)
      : core_{io, TlsContext::client(tls), tls.server_name, {}, {}, {}, {}} {}
  ~Impl() {
    std::vector<std::shared_ptr<Session>> all;
    for (ClientSession* session : core_.sessions) all.push_back(session->shared_from_this());
    for (const auto& session : all) static_cast<ClientSession&>(*session).cut_loose();
  }
  ClientCore core_;
};

Client::Client(boost::asio::io_context& io, const ClientTls& tls) : impl_(std::make_unique<Impl>(io, tls)) {}
Client::~Client() = default;

ConnectionPtr Client::connect(const ConnectOptions& options, std::unique_ptr<ClientHandler> handler) {
  const auto session = std::make_shared<ClientSession>(impl_->core_, options, std::move(handler));
  session->start();
  return session;
}

ClientStats Client::stats() const { return impl_->core_.stats; }

}  // namespace roomcheck::websocket
