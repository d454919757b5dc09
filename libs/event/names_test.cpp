#include "libs/event/names.h"

#include <gtest/gtest.h>

#include <string>

namespace roomcheck::event {
namespace {

TEST(Names, AcceptsChannelsAlphabetUpTo99) {
  for (const std::string& name : {std::string("a"), std::string("A-b_c.9"), std::string("."),
                                  std::string(".."), std::string(99, 'x')}) {
    EXPECT_TRUE(check_group_name(name).ok()) << name;
    EXPECT_TRUE(check_channel_name(name).ok()) << name;
  }
}

TEST(Names, RefusesTheRestWithTheRule) {
  for (const std::string& name :
       {std::string(), std::string(100, 'x'), std::string("a b"), std::string("a:b"), std::string("a%"),
        std::string("房"), std::string("a\n"), std::string("\xd9\xa1"), std::string("a\0b", 3)}) {
    EXPECT_FALSE(check_group_name(name).ok()) << name;
    EXPECT_FALSE(check_channel_name(name).ok()) << name;
  }
  EXPECT_NE(check_group_name("a b").error().message.find("length < 100"), std::string::npos);
}

TEST(Names, AllowsOneSeparatorInChannelNamesOnly) {
  EXPECT_TRUE(check_channel_name("specific.ab!cd").ok());
  EXPECT_TRUE(check_channel_name("a!").ok());
  EXPECT_FALSE(check_channel_name("!a").ok());
  EXPECT_FALSE(check_channel_name("a!b!c").ok());
  EXPECT_FALSE(check_group_name("a!b").ok());
}

}  // namespace
}  // namespace roomcheck::event
