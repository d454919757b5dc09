#include "libs/websocket/gathered.h"

#include <gtest/gtest.h>

namespace roomcheck::websocket {
namespace {

Gathered::Frame frame(const std::string& bytes) { return std::make_shared<const std::string>(bytes); }

TEST(Gathered, HasWhatWasAppendedSinceTheLastClear) {
  const Gathered::Frame one = frame("one"), two = frame("two"), three = frame("three");
  Gathered gathered;
  const auto gather = [&](const std::vector<Gathered::Frame>& frames) {
    gathered.clear();
    EXPECT_TRUE(gathered.empty());
    for (const Gathered::Frame& each : frames) EXPECT_TRUE(gathered.append(each));
    return std::string(gathered.bytes());
  };
  EXPECT_EQ(gather({one, two}), "onetwo");
  EXPECT_EQ(gather({one, two}), "onetwo");  // the next member's
  EXPECT_EQ(gather({one}), "one");
  EXPECT_EQ(gather({one, three}), "onethree");
  EXPECT_EQ(gather({one, two, three}), "onetwothree");
  EXPECT_EQ(gather({two, two}), "twotwo");
  EXPECT_EQ(gather({}), "");
}

// A frame that took the address of one that is gone would be mistaken for it.
TEST(Gathered, SharesInItsFrames) {
  Gathered gathered;
  Gathered::Frame gone = frame("one");
  const std::weak_ptr<const std::string> watched = gone;
  gathered.append(gone);
  gathered.clear();
  gone.reset();
  EXPECT_FALSE(watched.expired());
  gathered.append(frame("two"));
  EXPECT_TRUE(watched.expired());
  EXPECT_EQ(gathered.bytes(), "two");
}

TEST(Gathered, TakesNoMoreThanItsCapacity) {
  Gathered gathered;
  EXPECT_TRUE(gathered.append(frame(std::string(10'000, 'x'))));
  EXPECT_FALSE(gathered.append(frame(std::string(10'000, 'y'))));
  EXPECT_TRUE(gathered.append(frame("z")));
  EXPECT_EQ(gathered.bytes(), std::string(10'000, 'x') + "z");
}

}  // namespace
}  // namespace roomcheck::websocket
