#include "libs/websocket/stream.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "libs/base/result.h"

namespace roomcheck::websocket {
namespace {

std::string ssl_errors() {
  std::string out;
  while (const unsigned long code = ERR_get_error()) {
    const char* reason = ERR_reason_error_string(code);
    if (!out.empty()) out += "; ";
    out += reason != nullptr ? reason : "unknown TLS error";
  }
  return out.empty() ? "unknown TLS error" : out;
}

SSL_CTX* new_context(const SSL_METHOD* method) {
  ERR_clear_error();
  SSL_CTX* context = SSL_CTX_new(method);
  if (context == nullptr) throw BadInput("TLS cannot be set up: " + ssl_errors());
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  return context;
}

void use_identity(SSL_CTX* context, const std::string& certificate, const std::string& key) {
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1)
    throw BadInput("cannot use the certificate " + certificate + ": " + ssl_errors() +
                   " (expected a PEM file)");
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1)
    throw BadInput("cannot use the key " + (key.empty() ? "(none given)" : key) + " with " + certificate +
                   ": " + ssl_errors());
}

}  // namespace

std::shared_ptr<TlsContext> TlsContext::server(const ServerTls& tls) {
  std::shared_ptr<TlsContext> out(new TlsContext(new_context(TLS_server_method())));
  use_identity(out->context_, tls.certificate_file, tls.key_file);
  return out;
}

std::shared_ptr<TlsContext> TlsContext::client(const ClientTls& tls) {
  std::shared_ptr<TlsContext> out(new TlsContext(new_context(TLS_client_method())));
  if (!tls.certificate_file.empty()) use_identity(out->context_, tls.certificate_file, tls.key_file);
  out->verify_ = tls.verify;
  if (!tls.verify) return out;
  SSL_CTX_set_verify(out->context_, SSL_VERIFY_PEER, nullptr);
  if (tls.ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(out->context_);
  } else if (SSL_CTX_load_verify_locations(out->context_, tls.ca_file.c_str(), nullptr) != 1) {
    throw BadInput("cannot read the CA file " + tls.ca_file + ": " + ssl_errors());
  }
  return out;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

ssl_st* TlsContext::open(int fd, bool is_server, const std::string& server_name) const {
  SSL* ssl = SSL_new(context_);
  if (ssl == nullptr) return nullptr;
  SSL_set_fd(ssl, fd);
  if (is_server) {
    SSL_set_accept_state(ssl);
    return ssl;
  }
  SSL_set_connect_state(ssl);
  in6_addr address{};
  const bool is_address = ::inet_pton(AF_INET, server_name.c_str(), &address) == 1 ||
                          ::inet_pton(AF_INET6, server_name.c_str(), &address) == 1;
  if (!is_address)
    SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(server_name.c_str()));
  if (verify_ && is_address) X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), server_name.c_str());
  if (verify_ && !is_address) SSL_set1_host(ssl, server_name.c_str());
  return ssl;
}

Stream::Stream(Stream&& other) noexcept { *this = std::move(other); }

Stream& Stream::operator=(Stream&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(ssl_, other.ssl_);
  std::swap(error_, other.error_);
  return *this;
}

Stream::~Stream() { close(); }

Stream::Outcome Stream::from_ssl(int result) {
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      return {Status::want_read};
    case SSL_ERROR_WANT_WRITE:
      return {Status::want_write};
    case SSL_ERROR_ZERO_RETURN:
      return {Status::eof};
    default:
      break;
  }
  const long verified = SSL_get_verify_result(ssl_);
  error_ = verified != X509_V_OK
               ? std::string("the certificate is not trusted: ") + X509_verify_cert_error_string(verified)
               : ssl_errors();
  return {Status::error};
}

Stream::Outcome Stream::handshake() {
  if (ssl_ == nullptr) return {Status::ok};
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  return result == 1 ? Outcome{Status::ok} : from_ssl(result);
}

Stream::Outcome Stream::read(char* buffer, std::size_t size) {
  if (ssl_ != nullptr) {
    ERR_clear_error();
    const int n = SSL_read(ssl_, buffer, static_cast<int>(size));
    return n > 0 ? Outcome{Status::ok, static_cast<std::size_t>(n)} : from_ssl(n);
  }
  for (;;) {
    const ssize_t n = ::recv(fd_, buffer, size, 0);
    if (n > 0) return {Status::ok, static_cast<std::size_t>(n)};
    if (n == 0) return {Status::eof};
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {Status::want_read};
    error_ = std::strerror(errno);
    return {Status::error};
  }
}

Stream::Outcome Stream::read(char* buffer, std::size_t size, Nanoseconds& received) {
  iovec part{buffer, size};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(timespec))> control;
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  received = Nanoseconds(0);
  for (;;) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t n = ::recvmsg(fd_, &message, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return {Status::want_read};
    if (n < 0) {
      error_ = std::strerror(errno);
      return {Status::error};
    }
    for (cmsghdr* head = CMSG_FIRSTHDR(&message); head != nullptr; head = CMSG_NXTHDR(&message, head)) {
      if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SO_TIMESTAMPNS) continue;
      timespec time{};
      std::memcpy(&time, CMSG_DATA(head), sizeof time);
      received = std::chrono::seconds(time.tv_sec) + Nanoseconds(time.tv_nsec);
    }
    return n == 0 ? Outcome{Status::eof} : Outcome{Status::ok, static_cast<std::size_t>(n)};
  }
}

// What fits of small parts is copied together: one plain send and one TLS record cost less than what
// gathering them does.
Stream::Outcome Stream::write(const iovec* parts, int count) {
  std::array<char, 16384> joined;
  std::size_t size = 0;
  for (int i = 0; count > 1 && i < count && size + parts[i].iov_len <= joined.size(); ++i) {
    std::memcpy(joined.data() + size, parts[i].iov_base, parts[i].iov_len);
    size += parts[i].iov_len;
  }
  const char* const bytes = size > 0 ? joined.data() : static_cast<const char*>(parts[0].iov_base);
  if (size == 0) size = parts[0].iov_len;
  if (ssl_ != nullptr) {
    ERR_clear_error();
    const int n = SSL_write(ssl_, bytes, static_cast<int>(size));
    return n > 0 ? Outcome{Status::ok, static_cast<std::size_t>(n)} : from_ssl(n);
  }
  for (;;) {
    const ssize_t n = ::send(fd_, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) return {Status::ok, static_cast<std::size_t>(n)};
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {Status::want_write};
    error_ = std::strerror(errno);
    return {Status::error};
  }
}

std::string Stream::last_error() const { return error_; }

void Stream::finish_writing() {
  if (ssl_ != nullptr && SSL_is_init_finished(ssl_) != 0) {
    ERR_clear_error();
    SSL_shutdown(ssl_);
  }
  if (fd_ >= 0) ::shutdown(fd_, SHUT_WR);
}

void Stream::close(bool reset) {
  if (ssl_ != nullptr) SSL_free(ssl_);
  ssl_ = nullptr;
  if (fd_ < 0) return;
  if (reset) {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  ::close(fd_);
  fd_ = -1;
}

}  // namespace roomcheck::websocket
