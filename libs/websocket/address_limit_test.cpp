#include "libs/websocket/address_limit.h"

#include <gtest/gtest.h>

namespace roomcheck::websocket {
namespace {

TEST(AddressLimit, CountsAddressesNotPorts) {
  AddressLimit limit(2);
  EXPECT_TRUE(limit.enter("127.0.0.1:1"));
  EXPECT_TRUE(limit.enter("127.0.0.1:2"));
  EXPECT_FALSE(limit.enter("127.0.0.1:3"));
  EXPECT_TRUE(limit.enter("127.0.0.2:1"));
  limit.leave("127.0.0.1:2");
  EXPECT_TRUE(limit.enter("127.0.0.1:3"));
}

TEST(AddressLimit, AnIpv6NetworkOf64BitsIsOneAddress) {
  AddressLimit limit(1);
  EXPECT_TRUE(limit.enter("[2001:db8:0:1::1]:1"));
  EXPECT_FALSE(limit.enter("[2001:db8:0:1:ffff::2]:1"));
  EXPECT_TRUE(limit.enter("[2001:db8:0:2::1]:1"));
}

TEST(AddressLimit, AMappedIpv4AddressIsOneOfItsOwn) {
  AddressLimit limit(1);
  EXPECT_TRUE(limit.enter("[::ffff:10.0.0.1]:1"));
  EXPECT_TRUE(limit.enter("[::ffff:10.0.0.2]:1"));
}

}  // namespace
}  // namespace roomcheck::websocket
