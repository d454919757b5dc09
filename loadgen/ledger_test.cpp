#include "loadgen/ledger.h"

#include <gtest/gtest.h>

namespace roomcheck::loadgen {
namespace {

using namespace std::chrono_literals;
using Kind = Arrival::Kind;

// Two rooms of three members, two senders each; messages leave when they are intended, a millisecond apart.
class LedgerTest : public testing::Test {
 protected:
  LedgerTest() { ledger.measure_from(1s); }

  void everybody_joins() {
    for (std::uint32_t m = 0; m < 6; ++m) ledger.join(m, 0s);
  }
  // A message leaves; returns what it carries.
  Probe send(std::uint32_t room, std::uint32_t sender = 0) {
    now += 1ms;
    const Probe probe{room, sender, ledger.next_sequence(room), now.count()};
    ledger.sent(room, sender, now, now + 100us);
    return probe;
  }
  Kind at(std::uint32_t member, const Probe& probe) { return ledger.received(member, probe, now).kind; }
  void at_all(const Probe& probe) {
    for (std::uint32_t m = probe.room * 3; m < probe.room * 3 + 3; ++m)
      EXPECT_EQ(at(m, probe), Kind::delivered) << m;
  }
  const reports::Delivery& finish() {
    ledger.finish();
    return ledger.delivery();
  }

  Ledger ledger{{{0, "a", 3}, {1, "b", 3}}, 2, 1024};
  Nanoseconds now = 1s;
};

TEST_F(LedgerTest, NothingIsLostWhereAllArrive) {
  everybody_joins();
  for (int i = 0; i < 700; ++i)
    at_all(send(static_cast<std::uint32_t>(i % 2), static_cast<std::uint32_t>(i / 2 % 2)));
  EXPECT_EQ(ledger.outstanding(), 0u);
  const reports::Delivery& delivery = finish();
  EXPECT_EQ(delivery.expected, 2100u);
  EXPECT_EQ(delivery.delivered, 2100u);
  EXPECT_EQ(delivery.lost + delivery.duplicated + delivery.reordered + delivery.foreign + delivery.corrupt +
                delivery.late + delivery.in_flight_members,
            0u);
  EXPECT_TRUE(delivery.offenders.empty());
  EXPECT_EQ(ledger.room_results()[1].expected, 1050u);
}

TEST_F(LedgerTest, NamesFirstMedianAndLastOfAMessage) {
  everybody_joins();
  const Probe probe = send(0);
  const Arrival first = ledger.received(2, probe, now);
  const Arrival median = ledger.received(0, probe, now);
  const Arrival last = ledger.received(1, probe, now);
  EXPECT_TRUE(first.first && !first.median && !first.last);
  EXPECT_TRUE(!median.first && median.median && !median.last);
  EXPECT_TRUE(!last.first && !last.median && last.last);
  EXPECT_EQ(last.sent, now + 100us);
}

TEST_F(LedgerTest, CountsALossOnceAndNamesIt) {
  everybody_joins();
  at_all(send(0));
  const Probe lost = send(0, 1);
  EXPECT_EQ(at(0, lost), Kind::delivered);
  EXPECT_EQ(at(2, lost), Kind::delivered);
  at_all(send(0));
  EXPECT_EQ(ledger.missing(), 1u);
  EXPECT_EQ(ledger.outstanding(), 1u);
  const reports::Delivery& delivery = finish();
  EXPECT_EQ(delivery.expected, 9u);
  EXPECT_EQ(delivery.lost, 1u);
  EXPECT_EQ(ledger.room_results()[0].lost, 1u);
  ASSERT_EQ(delivery.offenders.size(), 1u);
  EXPECT_EQ(delivery.offenders[0].kind, "lost");
  EXPECT_EQ(delivery.offenders[0].room, "a");
  EXPECT_EQ(delivery.offenders[0].sender, 1u);
  EXPECT_EQ(delivery.offenders[0].sequence, 1u);
  EXPECT_EQ(delivery.offenders[0].member, 1u);
}

TEST_F(LedgerTest, ALossAtTheVeryEndIsALossToo) {
  everybody_joins();
  at_all(send(1));
  send(1);
  EXPECT_EQ(finish().lost, 3u);
}

TEST_F(LedgerTest, ADuplicateDoesNotHideALoss) {
  everybody_joins();
  const Probe once = send(0);
  at_all(once);
  EXPECT_EQ(at(1, once), Kind::duplicated);
  send(0);  // reaches nobody
  EXPECT_EQ(finish().duplicated, 1u);
  EXPECT_EQ(ledger.delivery().lost, 3u);
  EXPECT_EQ(ledger.delivery().delivered, 3u);
}

TEST_F(LedgerTest, OrderIsJudgedPerSender) {
  everybody_joins();
  const Probe a0 = send(0, 0);
  const Probe b0 = send(0, 1);
  const Probe a1 = send(0, 0);
  EXPECT_EQ(at(0, b0), Kind::delivered);  // between senders there is no order
  EXPECT_EQ(at(0, a0), Kind::delivered);
  EXPECT_EQ(at(0, a1), Kind::delivered);
  EXPECT_EQ(at(1, a1), Kind::delivered);
  EXPECT_EQ(at(1, a0), Kind::delivered);  // a0 after a1: reordered
  EXPECT_EQ(at(1, b0), Kind::delivered);
  EXPECT_EQ(ledger.missing(), 0u);
  const reports::Delivery& delivery = finish();
  EXPECT_EQ(delivery.reordered, 1u);
  EXPECT_EQ(delivery.lost, 3u);  // member 2 got none
}

TEST_F(LedgerTest, AMessageOfAnotherRoomIsForeignAndStillExpectedAtHome) {
  everybody_joins();
  const Probe probe = send(0);
  at_all(probe);
  EXPECT_EQ(at(4, probe), Kind::foreign);
  const reports::Delivery& delivery = finish();
  EXPECT_EQ(delivery.foreign, 1u);
  EXPECT_EQ(delivery.lost, 0u);
  EXPECT_EQ(delivery.offenders.at(0).room, "b");
}

TEST_F(LedgerTest, WhatWasNeverSentIsCorrupt) {
  everybody_joins();
  Probe probe = send(0);
  at_all(probe);
  probe.sequence = 5;
  EXPECT_EQ(at(0, probe), Kind::corrupt);
  probe.sequence = 0;
  probe.sender = 2;
  EXPECT_EQ(at(0, probe), Kind::corrupt);
  ledger.received_corrupt(1);
  EXPECT_EQ(finish().corrupt, 3u);
}

TEST_F(LedgerTest, ALateJoinerOwesNothingForWhatWasInFlight) {
  ledger.join(0, 0s);
  ledger.join(1, 0s);
  const Probe before = send(0);
  ledger.join(2, now + 10us);  // the first message is on its way
  EXPECT_EQ(at(0, before), Kind::delivered);
  EXPECT_EQ(at(1, before), Kind::delivered);
  EXPECT_EQ(at(2, before), Kind::set_apart);
  at_all(send(0));
  const reports::Delivery& delivery = finish();
  EXPECT_EQ(delivery.expected, 5u);
  EXPECT_EQ(delivery.delivered, 5u);
  EXPECT_EQ(delivery.in_flight_members, 1u);
  EXPECT_EQ(delivery.lost, 0u);
}

TEST_F(LedgerTest, MembershipCountsAtTheIntendedTimeNotAtTheSendTime) {
  ledger.join(0, 0s);
  ledger.join(1, now + 2ms);
  const Probe late_send =
      send(0);  // intended a millisecond before the join of member 1, sent when that was done
  EXPECT_EQ(at(0, late_send), Kind::delivered);
  EXPECT_EQ(at(1, late_send), Kind::set_apart);
  EXPECT_EQ(finish().expected, 1u);
}

TEST_F(LedgerTest, ALeaverTakesWhatIsInFlightWithItButNotWhatWasOvertaken) {
  everybody_joins();
  send(0);  // lost for member 0: the next one of the same sender overtakes it
  const Probe second = send(0);
  EXPECT_EQ(at(0, second), Kind::delivered);
  send(0);  // in flight to all
  ledger.leave(0);
  EXPECT_EQ(ledger.outstanding(), 3u + 3u);  // what the leaver lost can come no more
  send(0);                                   // expected of two members only
  const reports::Delivery& delivery = finish();
  EXPECT_EQ(delivery.in_flight_members, 1u);
  EXPECT_EQ(delivery.expected, 2u + 4u + 4u);
  EXPECT_EQ(delivery.lost, 1u + 4u + 4u);
}

TEST_F(LedgerTest, WhoLeavesMayJoinAgainAndBothStaysCount) {
  everybody_joins();
  at_all(send(0));
  const Probe lost = send(0);  // lost for member 0 in its first stay
  EXPECT_EQ(at(1, lost), Kind::delivered);
  EXPECT_EQ(at(2, lost), Kind::delivered);
  const Probe third = send(0);
  at_all(third);
  ledger.leave(0);
  const Probe away = send(0);  // not a member: nothing is owed
  EXPECT_EQ(at(1, away), Kind::delivered);
  EXPECT_EQ(at(2, away), Kind::delivered);
  now += 1ms;
  ledger.join(0, now);
  EXPECT_EQ(at(0, away), Kind::set_apart);  // it joined with this one in flight
  for (int i = 0; i < 400; ++i) at_all(send(0));
  EXPECT_EQ(ledger.outstanding(), 0u);
  const reports::Delivery& delivery = finish();
  EXPECT_EQ(delivery.expected, 3u + 3u + 3u + 2u + 1200u);
  EXPECT_EQ(delivery.lost, 1u);
  EXPECT_EQ(delivery.in_flight_members, 1u);
  EXPECT_EQ(delivery.duplicated + delivery.reordered, 0u);
  EXPECT_EQ(ledger.room_results()[0].members, 3u);
  ASSERT_EQ(delivery.offenders.size(), 1u);
  EXPECT_EQ(delivery.offenders[0].sequence, 1u);
}

TEST_F(LedgerTest, WhatDidNotLeaveAfterAllIsExpectedOfNobody) {
  everybody_joins();
  at_all(send(0));
  const Probe refused = send(0);
  ledger.retract(0, refused.sequence);
  EXPECT_EQ(ledger.outstanding(), 0u);
  at_all(send(0));
  const reports::Delivery& delivery = finish();
  EXPECT_EQ(delivery.expected, 6u);
  EXPECT_EQ(delivery.lost, 0u);
}

TEST_F(LedgerTest, KnowsWhenTheFirstOfAMessageCame) {
  everybody_joins();
  const Probe probe = send(0);
  ledger.received(0, probe, now + 1ms);
  ledger.received(1, probe, now + 2ms);
  const Arrival last = ledger.received(2, probe, now + 5ms);
  EXPECT_TRUE(last.last);
  EXPECT_EQ(last.first_at, now + 1ms);
}

TEST_F(LedgerTest, WarmUpIsLeftOutWhateverHappensToIt) {
  now = 0s;
  everybody_joins();
  const Probe warm = send(0);
  EXPECT_EQ(at(0, warm), Kind::warm_up);
  EXPECT_EQ(at(0, warm), Kind::warm_up);  // twice
  EXPECT_EQ(at(5, warm), Kind::warm_up);  // in another room
  now = 1s;
  at_all(send(0));
  EXPECT_EQ(at(1, warm), Kind::warm_up);  // overtaken
  const reports::Delivery& delivery = finish();
  EXPECT_EQ(delivery.expected, 3u);
  EXPECT_EQ(delivery.lost + delivery.duplicated + delivery.foreign + delivery.reordered, 0u);
}

TEST_F(LedgerTest, ALossOlderThanTheWindowStaysExact) {
  everybody_joins();
  const Probe lost = send(0);
  EXPECT_EQ(at(0, lost), Kind::delivered);
  EXPECT_EQ(at(1, lost), Kind::delivered);
  for (int i = 0; i < 1000; ++i) at_all(send(0));
  const reports::Delivery& delivery = finish();
  EXPECT_EQ(delivery.lost, 1u);
  ASSERT_EQ(delivery.offenders.size(), 1u);
  EXPECT_EQ(delivery.offenders[0].sequence, 0u);
  EXPECT_EQ(delivery.offenders[0].member, 2u);
}

TEST_F(LedgerTest, BehindTheWindowAHoleIsFilledOnceAndTheRestAreDuplicates) {
  everybody_joins();
  const Probe slow = send(0);
  EXPECT_EQ(at(0, slow), Kind::delivered);
  EXPECT_EQ(at(1, slow), Kind::delivered);
  for (int i = 0; i < 300; ++i) at_all(send(0));
  EXPECT_EQ(ledger.missing(), 1u);
  EXPECT_EQ(at(2, slow), Kind::delivered);  // reordered, but not lost
  EXPECT_EQ(at(2, slow), Kind::duplicated);
  EXPECT_EQ(at(0, slow), Kind::duplicated);
  EXPECT_EQ(ledger.missing(), 0u);
  const reports::Delivery& delivery = finish();
  EXPECT_EQ(delivery.lost, 0u);
  EXPECT_EQ(delivery.reordered, 1u);
  EXPECT_EQ(delivery.duplicated, 2u);
}

TEST_F(LedgerTest, AJumpWiderThanTheWindowCountsEveryGap) {
  everybody_joins();
  at_all(send(0));
  for (int i = 0; i < 600; ++i) send(0);
  at_all(send(0));
  EXPECT_EQ(ledger.missing(), 1800u);
  const reports::Delivery& delivery = finish();
  EXPECT_EQ(delivery.lost, 1800u);
  EXPECT_EQ(delivery.offenders.size(), Ledger::kOffenders);
}

TEST_F(LedgerTest, WhatComesAfterTheEndIsLateAndStaysLost) {
  everybody_joins();
  const Probe probe = send(0);
  EXPECT_EQ(at(0, probe), Kind::delivered);
  finish();
  EXPECT_EQ(at(1, probe), Kind::late);
  EXPECT_EQ(at(1, probe), Kind::duplicated);
  EXPECT_EQ(ledger.delivery().late, 1u);
  EXPECT_EQ(ledger.delivery().lost, 2u);
}

TEST_F(LedgerTest, AMessageNoLongerRememberedIsStillCounted) {
  Ledger small({{0, "a", 1}}, 1, 2);
  small.measure_from(0s);
  small.join(0, 0s);
  for (int i = 0; i < 4; ++i) small.sent(0, 0, now, now);
  const Arrival arrival = small.received(0, {0, 0, 0, now.count()}, now);
  EXPECT_EQ(arrival.kind, Kind::delivered);
  EXPECT_EQ(arrival.sent, -1ns);
}

}  // namespace
}  // namespace roomcheck::loadgen
