#include "libs/websocket/http.h"

#include <gtest/gtest.h>

namespace roomcheck::websocket {
namespace {

TEST(FindHeader, IgnoresCaseAndJoinsRepeats) {
  const Headers headers{{"Upgrade", "websocket"}, {"X-A", "1"}, {"x-a", "2"}};
  EXPECT_EQ(find_header(headers, "UPGRADE"), "websocket");
  EXPECT_EQ(find_header(headers, "X-a"), "1, 2");
  EXPECT_EQ(find_header(headers, "absent"), "");
}

}  // namespace
}  // namespace roomcheck::websocket
