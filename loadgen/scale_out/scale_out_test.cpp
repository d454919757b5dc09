#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/result.h"
#include "loadgen/scale_out/remote_ledger.h"
#include "loadgen/scale_out/shard.h"

namespace roomcheck::loadgen {
namespace {

using testing::HasSubstr;
using Variables = std::map<std::string, std::string>;
using Kind = Arrival::Kind;

Environment with(const Variables& variables) {
  return [variables](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  };
}

std::string parsed(const std::string& text, const Variables& variables = {}) {
  try {
    const Shard out = parse_shard(text, with(variables));
    return std::to_string(out.index) + "/" + std::to_string(out.count);
  } catch (const BadInput& e) {
    return e.what();
  }
}

TEST(Shard, IsWhatTheOptionOrTheLauncherSays) {
  EXPECT_EQ(parsed("2/5"), "2/5");
  EXPECT_EQ(parsed("rank", {{"OMPI_COMM_WORLD_RANK", "3"}, {"OMPI_COMM_WORLD_SIZE", "4"}}), "3/4");
  EXPECT_EQ(parsed("rank", {{"PMI_RANK", "3"}, {"PMI_SIZE", "4"}}), "3/4");
  EXPECT_EQ(parsed("rank", {{"SLURM_PROCID", "1"}, {"SLURM_NTASKS", "2"}}), "1/2");
  EXPECT_EQ(parsed("rank/8", {{"JOB_COMPLETION_INDEX", "7"}}), "7/8");
  EXPECT_EQ(parsed("rank/8", {{"PARALLEL_SEQ", "1"}}), "0/8") << "GNU parallel counts from 1";
  EXPECT_EQ(parsed("rank", {{"SLURM_PROCID", "0"},
                            {"SLURM_NTASKS", "1"},
                            {"OMPI_COMM_WORLD_RANK", "1"},
                            {"OMPI_COMM_WORLD_SIZE", "2"}}),
            "1/2")
      << "mpirun inside of a Slurm job";
}

TEST(Shard, RefusesWhatIsNone) {
  for (const char* text : {"", "2", "5/5", "x/5", "-1/5", "0/0", "0/x", "0/5000"})
    EXPECT_THAT(parsed(text), HasSubstr("--shard ")) << text;
  EXPECT_THAT(parsed("rank/4"), HasSubstr("no launcher has set a rank"));
  EXPECT_THAT(parsed("rank", {{"JOB_COMPLETION_INDEX", "0"}}), HasSubstr("write --shard rank/N"));
  EXPECT_THAT(parsed("rank/4", {{"JOB_COMPLETION_INDEX", "4"}}), HasSubstr("the last 3"));
  EXPECT_THAT(parsed("rank/4", {{"PARALLEL_SEQ", "0"}}), HasSubstr("counts from 1"));
  EXPECT_THAT(parsed("rank/4", {{"SLURM_PROCID", "one"}}), HasSubstr("SLURM_PROCID=one"));
}

TEST(Shard, EveryPlaceOfEveryRoomBelongsToExactlyOne) {
  for (std::uint32_t count : {1u, 2u, 3u, 7u})
    for (std::uint32_t room = 0; room < 9; ++room)
      for (std::uint32_t places : {1u, 2u, 6u, 20u}) {
        std::uint32_t sum = 0;
        for (std::uint32_t index = 0; index < count; ++index) {
          const Shard shard{index, count};
          std::vector<std::uint32_t> counted, formula;
          for (std::uint32_t place = 0; place < places; ++place)
            if (shard.has(place, room)) counted.push_back(place);
          for (std::uint32_t k = 0; k < shard.places_of(places, room); ++k)
            formula.push_back(shard.first_place(room) + k * count);
          EXPECT_EQ(counted, formula) << index << "/" << count << " room " << room << " places " << places;
          sum += static_cast<std::uint32_t>(counted.size());
        }
        EXPECT_EQ(sum, places);
      }
}

// Shard 0 of 2 has two members, and two senders are elsewhere: places 1 and 3 of room 0, both of shard 1.
class RemoteLedgerTest : public testing::Test {
 protected:
  RemoteLedgerTest() {
    remote.join(0);
    remote.join(1);
    remote.begin();
  }
  Kind at(std::uint32_t member, std::uint32_t sequence, std::uint32_t sender = 1, std::uint32_t room = 5) {
    Probe probe{room, sender, sequence, 0};
    probe.origin = 1;
    return remote.received(member, probe);
  }
  reports::StreamReceived stream() {
    remote.finish();
    const auto all = remote.streams();
    return all.empty() ? reports::StreamReceived() : all.front();
  }

  Ledger local{{{5, "r", 2, 0, 0, 0, 2, 2}}, 4, 64};
  RemoteLedger remote{local, Shard{0, 2}, 4};
};

TEST_F(RemoteLedgerTest, WhoWasThereAllTheTimeIsOwedTheWholeStream) {
  EXPECT_EQ(at(0, 3, 1 | RemoteLedger::kWarmUp), Kind::warm_up);
  for (std::uint32_t s = 4; s < 1000; ++s) {
    EXPECT_EQ(at(0, s, s % 2 == 0 ? 1 : 3), Kind::delivered);
    if (s % 10 != 0) {
      EXPECT_EQ(at(1, s, s % 2 == 0 ? 1 : 3), Kind::delivered);
    }
  }
  const reports::StreamReceived s = stream();
  EXPECT_EQ(s.room, "r");
  EXPECT_EQ(s.origin, 1u);
  EXPECT_EQ(s.from_start, 2u);
  EXPECT_EQ(s.to_end, 2u);
  EXPECT_EQ(s.begins + s.ends + s.apart, 0u);
  EXPECT_EQ(s.delivered, 996u + 897u);
}

TEST_F(RemoteLedgerTest, WhoGotNothingIsOwedAllOfIt) {
  const reports::StreamReceived s = stream();
  EXPECT_EQ(s.from_start, 2u);
  EXPECT_EQ(s.to_end, 2u);
  EXPECT_EQ(s.delivered, 0u);
}

TEST_F(RemoteLedgerTest, DuplicatesReorderingsAndLeaksAreSeenAtOnce) {
  EXPECT_EQ(at(0, 7), Kind::delivered);
  EXPECT_EQ(at(0, 7), Kind::duplicated);
  EXPECT_EQ(at(0, 9, 3), Kind::delivered);
  EXPECT_EQ(at(0, 8, 1), Kind::delivered) << "another sender's: no order between the two";
  EXPECT_EQ(remote.delivery().reordered, 0u);
  EXPECT_EQ(at(0, 6, 1), Kind::delivered);
  EXPECT_EQ(remote.delivery().reordered, 1u);
  EXPECT_EQ(at(0, 6, 1), Kind::duplicated);
  EXPECT_EQ(at(0, 10, 1, 6), Kind::foreign);
  EXPECT_EQ(at(0, 10, 4), Kind::corrupt);
  EXPECT_EQ(remote.delivery().duplicated, 2u);
  ASSERT_EQ(remote.delivery().offenders.size(), 5u);
  EXPECT_EQ(remote.delivery().offenders[0].member, 0u);
  EXPECT_EQ(remote.delivery().offenders[0].room, "r");
  remote.finish();
  EXPECT_EQ(at(0, 11), Kind::late);
}

TEST_F(RemoteLedgerTest, WhoComesLaterIsOwedWhatFollowsItsFirst) {
  remote.leave(1);
  remote.join(1);
  EXPECT_EQ(at(1, 20), Kind::delivered);
  EXPECT_EQ(at(1, 19, 3), Kind::set_apart) << "from before it came";
  EXPECT_EQ(at(1, 22), Kind::delivered);
  const reports::StreamReceived s = stream();
  EXPECT_EQ(s.from_start, 1u);
  EXPECT_EQ(s.begins, 20u);
  EXPECT_EQ(s.to_end, 2u);
  EXPECT_EQ(s.delivered, 2u);
}

// Sender 3's 21 went out before 20 of sender 1 did, and before the member came: the two are numbered in the
// order in which their shard wanted to send them.
TEST_F(RemoteLedgerTest, WhoComesLaterIsOwedNothingOfASenderWhomItHasNotHeardYet) {
  remote.leave(1);
  remote.join(1);
  EXPECT_EQ(at(1, 20), Kind::delivered);
  EXPECT_EQ(at(1, 22), Kind::delivered);
  EXPECT_EQ(at(1, 23, 3), Kind::delivered);
  EXPECT_EQ(at(1, 25), Kind::delivered);
  const reports::StreamReceived s = stream();
  EXPECT_EQ(s.begins, 20u);
  EXPECT_EQ(s.apart, 1u) << "21 may be from before it came; 24 is lost";
  EXPECT_EQ(remote.delivery().in_flight_members, 1u);
  ASSERT_EQ(remote.delivery().offenders.size(), 1u);
  EXPECT_EQ(remote.delivery().offenders[0].sequence, 24u);
}

TEST_F(RemoteLedgerTest, WhoComesInTheWarmUpIsOwedWhatIsMeasuredFromItsFirstOn) {
  remote.leave(1);
  remote.join(1);
  EXPECT_EQ(at(1, 9, 1 | RemoteLedger::kWarmUp), Kind::warm_up);
  EXPECT_EQ(at(1, 11), Kind::delivered);
  const reports::StreamReceived s = stream();
  EXPECT_EQ(s.from_start, 1u);
  EXPECT_EQ(s.begins, 11u) << "10 was sender 3's perhaps, from before it came";
}

TEST_F(RemoteLedgerTest, WhoComesInTheWarmUpAndGetsNothingMoreIsOwedAllOfIt) {
  remote.leave(1);
  remote.join(1);
  EXPECT_EQ(at(1, 9, 1 | RemoteLedger::kWarmUp), Kind::warm_up);
  EXPECT_EQ(stream().from_start, 2u);
}

// The one hole that falls out of the window before sender 3 has been heard.
TEST_F(RemoteLedgerTest, WhatIsSetApartIsRememberedBehindTheWindow) {
  remote.leave(1);
  remote.join(1);
  for (std::uint32_t s = 20; s < 1000; ++s)
    if (s != 21 && s != 900) at(1, s, s > 800 && s % 2 == 0 ? 3 : 1);
  const reports::StreamReceived s = stream();
  EXPECT_EQ(s.apart, 1u) << "900 is lost";
  EXPECT_EQ(s.delivered, 978u);
}

TEST_F(RemoteLedgerTest, WhoLeavesInTheWarmUpIsOwedNothing) {
  EXPECT_EQ(at(0, 3, 1 | RemoteLedger::kWarmUp), Kind::warm_up);
  remote.leave(0);
  const reports::StreamReceived s = stream();
  EXPECT_EQ(s.from_start, 1u);
  EXPECT_EQ(s.ends, 0u);
}

// 10 1, 11 3 (missing), 12 1, 13 3, 14 1 (missing), 15 3, 16 1: only what both senders have overtaken is lost
// for sure.
TEST_F(RemoteLedgerTest, WhatWasInFlightToWhoLeavesIsSetApart) {
  for (const auto& [sequence, sender] :
       std::vector<std::pair<std::uint32_t, std::uint32_t>>{{10, 1}, {12, 1}, {13, 3}, {16, 1}})
    EXPECT_EQ(at(0, sequence, sender), Kind::delivered);
  remote.leave(0);
  const reports::StreamReceived s = stream();
  EXPECT_EQ(s.ends, 17u);
  EXPECT_EQ(s.apart, 2u) << "14 and 15: sender 3 may have sent both; 11 is lost";
  EXPECT_EQ(s.from_start, 2u);
  EXPECT_EQ(s.to_end, 1u);
}

TEST_F(RemoteLedgerTest, BehindTheWindowThereIsRoomForWhatIsMissing) {
  for (std::uint32_t s = 0; s < 2000; ++s)
    if (s != 5) at(0, s);
  EXPECT_EQ(at(0, 3), Kind::delivered) << "from behind the window: taken for the hole's, once";
  EXPECT_EQ(at(0, 3), Kind::duplicated);
  EXPECT_EQ(remote.delivery().reordered, 1u);
}

}  // namespace
}  // namespace roomcheck::loadgen
