// How a hub hands messages to the loops of its process: in which order, and what the next listeners are told.
#include "libs/channel_layer/delivery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace roomcheck::channel_layer {
namespace {

using testing::ElementsAre;

class Delivery : public testing::Test {
 protected:
  ListeningPtr listen(const LoopPtr& loop, const std::string& name) {
    const auto listening = std::make_shared<Listening>();
    listening->loop = loop;
    listening->capacity = 100;
    listening->listener = {
        [this, name](const Message&, bool) { happened_.push_back(name); },
        [this, name](int others) { happened_.push_back(name + " in " + std::to_string(others)); }};
    return listening;
  }
  void post(const std::vector<ListeningPtr>& members) {
    for (const BatchPtr& batch : batches_of(members)) post_batch(batch, std::make_shared<const Event>());
    io_.run();
    other_io_.run();
  }
  std::vector<std::string> messages() const {
    std::vector<std::string> out;
    std::copy_if(happened_.begin(), happened_.end(), std::back_inserter(out),
                 [](const std::string& what) { return what.find(' ') == what.npos; });
    return out;
  }

  boost::asio::io_context io_, other_io_;
  const LoopPtr loop_ = std::make_shared<Loop>(io_), other_loop_ = std::make_shared<Loop>(other_io_);
  std::vector<std::string> happened_;
};

TEST_F(Delivery, MembersHearInTheOrderInWhichTheyBeganToListen) {
  std::vector<ListeningPtr> members;
  for (const char* name : {"a", "b", "c", "d", "e", "f"})
    members.push_back(listen(*name % 2 == 0 ? loop_ : other_loop_, name));
  std::reverse(members.begin(), members.end());
  std::swap(members[0], members[2]);
  post(members);
  EXPECT_THAT(messages(), ElementsAre("b", "d", "f", "a", "c", "e"));
}

TEST_F(Delivery, WhoIsNextIsTold) {
  post({listen(loop_, "a"), listen(loop_, "b"), listen(loop_, "c")});
  EXPECT_THAT(happened_, ElementsAre("c in 2", "b in 1", "a", "c in 1", "b", "c"));
}

// Its owner may be gone.
TEST_F(Delivery, WhoNoLongerListensIsToldNothing) {
  const std::vector<ListeningPtr> members = {listen(loop_, "a"), listen(loop_, "b"), listen(loop_, "c")};
  members[1]->alive = false;
  post(members);
  EXPECT_THAT(messages(), ElementsAre("a", "c"));
  EXPECT_THAT(happened_, testing::Each(testing::Not(testing::StartsWith("b"))));
}

}  // namespace
}  // namespace roomcheck::channel_layer
