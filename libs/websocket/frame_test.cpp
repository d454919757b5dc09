#include "libs/websocket/frame.h"

#include <gtest/gtest.h>

namespace roomcheck::websocket {
namespace {

TEST(PreparedText, HasTheShortestHeaderAtEachBoundary) {
  EXPECT_EQ(PreparedText("hi").frame(), "\x81\x02hi");
  EXPECT_EQ(PreparedText(std::string(125, 'x')).frame().substr(0, 2), "\x81\x7d");
  EXPECT_EQ(PreparedText(std::string(126, 'x')).frame().substr(0, 4), std::string("\x81\x7e\x00\x7e", 4));
  EXPECT_EQ(PreparedText(std::string(65535, 'x')).frame().substr(0, 4), "\x81\x7e\xff\xff");
  EXPECT_EQ(PreparedText(std::string(65536, 'x')).frame().substr(0, 10),
            std::string("\x81\x7f\0\0\0\0\0\x01\0\0", 10));
}

TEST(PreparedText, SharesItsBytesAndKnowsItsPayload) {
  const PreparedText a("payload");
  const PreparedText b = a;
  EXPECT_EQ(a.frame().data(), b.frame().data());
  EXPECT_EQ(b.payload(), "payload");
  EXPECT_TRUE(PreparedText().empty());
}

TEST(Utf8, AcceptsEveryLengthAndItsLimits) {
  for (const char* text : {"", "a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "预警信息"})
    EXPECT_TRUE(is_valid_utf8(text)) << text;
}

TEST(Utf8, RefusesOverlongSurrogatesTruncatedAndTooLarge) {
  for (const char* text :
       {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc2", "\xe2\x82", "\xf0\x9f\x98", "\xe2\x28\xa1"})
    EXPECT_FALSE(is_valid_utf8(text));
}

}  // namespace
}  // namespace roomcheck::websocket
