#include "libs/websocket/raw_client.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "libs/websocket/raw_frame.h"
#include "libs/websocket/stream.h"

namespace roomcheck::websocket {
namespace {

constexpr std::size_t kMaxHead = 64 * 1024;

std::string base64(const unsigned char* bytes, std::size_t n) {
  std::string out(4 * ((n + 2) / 3), '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes, static_cast<int>(n));
  return out;
}

std::string fresh_key() {
  std::array<unsigned char, 16> raw{};
  RAND_bytes(raw.data(), static_cast<int>(raw.size()));
  return base64(raw.data(), raw.size());
}

std::string accept_for(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  return base64(digest.data(), size);
}

// False when the deadline passed first.
bool wait_for(int fd, short events, Nanoseconds deadline) {
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - steady_clock().now()).count();
    pollfd entry{fd, events, 0};
    const int n = ::poll(&entry, 1, left > 0 ? static_cast<int>(std::min<std::int64_t>(left + 1, 60000)) : 0);
    if (n > 0) return true;
    if (n == 0 && left <= 0) return false;
    if (n < 0 && errno != EINTR) return false;
  }
}

short poll_events(Stream::Status status) { return status == Stream::Status::want_write ? POLLOUT : POLLIN; }

}  // namespace

std::string_view to_string(Received::Kind kind) {
  switch (kind) {
    case Received::Kind::text:
      return "text";
    case Received::Kind::binary:
      return "binary";
    case Received::Kind::close:
      return "close";
    case Received::Kind::end:
      return "end of TCP";
    case Received::Kind::reset:
      return "reset";
    case Received::Kind::timeout:
      return "timeout";
    case Received::Kind::invalid:
      return "invalid";
  }
  return "unknown";
}

class RawClient::Impl {
 public:
  Url url;
  std::shared_ptr<TlsContext> tls;
  Stream stream;
  Transcript transcript;
  std::string buffer;  // received, not yet taken
  std::string key;
  std::string message;  // fragments so far
  std::uint8_t message_opcode = 0;
  int fragments = 0;
  Received::Kind ended = Received::Kind::timeout;  // end or reset once seen
  bool answer_pings = true;

  enum class Read { more, ended, timeout };
  Read read_more(Nanoseconds deadline) {
    if (!stream.is_open() || ended != Received::Kind::timeout) return Read::ended;
    std::array<char, 65536> chunk;
    for (;;) {
      const Stream::Outcome outcome = stream.read(chunk.data(), chunk.size());
      switch (outcome.status) {
        case Stream::Status::ok:
          buffer.append(chunk.data(), outcome.bytes);
          return Read::more;
        case Stream::Status::eof:
          ended = Received::Kind::end;
          transcript.add(TranscriptEntry::Direction::received, "end of TCP (FIN)");
          return Read::ended;
        case Stream::Status::error:
          ended = Received::Kind::reset;
          transcript.add(TranscriptEntry::Direction::received,
                         "connection reset (" + stream.last_error() + ")");
          return Read::ended;
        default:
          if (!wait_for(stream.fd(), poll_events(outcome.status), deadline)) return Read::timeout;
      }
    }
  }
};

RawClient::RawClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RawClient::~RawClient() = default;

Result<std::unique_ptr<RawClient>> RawClient::connect(const Url& url, Deadline deadline,
                                                      const ClientTls& tls) {
  const std::string where = url.host_header();
  auto impl = std::make_unique<Impl>();
  impl->url = url;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = ::getaddrinfo(url.host.c_str(), std::to_string(url.port).c_str(), &hints, &found);
      code != 0)
    return Error{Error::Kind::refused, "cannot resolve " + url.host + ": " + ::gai_strerror(code)};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> holder(found, &::freeaddrinfo);
  const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return Error{Error::Kind::system, std::string("cannot open a socket: ") + std::strerror(errno)};
  impl->stream = Stream(fd, nullptr);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
    if (errno != EINPROGRESS)
      return Error{Error::Kind::refused, "cannot connect to " + where + ": " + std::strerror(errno)};
    if (!wait_for(fd, POLLOUT, deadline))
      return Error{Error::Kind::timeout, "cannot connect to " + where + ": no answer within the time limit"};
    int code = 0;
    socklen_t size = sizeof code;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size);
    if (code != 0)
      return Error{Error::Kind::refused, "cannot connect to " + where + ": " + std::strerror(code)};
  }
  impl->transcript.add(TranscriptEntry::Direction::sent, "TCP connect to " + where);
  if (url.secure()) {
    try {
      impl->tls = TlsContext::client(tls);
    } catch (const BadInput& e) {
      return Error{Error::Kind::bad_input, e.what()};
    }
    impl->stream.start_tls(impl->tls->open(fd, false, tls.server_name.empty() ? url.host : tls.server_name));
    for (;;) {
      const Stream::Outcome outcome = impl->stream.handshake();
      if (outcome.status == Stream::Status::ok) break;
      if (outcome.status == Stream::Status::error || outcome.status == Stream::Status::eof)
        return Error{Error::Kind::refused, "TLS with " + where + " failed: " + impl->stream.last_error()};
      if (!wait_for(fd, poll_events(outcome.status), deadline))
        return Error{Error::Kind::timeout, "TLS with " + where + ": no answer within the time limit"};
    }
  }
  return std::unique_ptr<RawClient>(new RawClient(std::move(impl)));
}

// ---- the opening handshake

Result<void> RawClient::send_handshake(const RawHandshake& handshake, Deadline deadline) {
  const std::string target = handshake.target.value_or(impl_->url.target);
  std::string out = handshake.method + " " + target + " " + handshake.http_version +
                    "\r\nHost: " + impl_->url.host_header() + "\r\n";
  const auto header = [&out](const char* name, const std::optional<std::string>& value) {
    if (value) out += std::string(name) + ": " + *value + "\r\n";
  };
  impl_->key = handshake.key.value_or("");
  if (handshake.key && handshake.key->empty()) impl_->key = fresh_key();
  header("Upgrade", handshake.upgrade);
  header("Connection", handshake.connection);
  header("Sec-WebSocket-Version", handshake.version);
  if (handshake.key) header("Sec-WebSocket-Key", impl_->key);
  for (const auto& [name, value] : handshake.headers) header(name.c_str(), value);
  impl_->transcript.add(TranscriptEntry::Direction::sent, handshake.method + " " + printable(target) + " " +
                                                              handshake.http_version + " (upgrade)");
  return send_bytes(out + "\r\n", deadline);
}

RawResponse RawClient::read_response(Deadline deadline) {
  RawResponse out;
  std::string& buffer = impl_->buffer;
  const auto finish = [&](RawResponse response) {
    if (!response.before.empty())
      impl_->transcript.add(TranscriptEntry::Direction::received,
                            std::to_string(response.before.size()) +
                                " octets before the status line: " + printable(response.before));
    const std::string seen = response.status != 0 ? "HTTP " + std::to_string(response.status)
                             : response.timed_out ? "no answer within the limit"
                                                  : "no HTTP answer";
    const auto& entries = impl_->transcript.entries();
    if (entries.empty() || entries.back().text != seen)  // who asks again and again is told once
      impl_->transcript.add(TranscriptEntry::Direction::received, seen);
    return response;
  };
  std::size_t start, end;
  for (;;) {
    start = buffer.find("HTTP/1.");
    end = start == buffer.npos ? buffer.npos : buffer.find("\r\n\r\n", start);
    if (end != buffer.npos) break;
    const Impl::Read read = buffer.size() > kMaxHead ? Impl::Read::ended : impl_->read_more(deadline);
    if (read == Impl::Read::more) continue;
    out.timed_out = read == Impl::Read::timeout;
    out.before = start == buffer.npos ? buffer : buffer.substr(0, start);
    return finish(out);
  }
  out.before = buffer.substr(0, start);
  const std::string head = buffer.substr(start, end - start + 2);
  buffer.erase(0, end + 4);
  const std::size_t space = head.find(' ');
  if (space != head.npos) out.status = std::atoi(head.c_str() + space + 1);
  for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
    const std::size_t line = head.find("\r\n", at), colon = head.find(':', at);
    if (colon < line) {
      const std::size_t value = head.find_first_not_of(" \t", colon + 1);
      out.headers.emplace_back(head.substr(at, colon - at),
                               value < line ? head.substr(value, line - value) : "");
    }
    at = line + 2;
  }
  out.accept_ok = out.status == 101 && out.header("Sec-WebSocket-Accept") == accept_for(impl_->key);
  if (out.status == 101) return finish(out);
  // Without a length nothing is waited for: the server may keep the connection open.
  const std::string length = out.header("Content-Length");
  const std::size_t wanted = length.empty()
                                 ? buffer.size()
                                 : std::min<std::size_t>(kMaxHead, std::strtoul(length.c_str(), nullptr, 10));
  while (buffer.size() < wanted && impl_->read_more(deadline) == Impl::Read::more) {
  }
  out.body = buffer.substr(0, wanted);
  buffer.erase(0, wanted);
  return finish(out);
}

RawResponse RawClient::handshake(const RawHandshake& handshake, Deadline deadline) {
  (void)send_handshake(handshake, deadline);  // a server that refuses may close first; its answer tells
  return read_response(deadline);
}

// ---- frames

Result<void> RawClient::send_bytes(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    if (!impl_->stream.is_open()) return Error{Error::Kind::closed, "the connection is closed"};
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    const Stream::Outcome outcome = impl_->stream.write(&part, 1);
    if (outcome.status == Stream::Status::ok) {
      bytes.remove_prefix(outcome.bytes);
    } else if (outcome.status == Stream::Status::error || outcome.status == Stream::Status::eof) {
      return Error{Error::Kind::closed, "sending failed: " + impl_->stream.last_error()};
    } else if (!wait_for(impl_->stream.fd(), poll_events(outcome.status), deadline)) {
      return Error{Error::Kind::timeout, "the server does not read: sending timed out"};
    }
  }
  return {};
}

Result<void> RawClient::send_frame(const RawFrame& frame, Deadline deadline) {
  impl_->transcript.add(TranscriptEntry::Direction::sent,
                        describe_frame(frame.fin, frame.rsv, frame.opcode, false, frame.payload) +
                            (frame.masked ? "" : " [unmasked]"));
  return send_bytes(encode(frame), deadline);
}

Result<void> RawClient::send_text(std::string_view payload, Deadline deadline) {
  RawFrame frame;
  frame.payload = std::string(payload);
  return send_frame(frame, deadline);
}

Result<void> RawClient::send_close(std::uint16_t code, std::string_view reason, Deadline deadline) {
  RawFrame frame;
  frame.opcode = 8;
  frame.payload = {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  frame.payload += reason;
  return send_frame(frame, deadline);
}

Result<ReceivedFrame> RawClient::read_frame(Deadline deadline) {
  for (;;) {
    std::string error;
    if (auto frame = take_frame(impl_->buffer, max_message_size, error)) {
      frame->at = steady_clock().now();
      impl_->transcript.add(
          TranscriptEntry::Direction::received,
          describe_frame(frame->fin, frame->rsv, frame->opcode, frame->masked, frame->payload));
      return *frame;
    }
    if (!error.empty()) return Error{Error::Kind::bad_input, error};
    switch (impl_->read_more(deadline)) {
      case Impl::Read::more:
        break;
      case Impl::Read::timeout:
        return Error{Error::Kind::timeout, "nothing complete came within the time limit"};
      case Impl::Read::ended:
        return Error{impl_->ended == Received::Kind::reset ? Error::Kind::system : Error::Kind::closed,
                     "the connection ended"};
    }
  }
}

Received RawClient::read_message(Deadline deadline) {
  const auto invalid = [this](const std::string& why) {
    note("the server broke RFC 6455: " + why);
    return Received{Received::Kind::invalid, why, 0, impl_->fragments, steady_clock().now()};
  };
  for (;;) {
    const Result<ReceivedFrame> read = read_frame(deadline);
    if (!read.ok()) {
      if (read.error().kind == Error::Kind::bad_input) return invalid(read.error().message);
      const auto kind = read.error().kind == Error::Kind::timeout  ? Received::Kind::timeout
                        : read.error().kind == Error::Kind::closed ? Received::Kind::end
                                                                   : Received::Kind::reset;
      return {kind, "", 0, 0, steady_clock().now()};
    }
    const ReceivedFrame& frame = *read;
    if (frame.masked) return invalid("a server must not mask (5.1)");
    if (frame.rsv != 0) return invalid("a reserved bit is set (5.2)");
    if (!frame.shortest) return invalid("a length not in its shortest form (5.2)");
    if (frame.opcode >= 8) {
      if (!frame.fin || frame.payload.size() > 125)
        return invalid("a control frame is fragmented or too long (5.5)");
      if (frame.opcode > 10) return invalid("a reserved opcode (5.2)");
      if (frame.opcode == 9 && impl_->answer_pings) {
        RawFrame pong;
        pong.opcode = 10;
        pong.payload = frame.payload;
        (void)send_frame(pong, deadline);
      }
      if (frame.opcode != 8) continue;
      if (frame.payload.size() == 1) return invalid("a close frame of one octet (5.5.1)");
      if (frame.payload.empty()) return {Received::Kind::close, "", 1005, 1, frame.at};
      const auto code = static_cast<std::uint16_t>(static_cast<unsigned char>(frame.payload[0]) << 8 |
                                                   static_cast<unsigned char>(frame.payload[1]));
      if (!is_valid_utf8(frame.payload.substr(2))) return invalid("a close reason that is no UTF-8 (5.5.1)");
      return {Received::Kind::close, frame.payload.substr(2), code, 1, frame.at};
    }
    if (frame.opcode > 2) return invalid("a reserved opcode (5.2)");
    if ((frame.opcode == 0) != (impl_->fragments > 0)) return invalid("fragments out of sequence (5.4)");
    if (frame.opcode != 0) impl_->message_opcode = frame.opcode;
    impl_->message += frame.payload;
    ++impl_->fragments;
    if (impl_->message.size() > max_message_size)
      return invalid("a message longer than " + std::to_string(max_message_size) + " octets");
    if (!frame.fin) continue;
    Received out{impl_->message_opcode == 1 ? Received::Kind::text : Received::Kind::binary,
                 std::move(impl_->message), 0, impl_->fragments, frame.at};
    impl_->message.clear();
    impl_->fragments = 0;
    if (out.kind == Received::Kind::text && !is_valid_utf8(out.payload))
      return invalid("a text that is no UTF-8 (8.1)");
    return out;
  }
}

void RawClient::set_answer_pings(bool answer) { impl_->answer_pings = answer; }

void RawClient::shutdown_write() {
  note("FIN sent");
  impl_->stream.finish_writing();
}
void RawClient::reset() {
  note("RST sent");
  impl_->stream.close(true);
}
void RawClient::close() {
  if (is_open()) note("TCP closed by us");
  impl_->stream.close();
}
bool RawClient::is_open() const { return impl_->stream.is_open(); }
const Url& RawClient::url() const { return impl_->url; }
const Transcript& RawClient::transcript() const { return impl_->transcript; }
void RawClient::note(std::string text) {
  impl_->transcript.add(TranscriptEntry::Direction::note, std::move(text));
}

}  // namespace roomcheck::websocket
