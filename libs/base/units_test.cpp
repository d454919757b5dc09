#include "libs/base/units.h"

#include <gtest/gtest.h>

#include "libs/base/result.h"

namespace roomcheck {
namespace {

using namespace std::chrono_literals;

TEST(ParseDuration, TakesEveryUnit) {
  EXPECT_EQ(parse_duration("7ns"), 7ns);
  EXPECT_EQ(parse_duration("10us"), 10us);
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(parse_duration("5m"), 5min);
  EXPECT_EQ(parse_duration("1h"), 1h);
  EXPECT_EQ(parse_duration("0"), 0ns);
}

TEST(ParseDuration, RefusesWhatHasNoUnitOrNoSense) {
  for (const char* text : {"", "30", "s", "-1s", "1 s", "1d", "nans", "infs", "1e30h", "3s2"})
    EXPECT_THROW((void)parse_duration(text), BadInput) << text;
}

TEST(ParseSize, TakesBinaryUnitsOnly) {
  EXPECT_EQ(parse_size("512"), 512u);
  EXPECT_EQ(parse_size("64B"), 64u);
  EXPECT_EQ(parse_size("16MiB"), 16u << 20);
  EXPECT_THROW((void)parse_size("16MB"), BadInput);
  EXPECT_THROW((void)parse_size("99999999GiB"), BadInput);
}

TEST(ParseFraction, TakesPercentAndPlainNumbers) {
  EXPECT_DOUBLE_EQ(parse_fraction("1%"), 0.01);
  EXPECT_DOUBLE_EQ(parse_fraction("0.5"), 0.5);
  EXPECT_THROW((void)parse_fraction("101%"), BadInput);
}

TEST(Format, ReadsWell) {
  EXPECT_EQ(format_duration(3ns), "3 ns");
  EXPECT_EQ(format_duration(1530us), "1.53 ms");
  EXPECT_EQ(format_duration(20s), "20.0 s");
  EXPECT_EQ(format_size(512), "512 B");
  EXPECT_EQ(format_size(4u << 20), "4.00 MiB");
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1234567), "1,234,567");
  EXPECT_EQ(format_iso8601(std::chrono::system_clock::time_point{}), "1970-01-01T00:00:00Z");
}

}  // namespace
}  // namespace roomcheck
