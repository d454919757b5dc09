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

constexpr const char* kValid[] = {"",
                                  "a",
                                  "\xc2\x80",
                                  "\xdf\xbf",
                                  "\xe0\xa0\x80",
                                  "\xed\x9f\xbf",
                                  "\xee\x80\x80",
                                  "\xf0\x90\x80\x80",
                                  "\xf4\x8f\xbf\xbf",
                                  "预警信息"};
constexpr const char* kInvalid[] = {"\x80",
                                    "\xc0\xaf",
                                    "\xc1\xbf",
                                    "\xe0\x9f\xbf",
                                    "\xed\xa0\x80",
                                    "\xf0\x8f\xbf\xbf",
                                    "\xf4\x90\x80\x80",
                                    "\xf5\x80\x80\x80",
                                    "\xff",
                                    "\xc2",
                                    "\xe2\x82",
                                    "\xf0\x9f\x98",
                                    "\xe2\x28\xa1"};

TEST(Utf8, AcceptsEveryLengthAndItsLimits) {
  for (const char* text : kValid) EXPECT_TRUE(is_valid_utf8(text)) << text;
}

TEST(Utf8, RefusesOverlongSurrogatesTruncatedAndTooLarge) {
  for (const char* text : kInvalid) EXPECT_FALSE(is_valid_utf8(text));
}

// ASCII is checked eight octets at a time.
TEST(Utf8, IsTheSameWhereverItStandsInALongText) {
  for (std::size_t before = 0; before <= 16; ++before)
    for (std::size_t after = 0; after <= 8; ++after) {
      const std::string head(before, 'a'), tail(after, 'z');
      for (const char* text : kValid)
        EXPECT_TRUE(is_valid_utf8(head + text + tail)) << before << text << after;
      for (const char* text : kInvalid) EXPECT_FALSE(is_valid_utf8(head + text + tail)) << before << after;
    }
}

}  // namespace
}  // namespace roomcheck::websocket
