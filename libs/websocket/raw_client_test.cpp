// The judge's client against a peer that sends what a test gives it, octet by octet.
#include "libs/websocket/raw_client.h"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <thread>

namespace roomcheck::websocket {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Kind = Received::Kind;

// One connection of a peer that does as it is told. Its thread ends with the object.
class Peer {
 public:
  using Conversation = std::function<void(int fd)>;
  explicit Peer(Conversation conversation) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 1) != 0 ||
        ::getsockname(listener_, generic, &size) != 0)
      throw std::runtime_error("cannot listen");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, conversation = std::move(conversation)] {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      conversation(fd);
      ::close(fd);
    });
  }
  ~Peer() {
    ::shutdown(listener_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    ::close(listener_);
  }
  void end_of_conversation() { thread_.join(); }  // what it has noted may be read now

  std::unique_ptr<RawClient> connect() const {
    auto client = RawClient::connect(parse_url("ws://127.0.0.1:" + std::to_string(port_) + "/ws/"), soon());
    if (!client.ok()) throw std::runtime_error(client.error().message);
    return std::move(client).value();
  }

  static Nanoseconds soon() { return steady_clock().now() + 20s; }

 private:
  int listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

void put(int fd, std::string_view bytes) {
  EXPECT_EQ(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
}

// What comes until the text is in it, or until the other side ends.
std::string take_until(int fd, std::string_view text) {
  std::string out;
  char chunk[4096];
  while (text.empty() || out.find(text) == out.npos) {
    const ssize_t n = ::recv(fd, chunk, sizeof chunk, 0);
    if (n <= 0) break;
    out.append(chunk, static_cast<std::size_t>(n));
  }
  return out;
}

std::string server_frame(unsigned opcode, std::string payload, bool fin = true) {
  RawFrame frame;
  frame.fin = fin;
  frame.opcode = static_cast<std::uint8_t>(opcode);
  frame.masked = false;
  frame.payload = std::move(payload);
  return RawClient::encode(frame);
}

// What the client makes of these octets, sent at once without a handshake before.
Received reads(const std::string& bytes) {
  const Peer peer([&](int fd) {
    put(fd, bytes);
    ::shutdown(fd, SHUT_WR);
    take_until(fd, "");
  });
  return peer.connect()->read_message(Peer::soon());
}

TEST(RawClientEncode, IsRfc6455ToTheOctet) {
  RawFrame hello;  // 5.7: "A single-frame masked text message"
  hello.payload = "Hello";
  hello.mask = 0x37fa213d;
  EXPECT_EQ(RawClient::encode(hello), std::string("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"));
  hello.masked = false;
  EXPECT_EQ(RawClient::encode(hello), std::string("\x81\x05Hello"));
  EXPECT_EQ(server_frame(2, std::string(256, 'b')).substr(0, 4), std::string("\x82\x7e\x01\x00", 4));
  EXPECT_EQ(server_frame(2, std::string(65536, 'b')).substr(0, 10),
            std::string("\x82\x7f\0\0\0\0\0\x01\0\0", 10));
}

TEST(RawClientEncode, LiesWhenAskedTo) {
  RawFrame frame;
  frame.masked = false;
  frame.payload = "x";
  frame.length_bytes = 8;
  EXPECT_EQ(RawClient::encode(frame), std::string("\x81\x7f\0\0\0\0\0\0\0\x01x", 11))
      << "not the shortest form";
  frame.length_bytes = 0;
  frame.declared_length = 1ULL << 63;
  EXPECT_EQ(RawClient::encode(frame), std::string("\x81\x7f\x80\0\0\0\0\0\0\0x", 11)) << "more than there is";
  frame = {};
  frame.masked = false;
  frame.fin = false;
  frame.rsv = 7;
  frame.opcode = 3;
  EXPECT_EQ(RawClient::encode(frame), std::string("\x73\0", 2));
}

TEST(RawClientHandshake, ChecksTheAcceptForItsOwnKey) {
  std::string request;
  const Peer peer([&](int fd) {
    request = take_until(fd, "\r\n\r\n");
    put(fd,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
    take_until(fd, "");
  });
  RawHandshake handshake;
  handshake.key = "dGhlIHNhbXBsZSBub25jZQ==";  // RFC 6455, 1.3
  const auto client = peer.connect();
  const RawResponse response = client->handshake(handshake, Peer::soon());
  EXPECT_EQ(response.status, 101);
  EXPECT_TRUE(response.accept_ok);
  EXPECT_THAT(request, HasSubstr("GET /ws/ HTTP/1.1\r\nHost: 127.0.0.1:"));
}

TEST(RawClientHandshake, AnotherKeysAcceptIsNotOk) {
  const Peer peer([](int fd) {
    take_until(fd, "\r\n\r\n");
    put(fd, "HTTP/1.1 101 ok\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
  });
  EXPECT_FALSE(peer.connect()->handshake({}, Peer::soon()).accept_ok);
}

TEST(RawClientHandshake, KeepsWhatCameBeforeTheStatusLine) {
  const Peer peer([](int fd) {
    take_until(fd, "\r\n\r\n");
    put(fd, std::string("\x81\x02hi") + "HTTP/1.1 101 Switching Protocols\r\n\r\n");
    take_until(fd, "");
  });
  const RawResponse response = peer.connect()->handshake({}, Peer::soon());
  EXPECT_EQ(response.before, "\x81\x02hi");
  EXPECT_EQ(response.status, 101);
}

TEST(RawClientHandshake, TellsARefusalFromAnEndFromSilence) {
  const Peer refuses([](int fd) {
    take_until(fd, "\r\n\r\n");
    put(fd, "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    take_until(fd, "");
  });
  const RawResponse refusal = refuses.connect()->handshake({}, Peer::soon());
  EXPECT_EQ(refusal.status, 403);
  EXPECT_EQ(refusal.body, "no");

  const Peer keeps([](int fd) {
    take_until(fd, "\r\n\r\n");
    put(fd, "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n");
    take_until(fd, "");
  });
  const Nanoseconds limit = Peer::soon();
  EXPECT_EQ(keeps.connect()->handshake({}, limit).status, 404);
  EXPECT_LT(steady_clock().now(), limit) << "waited for the end of a connection that stays open";

  const Peer ends([](int fd) { take_until(fd, "\r\n\r\n"); });
  const RawResponse end = ends.connect()->handshake({}, Peer::soon());
  EXPECT_EQ(end.status, 0);
  EXPECT_FALSE(end.timed_out);

  const Peer silent([](int fd) { take_until(fd, ""); });
  const RawResponse silence = silent.connect()->handshake({}, steady_clock().now() + 1ms);
  EXPECT_EQ(silence.status, 0);
  EXPECT_TRUE(silence.timed_out);
}

TEST(RawClientReads, JoinsFragmentsAndAnswersPingsBetweenThem) {
  std::string answer;
  Peer peer([&](int fd) {
    put(fd, server_frame(1, "one ", false) + server_frame(9, "are you there") + server_frame(0, "two"));
    answer = take_until(fd, "\x8a");
    ::shutdown(fd, SHUT_WR);
  });
  const auto client = peer.connect();
  const Received got = client->read_message(Peer::soon());
  EXPECT_EQ(got.kind, Kind::text);
  EXPECT_EQ(got.payload, "one two");
  EXPECT_EQ(got.fragments, 2);
  EXPECT_EQ(client->read_message(Peer::soon()).kind, Kind::end);
  peer.end_of_conversation();
  EXPECT_EQ(answer.substr(0, 2), "\x8a\x8d") << "a masked pong of 13 octets";
}

TEST(RawClientReads, TellsHowAStreamEnded) {
  EXPECT_EQ(reads("").kind, Kind::end);
  const Received close = reads(server_frame(8, "\x0f\xa1reason"));
  EXPECT_EQ(close.kind, Kind::close);
  EXPECT_EQ(close.code, 4001);
  EXPECT_EQ(close.payload, "reason");
  EXPECT_EQ(reads(server_frame(8, "")).code, 1005);

  const Peer resets([](int fd) {
    take_until(fd, "go on");  // the client has seen the connection that is about to be reset
    const linger now{1, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  });
  const auto client = resets.connect();
  EXPECT_TRUE(client->send_bytes("go on", Peer::soon()).ok());
  EXPECT_EQ(client->read_message(Peer::soon()).kind, Kind::reset);
}

TEST(RawClientReads, AMessageInPiecesIsNotLostByATimeout) {
  const std::string frame = server_frame(1, "whole");
  const Peer peer([&](int fd) {
    put(fd, frame.substr(0, 4));
    take_until(fd, "go on");
    put(fd, frame.substr(4));
    take_until(fd, "");
  });
  const auto client = peer.connect();
  EXPECT_EQ(client->read_message(steady_clock().now() + 1ms).kind, Kind::timeout);
  EXPECT_TRUE(client->send_bytes("go on", Peer::soon()).ok());
  EXPECT_EQ(client->read_message(Peer::soon()).payload, "whole");
}

TEST(RawClientReads, NamesEveryWayToBreakTheRfc) {
  RawFrame masked;
  masked.payload = "x";
  const struct {
    std::string bytes;
    const char* says;
  } kCases[] = {
      {RawClient::encode(masked), "must not mask"},
      {std::string("\xc1\x01x"), "reserved bit"},
      {std::string("\x81\x7e\x00\x01x", 5), "shortest form"},
      {server_frame(3, "x"), "reserved opcode"},
      {server_frame(11, ""), "reserved opcode"},
      {server_frame(9, "x", false), "control frame"},
      {server_frame(9, std::string(126, 'x')), "control frame"},
      {server_frame(0, "x"), "out of sequence"},
      {server_frame(1, "x", false) + server_frame(1, "y"), "out of sequence"},
      {server_frame(1, "\xff"), "no UTF-8"},
      {server_frame(8, "x"), "one octet"},
      {server_frame(8, "\x03\xe8\xff"), "reason"},
      {std::string("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", 10), "declares"},
  };
  for (const auto& [bytes, says] : kCases) {
    const Received got = reads(bytes);
    EXPECT_EQ(got.kind, Kind::invalid) << says;
    EXPECT_THAT(got.payload, HasSubstr(says));
  }
}

TEST(RawClientTranscript, HasBothDirectionsDecoded) {
  const Peer peer([](int fd) {
    put(fd, server_frame(1, "from the server"));
    take_until(fd, "");
  });
  const auto client = peer.connect();
  EXPECT_TRUE(client->send_text("from the client", Peer::soon()).ok());
  client->read_message(Peer::soon());
  std::string all;
  for (const TranscriptEntry& entry : client->transcript().entries()) all += entry.text + "\n";
  EXPECT_THAT(all, HasSubstr("text(15) from the client\ntext(15) from the server\n"));
}

TEST(RawClientTranscript, LeavesOutTheMiddleAndCountsIt) {
  Transcript transcript;
  for (int i = 0; i < 2100; ++i) transcript.add(TranscriptEntry::Direction::note, std::to_string(i));
  EXPECT_EQ(transcript.entries().size(), 2000u);
  EXPECT_EQ(transcript.left_out(), 100u);
  EXPECT_EQ(transcript.entries().front().text, "0");
  EXPECT_EQ(transcript.entries().back().text, "2099");
}

}  // namespace
}  // namespace roomcheck::websocket
