#include "libs/websocket/server.h"

#include <unistd.h>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "libs/base/result.h"
#include "libs/websocket/listener.h"
#include "libs/websocket/server_session.h"

namespace roomcheck::websocket {

void require_free_port(const std::string& host, std::uint16_t port) {
  if (port != 0) ::close(listen_on(host, port, false));
}

class Server::Impl {
 public:
  Impl(boost::asio::io_context& io, const ServerOptions& options, Application& application)
      : io_(io), limit_(io), core_{options, &application, {}, {}, 0, {}} {
    if (options.tls.enabled()) try {
        tls_ = TlsContext::server(options.tls);
      } catch (const BadInput& e) {
        throw StartFailure(e.what());
      }
    listener_ =
        std::make_shared<Listener>(Reactor::of(io), listen_on(options.host, options.port, options.reuse_port),
                                   [this](int fd, std::string remote) { accept(fd, std::move(remote)); });
    port_ = listener_->port();
    listener_->start();
  }

  ~Impl() {
    core_.on_empty = nullptr;
    listener_->stop();
    for_each_session([](ServerSession& session) { session.cut_loose(); });
  }

  void shut_down(std::uint16_t code, std::chrono::nanoseconds limit, std::function<void()> done) {
    listener_->stop();
    core_.on_empty = [this, done = std::move(done)] {
      boost::asio::post(io_, done);
      limit_.cancel();
      core_.on_empty = nullptr;
    };
    if (core_.sessions.empty()) return core_.on_empty();
    for_each_session([code](ServerSession& session) { session.close(code, ""); });
    limit_.expires_after(limit);
    limit_.async_wait([this](const boost::system::error_code& cancelled) {
      if (!cancelled) for_each_session([](ServerSession& session) { session.abort(); });
    });
  }

  std::uint16_t port_ = 0;
  ServerStats stats() const {
    ServerStats out = core_.stats;
    out.accept_pauses = listener_->pauses();
    return out;
  }

 private:
  void accept(int fd, std::string remote) {
    ++core_.stats.accepted;
    const Admission admission = admit(remote);
    // Some room for those that are told why; a flood beyond that is closed unheard. Small, so that it fits
    // the descriptors that --max-connections leaves.
    constexpr std::size_t kToldOff = 16;
    if (admission != Admission::admitted && core_.told_off >= kToldOff) {
      ::close(fd);
      return;
    }
    Stream stream(fd, nullptr);
    if (tls_) stream.start_tls(tls_->open(fd, true, ""));
    std::make_shared<ServerSession>(io_, core_)->start(std::move(stream), std::move(remote), admission);
  }

  Admission admit(const std::string& remote) {
    const std::size_t most = core_.options.max_connections;
    if (most > 0 && core_.sessions.size() - core_.told_off >= most) {
      ++core_.stats.over_connection_limit;
      return Admission::server_is_full;
    }
    AddressLimit* const addresses = core_.options.address_limit.get();
    if (addresses == nullptr || addresses->enter(remote)) return Admission::admitted;
    ++core_.stats.over_address_limit;
    return Admission::address_has_its_share;
  }

  template <class Call>
  void for_each_session(Call call) {
    std::vector<std::shared_ptr<Session>> all;
    for (ServerSession* session : core_.sessions) all.push_back(session->shared_from_this());
    for (const auto& session : all) call(static_cast<ServerSession&>(*session));
  }

  boost::asio::io_context& io_;
  boost::asio::steady_timer limit_;
  ServerCore core_;
  std::shared_ptr<TlsContext> tls_;
  std::shared_ptr<Listener> listener_;
};

Server::Server(boost::asio::io_context& io, const ServerOptions& options, Application& application)
    : impl_(std::make_unique<Impl>(io, options, application)) {}
Server::~Server() = default;
std::uint16_t Server::port() const { return impl_->port_; }
ServerStats Server::stats() const { return impl_->stats(); }
void Server::shut_down(std::uint16_t code, std::chrono::nanoseconds limit, std::function<void()> done) {
  impl_->shut_down(code, limit, std::move(done));
}

}  // namespace roomcheck::websocket
