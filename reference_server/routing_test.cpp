#include "reference_server/routing.h"

#include <gtest/gtest.h>

namespace roomcheck::reference_server {
namespace {

std::optional<Route> at(std::string_view path) { return route(path, ConsumerKind::async); }

TEST(Routing, FindsTheEchoAndTheRooms) {
  EXPECT_EQ(at("/ws/chat/")->kind, Route::Kind::echo);
  EXPECT_EQ(at("/ws/chat/lobby/")->kind, Route::Kind::room);
  EXPECT_EQ(at("/ws/chat/lobby/")->room, "lobby");
  EXPECT_EQ(at("/ws/chat/../")->room, "..");
}

TEST(Routing, KnowsTheFourConsumers) {
  EXPECT_EQ(route("/ws/chat/a/", ConsumerKind::json)->consumer, ConsumerKind::json);
  EXPECT_EQ(at("/ws/sync/a/")->consumer, ConsumerKind::sync);
  EXPECT_EQ(at("/ws/async/a/")->consumer, ConsumerKind::async);
  EXPECT_EQ(at("/ws/json/a/")->consumer, ConsumerKind::json);
  EXPECT_EQ(at("/ws/async-json/a/")->consumer, ConsumerKind::async_json);
}

TEST(Routing, IsExact) {
  for (const char* path :
       {"", "/", "/ws", "/ws/", "/ws/chat", "/ws/chat/a", "/ws/chat//", "/ws/chat/a/b/", "/ws/chat/a//",
        "/WS/CHAT/a/", "/ws/Chat/", "/x/ws/chat/", "/ws/sync/", "/ws/chatter/a/"})
    EXPECT_FALSE(at(path).has_value()) << path;
}

}  // namespace
}  // namespace roomcheck::reference_server
