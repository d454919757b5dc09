#include "libs/base/regex.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace roomcheck {
namespace {

using testing::ElementsAre;

TEST(Regex, MatchesTheWholeAndFindsAPart) {
  const Regex name("[a-z]{1,3}");
  EXPECT_TRUE(name.matches("abc"));
  EXPECT_FALSE(name.matches("abcd"));
  EXPECT_FALSE(name.matches("abc\n"));
  ASSERT_TRUE(name.find("1abcd"));
  EXPECT_EQ(name.find("1abcd")->at, 1u);
  EXPECT_EQ((*name.find("1abcd"))[0], "abc");
  EXPECT_FALSE(name.find("123"));
}

TEST(Regex, FindsAllFromLeftToRightWithTheirGroups) {
  const auto found = Regex("(\\w)=(\\d)?").all("a=1 b= c=3");
  ASSERT_EQ(found.size(), 3u);
  EXPECT_THAT(found[0].groups, ElementsAre("a=1", "a", "1"));
  EXPECT_THAT(found[1].groups, ElementsAre("b=", "b", ""));
  EXPECT_EQ(found[2].at, 7u);
}

TEST(Regex, ALongTextIsLookedAtInItsBeginning) {
  const std::string hello = "hello ", much(4 << 20, 'x');
  EXPECT_TRUE(Regex("hello (x)*").in_beginning_of(hello + much));
  EXPECT_FALSE(Regex("(x)*hello").in_beginning_of(much + hello));
}

TEST(Regex, ThatIsNoneIsRefused) { EXPECT_THROW(Regex("(a"), std::invalid_argument); }

}  // namespace
}  // namespace roomcheck
