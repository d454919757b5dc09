#include "libs/websocket/url.h"

#include <gtest/gtest.h>

namespace roomcheck::websocket {
namespace {

TEST(ParseUrl, SplitsEveryPart) {
  const Url url = parse_url("ws://127.0.0.1:8801/ws/chat/a/?x=1");
  EXPECT_EQ(url.scheme, "ws");
  EXPECT_EQ(url.host, "127.0.0.1");
  EXPECT_EQ(url.port, 8801);
  EXPECT_EQ(url.target, "/ws/chat/a/?x=1");
  EXPECT_EQ(url.host_header(), "127.0.0.1:8801");
  EXPECT_EQ(url.to_string(), "ws://127.0.0.1:8801/ws/chat/a/?x=1");
}

TEST(ParseUrl, KnowsDefaultsAndIpv6) {
  EXPECT_EQ(parse_url("ws://h").port, 80);
  EXPECT_EQ(parse_url("WSS://h?x").port, 443);
  EXPECT_EQ(parse_url("wss://h?x").target, "/?x");
  EXPECT_EQ(parse_url("ws://[::1]:81/").host, "::1");
  EXPECT_EQ(parse_url("ws://[::1]:81/").host_header(), "[::1]:81");
  EXPECT_TRUE(parse_url("https://h/").secure());
}

TEST(ParseUrl, NamesWhatIsWrong) {
  for (const char* text :
       {"", "localhost:8801", "ftp://h", "ws://", "ws://:80", "ws://h:0", "ws://h:65536", "ws://h:8x",
        "ws://h:", "ws://h/a b", "ws://h/#f", "ws://u:p@h/", "ws://[::1", "ws://[::1]x"})
    EXPECT_THROW((void)parse_url(text), BadInput) << text;
}

TEST(HostPort, BracketsStandAroundIpv6Only) {
  EXPECT_EQ(join_host_port("127.0.0.1", 80), "127.0.0.1:80");
  EXPECT_EQ(join_host_port("::1", 8801), "[::1]:8801");
  std::string host;
  std::uint16_t port = 0;
  ASSERT_TRUE(split_host_port("[::1]:8801", host, port));
  EXPECT_EQ(host, "::1");
  EXPECT_EQ(port, 8801);
  ASSERT_TRUE(split_host_port("localhost:0", host, port));
  EXPECT_EQ(host, "localhost");
  for (const char* text : {"", ":", ":80", "h", "h:", "h:x", "h:65536", "h:-1", "[]:80", "h:80 "})
    EXPECT_FALSE(split_host_port(text, host, port)) << text;
}

TEST(Percent, DecodesOnceAndKeepsWhatIsMalformed) {
  EXPECT_EQ(percent_decode("%6cobby%2F%252F"), "lobby/%2F");
  EXPECT_EQ(percent_decode("%zz%"), "%zz%");
  EXPECT_EQ(percent_decode("%4"), "%4");
  EXPECT_EQ(percent_encode("a b/房"), "a%20b%2F%E6%88%BF");
  EXPECT_EQ(percent_decode(percent_encode("预 警")), "预 警");
}

}  // namespace
}  // namespace roomcheck::websocket
