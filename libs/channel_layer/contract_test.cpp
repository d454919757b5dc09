// The contract suite: every channel layer must pass it (SPEC, section layer). A backend joins by a row in
// contract_backends_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "libs/channel_layer/contract.h"
#include "libs/testkit/layer_driver.h"
#include "libs/testkit/manual_clock.h"

namespace roomcheck::channel_layer {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using testkit::LayerDriver;

class Contract : public testing::TestWithParam<Backend> {
 protected:
  // REQUIRES: before the first use of layer().
  void use(const LayerOptions& options) { options_ = options; }

  ChannelLayer& layer() {
    if (!layer_) layer_ = GetParam().make_node(options_, clock_)(io_);
    return *layer_;
  }

  // Everything sent so far has arrived: a fence that took the same way has.
  void settle() {
    if (!probe_) probe_ = consumer();
    EXPECT_TRUE(send(probe_->channel, numbered(++fences_)).ok());
    run_until([&] { return !probe_->got.empty() && probe_->got.back() == fences_; });
  }

  template <class Ready>
  void run_until(Ready ready) {
    testkit::run_until(io_, ready);
  }

  // The calls of a test, each answered before it returns.
  LayerDriver driver() { return LayerDriver(io_, layer()); }
  Result<void> send(const std::string& channel, const Event& event) { return driver().send(channel, event); }
  Result<Message> receive(const std::string& channel, std::chrono::nanoseconds limit = 0s) {
    return driver().receive(channel, limit);
  }
  Result<void> group_add(const std::string& group, const std::string& channel) {
    return driver().group_add(group, channel);
  }
  Result<void> group_discard(const std::string& group, const std::string& channel) {
    return driver().group_discard(group, channel);
  }
  Result<GroupSendReport> group_send(const std::string& group, const Event& event) {
    return driver().group_send(group, event);
  }
  std::vector<std::string> members(const std::string& group) { return driver().members(group); }
  std::shared_ptr<LayerDriver::Consumer> consumer() { return driver().consumer(); }

  template <class Outcome>
  static void expect_ok(const Outcome& outcome) {
    EXPECT_TRUE(outcome.ok());
  }

  static Event numbered(int n) { return LayerDriver::numbered(n); }

  testkit::ManualClock clock_;
  LayerOptions options_;
  boost::asio::io_context io_;
  std::unique_ptr<ChannelLayer> layer_;
  std::shared_ptr<LayerDriver::Consumer> probe_;
  int fences_ = 1000000;
};

TEST_P(Contract, SeedsConsoleCheckGivesTheSameMessage) {  // layer.send-receive
  if (!GetParam().keeps_messages) GTEST_SKIP() << "nothing waits on this backend";
  ASSERT_TRUE(send("test_channel", Event{{"site", "redis://localhost:6379"}}).ok());
  const auto message = receive("test_channel", 5s);
  ASSERT_TRUE(message.ok());
  EXPECT_EQ(**message, (Event{{"site", "redis://localhost:6379"}}));
}

TEST_P(Contract, ReceiveThatStartedFirstGetsTheMessage) {  // layer.send-receive
  std::optional<Result<Message>> got;
  layer().receive("test_channel", 20s, [&](Result<Message> r) { got.emplace(std::move(r)); });
  ASSERT_TRUE(send("test_channel", numbered(1)).ok());
  run_until([&] { return got.has_value(); });
  ASSERT_TRUE(got.has_value() && got->ok());
  EXPECT_EQ((**got)->at("n"), 1);
}

// A program that receives in a loop asks for the next message as it takes one; so do two of its parts at
// once.
TEST_P(Contract, WhoeverAsksAgainAtOnceGetsEachMessageOnce) {  // layer.send-receive
  if (!GetParam().keeps_messages) GTEST_SKIP() << "nothing waits on this backend";
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(send("test_channel", numbered(i)).ok());
  std::vector<int> got;
  int ended = 0;
  const std::function<void()> ask = [&] {
    layer().receive("test_channel", 100ms, [&](const Result<Message>& message) {
      if (!message.ok()) {
        ++ended;
        return;
      }
      got.push_back((**message)["n"]);
      ask();
    });
  };
  ask();
  ask();
  run_until([&] { return ended == 2; });
  std::sort(got.begin(), got.end());
  std::vector<int> sent(20);
  std::iota(sent.begin(), sent.end(), 0);
  EXPECT_EQ(got, sent);
}

TEST_P(Contract, ReceiveEndsAtItsLimitWithASentence) {  // layer.send-receive
  const auto message = receive("nobody", 1ms);
  ASSERT_FALSE(message.ok());
  EXPECT_EQ(message.error().kind, Error::Kind::timeout);
  EXPECT_NE(message.error().message.find("nobody"), std::string::npos);
}

TEST_P(Contract, EveryTypeArrivesAsSent) {  // layer.types
  const auto me = layer().new_channel();
  Event event{{"type", "t"},    {"s", "预警\u0000😀"},
              {"i", INT64_MIN}, {"u", UINT64_MAX},
              {"f", 0.1},       {"none", nullptr},
              {"yes", true},    {"nested", {{"list", {1, "two", nullptr, {{"deep", 1.5}}}}}}};
  event["bytes"] = Event::binary({0, 255, 10});
  Message got;
  layer().listen(me, {[&](const Message& m, bool) { got = m; }}, {});
  ASSERT_TRUE(send(me, event).ok());
  run_until([&] { return got != nullptr; });
  EXPECT_EQ(*got, event);
}

TEST_P(Contract, AListenerIsToldWhetherMoreFollowsAtOnce) {
  const auto me = layer().new_channel();
  std::vector<std::pair<int, bool>> got;
  layer().listen(me, {[&](const Message& m, bool more) { got.emplace_back((*m)["n"], more); }}, {});
  for (int i = 0; i < 3; ++i) layer().send(me, numbered(i), {});
  run_until([&] { return got.size() == 3; });
  EXPECT_FALSE(got[2].second);
  if (!GetParam().refuses_at_once) return;  // over Redis each may come in a turn of its own
  EXPECT_THAT(got, ElementsAre(std::pair(0, true), std::pair(1, true), std::pair(2, false)));
}

TEST_P(Contract, AReceiverCannotChangeWhatAnotherSees) {  // layer.no-aliasing
  const auto first = layer().new_channel(), second = layer().new_channel();
  std::vector<std::string> seen;
  const auto tamper = [&](const Message& message, bool) {
    Event mine = *message;  // the only way to change it
    seen.push_back(mine["text"]);
    mine["text"] = "tampered";
  };
  layer().listen(first, {tamper}, {});
  layer().listen(second, {tamper}, {});
  ASSERT_TRUE(group_add("g", first).ok());
  ASSERT_TRUE(group_add("g", second).ok());
  Event original{{"type", "t"}, {"text", "original"}};
  layer().group_send("g", original, {});
  original["text"] = "changed after the send";
  run_until([&] { return seen.size() == 2; });
  EXPECT_THAT(seen, ElementsAre("original", "original"));
}

TEST_P(Contract, GroupReachesExactlyItsMembersOnce) {  // layer.group
  const auto a = consumer(), b = consumer(), outsider = consumer();
  ASSERT_TRUE(group_add("room.1", a->channel).ok());
  ASSERT_TRUE(group_add("room.1", b->channel).ok());
  ASSERT_TRUE(group_add("room.1", a->channel).ok()) << "adding twice is harmless";
  ASSERT_TRUE(group_send("room.1", numbered(1)).ok());
  run_until([&] { return a->got.size() + b->got.size() >= 2; });
  ASSERT_TRUE(group_discard("room.1", a->channel).ok());
  ASSERT_TRUE(group_discard("room.1", outsider->channel).ok()) << "discarding a non-member is harmless";
  ASSERT_TRUE(group_send("room.1", numbered(2)).ok());
  run_until([&] { return b->got.size() >= 2; });
  settle();
  EXPECT_THAT(a->got, ElementsAre(1));
  EXPECT_THAT(b->got, ElementsAre(1, 2));
  EXPECT_THAT(outsider->got, IsEmpty());
}

TEST_P(Contract, OneChannelMayBeInManyGroups) {  // layer.group
  const auto a = consumer();
  expect_ok(group_add("x", a->channel));
  expect_ok(group_add("y", a->channel));
  expect_ok(group_send("x", numbered(1)));
  expect_ok(group_send("y", numbered(2)));
  expect_ok(group_discard("x", a->channel));
  expect_ok(group_send("x", numbered(3)));
  expect_ok(group_send("y", numbered(4)));
  run_until([&] { return a->got.size() >= 3; });
  EXPECT_THAT(a->got, ElementsAre(1, 2, 4));
}

TEST_P(Contract, GroupSendToNobodyIsNoError) {  // layer.group
  const auto report = group_send("empty", numbered(1));
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->members, 0u);
}

TEST_P(Contract, MembersAreTheCurrentOnes) {  // layer.group
  if (!GetParam().knows_members) GTEST_SKIP() << "members cannot be known on this backend";
  const auto a = consumer(), b = consumer();
  expect_ok(group_add("g", a->channel));
  expect_ok(group_add("g", b->channel));
  EXPECT_THAT(members("g"), UnorderedElementsAre(a->channel, b->channel));
  expect_ok(group_discard("g", a->channel));
  EXPECT_THAT(members("g"), ElementsAre(b->channel));
}

TEST_P(Contract, MessagesOfOneSenderKeepTheirOrder) {
  const auto a = consumer();
  expect_ok(group_add("g", a->channel));
  std::vector<int> expected;
  for (int n = 0; n < 40; ++n) {
    if (n % 2 == 0) {
      layer().send(a->channel, numbered(n), {});
    } else {
      layer().group_send("g", numbered(n), {});
    }
    expected.push_back(n);
  }
  run_until([&] { return a->got.size() >= expected.size(); });
  EXPECT_EQ(a->got, expected);
}

TEST_P(Contract, NewChannelsAreDistinctAndValid) {  // connect.distinct-channel-names
  std::set<std::string> names;
  for (int i = 0; i < 1000; ++i) names.insert(layer().new_channel());
  EXPECT_EQ(names.size(), 1000u);
  EXPECT_LT(names.begin()->size(), 100u);
}

TEST_P(Contract, NamesOutsideTheRuleAreRefusedWithTheRule) {  // layer.names
  if (!GetParam().checks_names) GTEST_SKIP() << "this backend takes any name";
  const auto a = consumer();
  for (const std::string& bad : {std::string(""), std::string("a b"), std::string(100, 'x'),
                                 std::string("房间"), std::string("a/b")}) {
    EXPECT_FALSE(send(bad, numbered(1)).ok()) << bad;
    EXPECT_FALSE(group_send(bad, numbered(1)).ok()) << bad;
    EXPECT_FALSE(group_add(bad, a->channel).ok()) << bad;
    EXPECT_FALSE(group_add("g", bad).ok()) << bad;
    EXPECT_FALSE(receive(bad).ok()) << bad;
  }
  EXPECT_EQ(send("a b", numbered(1)).error().kind, Error::Kind::bad_input);
  EXPECT_FALSE(send("ok", Event("no map")).ok());
}

TEST_P(Contract, SendToAFullChannelFailsAndLosesNothingAccepted) {  // layer.capacity-send
  if (!GetParam().has_capacity || !GetParam().keeps_messages) GTEST_SKIP() << "no capacity on this backend";
  LayerOptions options;
  options.capacity = 3;
  use(options);
  for (int n = 0; n < 3; ++n) ASSERT_TRUE(send("c", numbered(n)).ok());
  const auto full = send("c", numbered(3));
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().kind, Error::Kind::full);
  for (int n = 0; n < 3; ++n) EXPECT_EQ((*receive("c"))->at("n"), n);
  EXPECT_TRUE(send("c", numbered(4)).ok());
}

TEST_P(Contract, GroupSendDropsSilentlyForFullMembersOnlyAndCounts) {  // layer.capacity-group
  if (!GetParam().has_capacity || !GetParam().keeps_messages) GTEST_SKIP() << "no capacity on this backend";
  LayerOptions options;
  options.capacity = 2;
  use(options);
  const auto reader = consumer();
  expect_ok(group_add("g", reader->channel));
  expect_ok(group_add("g", "idle"));
  for (int n = 0; n < 5; ++n) {
    const auto report = group_send("g", numbered(n));
    ASSERT_TRUE(report.ok());
    EXPECT_EQ(report->members, 2u);
    EXPECT_EQ(report->dropped, n < 2 ? 0u : 1u);
    run_until([&] { return reader->got.size() == static_cast<std::size_t>(n) + 1; });
  }
  EXPECT_THAT(reader->got, ElementsAre(0, 1, 2, 3, 4));
  EXPECT_EQ(layer().stats().dropped, 3u);
}

TEST_P(Contract, AListenerThatDoesNotKeepUpIsBoundedToo) {  // layer.capacity-group
  LayerOptions options;
  options.capacity = 10;
  use(options);
  const auto busy = consumer();
  expect_ok(group_add("g", busy->channel));
  for (int n = 0; n < 50; ++n) layer().group_send("g", numbered(n), {});  // its loop does not run meanwhile
  run_until([&] { return busy->got.size() + layer().stats().dropped >= 50; });
  EXPECT_GE(busy->got.size(), 10u);
  if (GetParam().refuses_at_once) {
    EXPECT_EQ(busy->got.size(), 10u);
  }
  EXPECT_EQ(busy->got.size() + layer().stats().dropped, 50u) << "what is lost is counted";
  expect_ok(group_send("g", numbered(99)));
  run_until([&] { return busy->got.back() == 99; });  // it takes messages again
}

TEST_P(Contract, CapacityMayDependOnTheName) {  // layer.channel-capacity-patterns
  if (!GetParam().has_capacity || !GetParam().keeps_messages) GTEST_SKIP() << "no capacity on this backend";
  LayerOptions options;
  options.channel_capacity = {{"small.*", 1}, {"*", 2}};
  use(options);
  EXPECT_TRUE(send("small.a", numbered(1)).ok());
  EXPECT_FALSE(send("small.a", numbered(2)).ok());
  EXPECT_TRUE(send("other", numbered(1)).ok());
  EXPECT_TRUE(send("other", numbered(2)).ok());
  EXPECT_FALSE(send("other", numbered(3)).ok());
}

TEST_P(Contract, AMessageNobodyTakesExpires) {  // layer.expiry
  if (!GetParam().has_expiry) GTEST_SKIP() << "no expiry on this backend";
  expect_ok(send("c", numbered(1)));
  clock_.advance(59s);
  expect_ok(send("c", numbered(2)));
  clock_.advance(2s);
  EXPECT_EQ((*receive("c"))->at("n"), 2);
  EXPECT_FALSE(receive("c").ok());
  EXPECT_EQ(layer().stats().expired, 1u);
}

TEST_P(Contract, AMembershipNotRenewedExpiresAndALiveOneDoesNot) {  // layer.expiry, layer.membership-renewed
  if (!GetParam().has_expiry) GTEST_SKIP() << "no expiry on this backend";
  const auto live = consumer();
  expect_ok(group_add("g", live->channel));
  expect_ok(group_add("g", "forgotten"));
  clock_.advance(86401s);
  EXPECT_THAT(members("g"), ElementsAre(live->channel));
  EXPECT_EQ(group_send("g", numbered(1))->members, 1u);
  run_until([&] { return !live->got.empty(); });
  EXPECT_THAT(live->got, ElementsAre(1));
}

TEST_P(Contract, FlushForgetsMessagesAndMemberships) {  // layer.flush
  const auto a = consumer();
  expect_ok(group_add("g", a->channel));
  if (GetParam().keeps_messages) expect_ok(send("c", numbered(1)));
  ASSERT_TRUE(driver().flush().ok());
  expect_ok(group_send("g", numbered(2)));
  settle();
  EXPECT_THAT(a->got, IsEmpty());
  EXPECT_FALSE(receive("c").ok());
}

TEST_P(Contract, NothingArrivesAfterUnlisten) {
  const auto a = consumer();
  expect_ok(group_add("g", a->channel));
  layer().group_send("g", numbered(1), {});
  layer().unlisten(a->channel);  // the message is on its way
  expect_ok(group_discard("g", a->channel));
  settle();
  EXPECT_THAT(a->got, IsEmpty());
}

TEST_P(Contract, AConsumerMayLeaveInsideItsOwnHandler) {
  const auto me = layer().new_channel();
  int got = 0;
  layer().listen(me, {[&](const Message&, bool) {
                   ++got;
                   layer().group_discard("g", me, {});
                   layer().unlisten(me);
                 }},
                 {});
  expect_ok(group_add("g", me));
  layer().group_send("g", numbered(1), {});
  layer().group_send("g", numbered(2), {});
  settle();
  EXPECT_EQ(got, 1);
}

TEST_P(Contract, OutstandingCompletionsDieWithTheLayer) {
  bool called = false;
  layer().receive("c", 20s, [&](Result<Message>) { called = true; });
  layer().group_send("g", numbered(1), [&](Result<GroupSendReport>) { called = true; });
  layer_.reset();
  io_.restart();
  io_.poll();
  EXPECT_FALSE(called);
}

INSTANTIATE_TEST_SUITE_P(Backends, Contract, testing::ValuesIn(backends()),
                         [](const auto& backend) { return backend.param.name; });

}  // namespace
}  // namespace roomcheck::channel_layer
