// Peers that are gone without a word: no FIN, no RST, and no answer ever again.
#include <gtest/gtest.h>

#include "libs/testkit/swallowing_proxy.h"
#include "reference_server/hostile_test.h"

namespace roomcheck::reference_server {
namespace {

TEST(HalfOpen, MembersBehindADeadWayAreEndedByTheIdleTimeAndTheirRoomMissesNothing) {
  constexpr std::size_t kGone = 50;
  Program server({"--idle-timeout", "3s"});
  testkit::SwallowingProxy way(server.port());
  OrdinaryRoom room(server);
  std::vector<std::unique_ptr<RawClient>> gone;
  for (std::size_t i = 0; i < kGone; ++i) gone.push_back(server.member(OrdinaryRoom::kPath, {}, way.port()));
  for (const auto& member : gone)
    ASSERT_EQ(member->read_message(soon()).kind, websocket::Received::Kind::text) << "of the room";
  way.swallow();
  room.advance(10);
  server.await("idle_timeouts_total", kGone);
  room.advance(10);
  EXPECT_EQ(server.metric("idle_timeouts_total"), kGone);
  EXPECT_EQ(server.metric("connections"), OrdinaryRoom::kMembers);
  EXPECT_EQ(room.finish(), "");
}

}  // namespace
}  // namespace roomcheck::reference_server
