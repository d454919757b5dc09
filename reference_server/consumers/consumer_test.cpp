#include "reference_server/consumers/consumer.h"

#include <gtest/gtest.h>

namespace roomcheck::reference_server {
namespace {

using channel_layer::Event;
using channel_layer::Message;

Message event(int number) { return std::make_shared<const Event>(Event{{"number", number}}); }

class Memo : public testing::Test {
 protected:
  int of(const Message& event) {
    return memo_.once(event, [&] {
      ++made_;
      return (*event)["number"].get<int>();
    });
  }
  EventMemo<int> memo_;
  int made_ = 0;
};

TEST_F(Memo, WorksOutEachEventOnceForAllMembers) {
  const Message due[] = {event(0), event(1), event(2), event(3), event(4), event(5), event(6), event(7)};
  for (int member = 0; member < 100; ++member)
    for (int i = 0; i < 8; ++i) ASSERT_EQ(of(due[i]), i) << "member " << member;
  EXPECT_EQ(made_, 8);
}

// A member may have left, come later, or hear of another room in between.
TEST_F(Memo, AnyOrderIsRight) {
  const Message due[] = {event(0), event(1), event(2), event(3)};
  for (const int i : {0, 1, 2, 3, 3, 1, 0, 2, 0, 0, 1, 3, 2}) ASSERT_EQ(of(due[i]), i);
  EXPECT_EQ(made_, 4);
}

TEST_F(Memo, KeepsTheLast16) {
  std::vector<Message> all;
  for (int i = 0; i < 40; ++i) ASSERT_EQ(of(all.emplace_back(event(i))), i);
  for (int i = 24; i < 40; ++i) ASSERT_EQ(of(all[static_cast<std::size_t>(i)]), i);
  EXPECT_EQ(made_, 40);
  EXPECT_EQ(of(all[0]), 0);
  EXPECT_EQ(made_, 41);
  EXPECT_EQ(all[1].use_count(), 1) << "an event that is forgotten is let go";
}

TEST_F(Memo, WhatCannotBeMadeIsNotKept) {
  const Message bad = event(1);
  EXPECT_THROW(memo_.once(bad, []() -> int { throw BadEvent("bad"); }), BadEvent);
  EXPECT_EQ(of(bad), 1);
}

}  // namespace
}  // namespace roomcheck::reference_server
