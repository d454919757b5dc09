#include "loadgen/validity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace roomcheck::loadgen {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Health healthy() {
  Health health;
  health.expected = 100'000;
  health.intended = health.sent = 1000;
  health.busiest_thread = 0.5;
  health.loop_lag_p99 = 1ms;
  health.delivery_p50 = 4ms;
  health.delivery_p99 = 8ms;
  return health;
}

TEST(Validity, AHealthyRunMayBeBelieved) { EXPECT_THAT(invalid_because(healthy()), IsEmpty()); }

TEST(Validity, ARunThatMeasuredNothingIsNeverGreen) {
  EXPECT_THAT(invalid_because(Health()), ElementsAre(HasSubstr("nothing was measured")));
}

TEST(Validity, OneInAHundredSendsMayBeLate) {
  Health health = healthy();
  health.send_lag_p99 = 3ms;
  health.late = 10;
  EXPECT_THAT(invalid_because(health), IsEmpty());
  health.late = 11;
  EXPECT_THAT(invalid_because(health), ElementsAre(HasSubstr("1.1 % of the sends left more than 1 ms")));
}

TEST(Validity, LateSendsCountWhereTheyCouldExplainTheLatency) {
  Health health = healthy();
  health.late = 500;
  health.send_lag_p99 = 10ms;
  health.delivery_p50 = 300ms;
  EXPECT_THAT(invalid_because(health), IsEmpty());
  health.delivery_p50 = 150ms;
  EXPECT_THAT(invalid_because(health), ElementsAre(HasSubstr("at their p99 10.0 ms")));
}

TEST(Validity, DroppedSendsMeanALoadThatWasNotOffered) {
  Health health = healthy();
  health.dropped_full = 20;
  EXPECT_THAT(invalid_because(health), ElementsAre(HasSubstr("dropped")));
}

TEST(Validity, ABusyThreadMayBeTheBottleneck) {
  Health health = healthy();
  health.busiest_thread = 0.93;
  EXPECT_THAT(invalid_because(health), ElementsAre(HasSubstr("93.0 % of a core")));
}

TEST(Validity, LoopLagCountsWhereItCouldExplainTheLatency) {
  Health health = healthy();
  health.loop_lag_p99 = 15ms;
  health.delivery_p99 = 20ms;
  EXPECT_THAT(invalid_because(health), ElementsAre(HasSubstr("event loop was late by 15.0 ms")));
  health.delivery_p99 = 300ms;
  EXPECT_THAT(invalid_because(health), IsEmpty());
  health.loop_lag_p99 = 9ms;
  health.delivery_p99 = 9ms;
  EXPECT_THAT(invalid_because(health), IsEmpty());  // below the floor
}

TEST(Validity, WhereTheKernelTellsTheTimesTheMeasuredLagCounts) {
  Health health = healthy();
  health.loop_lag_p99 = 15ms;
  health.delivery_p99 = 20ms;
  health.client_lag_p99 = 9ms;
  EXPECT_THAT(invalid_because(health), IsEmpty());
  health.client_lag_p99 = 11ms;
  EXPECT_THAT(invalid_because(health), ElementsAre(HasSubstr("waited 11.0 ms in the kernel for us")));
  health.delivery_p99 = 23ms;
  EXPECT_THAT(invalid_because(health), IsEmpty());
}

TEST(Validity, ReadsThatBroughtSeveralDeliveriesMeasureNoLag) {
  Health health = healthy();
  health.loop_lag_p99 = 15ms;
  health.delivery_p99 = 20ms;
  health.client_lag_p99 = 1ms;
  health.inexact_receive_times = 1000;
  EXPECT_THAT(invalid_because(health), IsEmpty());
  health.inexact_receive_times = 1001;
  EXPECT_THAT(invalid_because(health), ElementsAre(HasSubstr("event loop was late by 15.0 ms")));
}

TEST(Validity, WhatWaitsInTheKernelWaitsForUs) {
  Health health = healthy();
  health.queue_samples = 1000;
  health.queue_samples_unread = 500;
  EXPECT_THAT(invalid_because(health), IsEmpty());
  health.queue_samples_unread = 501;
  EXPECT_THAT(invalid_because(health), ElementsAre(HasSubstr("50.1 % of the samples of our sockets")));
  health.queue_samples = health.queue_samples_unread = 100;  // too few to tell
  EXPECT_THAT(invalid_because(health), IsEmpty());
}

TEST(Validity, LateSendsSayWhoseWorkItWas) {
  Health health = healthy();
  health.late = 500;
  health.send_lag_p99 = 3ms;
  EXPECT_THAT(invalid_because(health), ElementsAre(HasSubstr("not our own work")));
  health.busiest_thread = 0.85;
  EXPECT_THAT(invalid_because(health), ElementsAre(HasSubstr("use more --threads (now 1)")));
}

TEST(Validity, ARefusedSampleIsOneTooMany) {
  Health health = healthy();
  health.refused_samples = 1;
  EXPECT_THAT(invalid_because(health), ElementsAre(HasSubstr("1 latencies were outside")));
}

}  // namespace
}  // namespace roomcheck::loadgen
