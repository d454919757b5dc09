#pragma once
#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <string>

#include "libs/base/clock.h"
#include "libs/websocket/tls.h"

struct ssl_st;
struct ssl_ctx_st;

namespace roomcheck::websocket {

// One TLS configuration, shared by its connections.
class TlsContext {
 public:
  // Throw BadInput with the file that cannot be used.
  static std::shared_ptr<TlsContext> server(const ServerTls& tls);
  static std::shared_ptr<TlsContext> client(const ClientTls& tls);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // A session on a connected descriptor. `server_name` (client): SNI, and the name that the certificate must
  // have.
  ssl_st* open(int fd, bool is_server, const std::string& server_name) const;

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* context_;
  bool verify_ = false;
};

// A non-blocking socket, plain or TLS; owns the descriptor.
class Stream {
 public:
  enum class Status { ok, want_read, want_write, eof, error };
  struct Outcome {
    Status status;
    std::size_t bytes = 0;
  };

  Stream() = default;
  Stream(int fd, ssl_st* ssl) : fd_(fd), ssl_(ssl) {}
  Stream(Stream&& other) noexcept;
  Stream& operator=(Stream&& other) noexcept;
  ~Stream();

  int fd() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  bool is_tls() const { return ssl_ != nullptr; }
  void start_tls(ssl_st* ssl) { ssl_ = ssl; }

  Outcome handshake();  // ok at once without TLS
  Outcome read(char* buffer, std::size_t size);
  // The same, with when the kernel received the last segment of it (CLOCK_REALTIME); 0: it did not say.
  // REQUIRES: no TLS, SO_TIMESTAMPNS.
  Outcome read(char* buffer, std::size_t size, Nanoseconds& received);
  // Writes some of the parts, in order; the caller goes on from what was written. REQUIRES: count >= 1, no
  // empty first part.
  Outcome write(const iovec* parts, int count);
  std::string last_error() const;  // of a handshake or call that gave Status::error

  void finish_writing();  // close_notify and FIN
  void close(bool reset = false);

 private:
  Outcome from_ssl(int result);
  std::string error_;
  int fd_ = -1;
  ssl_st* ssl_ = nullptr;
};

}  // namespace roomcheck::websocket
