#include "libs/websocket/deflate.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace roomcheck::websocket {
namespace {

using Outcome = Deflate::Outcome;
using namespace std::string_literals;

constexpr std::size_t kLimit = 16u << 20;

struct Inflated {
  Outcome outcome;
  std::string message;
};

Inflated inflate(Deflate& deflate, std::string_view payload, std::size_t limit = kLimit) {
  Inflated out;
  out.outcome = deflate.inflate(payload, limit, out.message);
  return out;
}

// A server's stream, as RFC 7692 has it.
class Compressor {
 public:
  explicit Compressor(int bits = 15) { deflateInit2(&z_, 9, Z_DEFLATED, -bits, 8, Z_DEFAULT_STRATEGY); }
  ~Compressor() { deflateEnd(&z_); }
  std::string say(std::string message, int flush = Z_SYNC_FLUSH) {
    std::string out(deflateBound(&z_, message.size()) + 64, '\0');
    z_.next_in = reinterpret_cast<Bytef*>(message.data());
    z_.avail_in = static_cast<uInt>(message.size());
    z_.next_out = reinterpret_cast<Bytef*>(out.data());
    z_.avail_out = static_cast<uInt>(out.size());
    ::deflate(&z_, flush);
    out.resize(out.size() - z_.avail_out);
    if (flush == Z_SYNC_FLUSH) out.resize(out.size() - 4);
    return out;
  }

 private:
  z_stream z_{};
};

TEST(DeflateAnswer, IsReadToTheLastParameter) {
  EXPECT_FALSE(parse_deflate_answer("").value().has_value());
  const auto plain = parse_deflate_answer("permessage-deflate").value().value();
  EXPECT_TRUE(plain.client_keeps_context && plain.server_keeps_context);
  EXPECT_EQ(plain.client_window_bits, 15);
  const auto all = parse_deflate_answer(
                       "permessage-deflate; server_no_context_takeover ;client_no_context_takeover; "
                       "server_max_window_bits=10;client_max_window_bits=\"8\"")
                       .value()
                       .value();
  EXPECT_FALSE(all.client_keeps_context || all.server_keeps_context);
  EXPECT_EQ(all.client_window_bits, 8);
}

TEST(DeflateAnswer, ThatWasNotOfferedOrIsWrongIsRefused) {
  for (const char* answer :
       {"x-webkit-deflate-frame", "permessage-deflate, permessage-deflate", "permessage-deflate; unknown",
        "permessage-deflate; server_max_window_bits", "permessage-deflate; client_max_window_bits",
        "permessage-deflate; client_max_window_bits=7", "permessage-deflate; client_max_window_bits=16",
        "permessage-deflate; client_max_window_bits=010", "permessage-deflate; client_max_window_bits=1x",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; =", ";", "permessage-deflate; client_max_window_bits=\""})
    EXPECT_FALSE(parse_deflate_answer(answer).ok()) << answer;
}

TEST(Deflate, TheExamplesOfRfc7692) {
  Deflate deflate({});
  EXPECT_EQ(inflate(deflate, "\xf2\x48\xcd\xc9\xc9\x07\x00"s).message, "Hello");
  EXPECT_EQ(inflate(deflate, "\xf2\x00\x11\x00\x00"s).message, "Hello");  // refers to the one before
  Deflate stored({});
  EXPECT_EQ(inflate(stored, "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"s).message, "Hello");
  EXPECT_EQ(inflate(stored, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s).message, "Hello");  // a final block
  EXPECT_EQ(inflate(stored, "\xf2\x00\x11\x00\x00"s).message,
            "Hello");  // and what was before it is not forgotten
  EXPECT_EQ(inflate(stored, "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"s).message,
            "Hello");  // two blocks
  EXPECT_EQ(inflate(stored, "\0"s).message, "");
}

TEST(Deflate, SaysWhatThePeerUnderstandsInEveryWindow) {
  for (const bool keeps : {true, false})
    for (int bits = 8; bits <= 15; ++bits) {
      DeflateTerms terms;
      terms.client_keeps_context = keeps;
      terms.client_window_bits = bits;
      Deflate client(terms);
      z_stream peer{};
      ASSERT_EQ(inflateInit2(&peer, -bits), Z_OK);
      std::string random;
      for (unsigned i = 0, x = 1; i < 100'000; ++i)
        random += static_cast<char>((x = x * 1103515245 + 12345) >> 16);
      for (const std::string& message :
           {"Hello"s, std::string(100'000, 'a'), ""s, random, "Hello"s, random}) {
        std::string payload = client.compress(message) + "\x00\x00\xff\xff"s;
        std::string out(message.size() + 1, '\0');
        peer.next_in = reinterpret_cast<Bytef*>(payload.data());
        peer.avail_in = static_cast<uInt>(payload.size());
        peer.next_out = reinterpret_cast<Bytef*>(out.data());
        peer.avail_out = static_cast<uInt>(out.size());
        const int code = ::inflate(&peer, Z_SYNC_FLUSH);
        EXPECT_TRUE(code == Z_OK || code == Z_BUF_ERROR) << bits << " " << code;
        out.resize(out.size() - peer.avail_out);
        EXPECT_TRUE(out == message) << bits << " " << message.size();
        if (!keeps) inflateReset(&peer);
      }
      inflateEnd(&peer);
    }
}

TEST(Deflate, ContextIsKeptOrNotAsAgreed) {
  Deflate keeping({});
  EXPECT_LT(keeping.compress("the same again").size(), 20u);
  EXPECT_LT(keeping.compress("the same again").size(), 8u);
  DeflateTerms forgetful;
  forgetful.client_keeps_context = forgetful.server_keeps_context = false;
  Deflate forgetting(forgetful);
  EXPECT_EQ(forgetting.compress("the same again"), forgetting.compress("the same again"));
  EXPECT_EQ(inflate(forgetting, "\xf2\x48\xcd\xc9\xc9\x07\x00"s).message, "Hello");
  EXPECT_EQ(inflate(forgetting, "\xf2\x00\x11\x00\x00"s).outcome,
            Outcome::broken);  // refers to what is forgotten
}

TEST(Deflate, ABombEndsAtTheLimit) {
  const std::string bomb = Compressor().say(std::string(64u << 20, '0'));
  ASSERT_LT(bomb.size(), 1u << 20);
  Deflate deflate({});
  const Inflated out = inflate(deflate, bomb);
  EXPECT_EQ(out.outcome, Outcome::too_big);
  EXPECT_LE(out.message.size(), kLimit);
  EXPECT_LE(out.message.capacity(), 2 * kLimit);
  Deflate exact({});
  EXPECT_EQ(inflate(exact, Compressor().say(std::string(1000, '0')), 1000).outcome, Outcome::good);
  Deflate over({});
  EXPECT_EQ(inflate(over, Compressor().say(std::string(1001, '0')), 1000).outcome, Outcome::too_big);
}

TEST(Deflate, WhatIsBrokenIsSaidSo) {
  const std::string good =
      Compressor().say("a message that is long enough to be cut somewhere, and again, and again");
  for (const std::string& bad : {""s, "\xff\xff\xff"s, "\x07"s, "\x00\x05\x00\x00\x00Hello"s,
                                 good.substr(0, good.size() / 2), good + "x"s}) {
    Deflate deflate({});
    EXPECT_EQ(inflate(deflate, bad).outcome, Outcome::broken) << bad.size();
  }
  // Final blocks without end: each would copy the window.
  std::string finals;
  for (int i = 0; i < 100'000; ++i) finals += "\x03\x00"s;
  Deflate deflate({});
  EXPECT_EQ(inflate(deflate, finals).outcome, Outcome::broken);
}

}  // namespace
}  // namespace roomcheck::websocket
