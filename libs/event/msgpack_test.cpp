#include "libs/event/msgpack.h"

#include <gtest/gtest.h>

namespace roomcheck::event {
namespace {

std::string octets(std::initializer_list<unsigned> values) {
  std::string out;
  for (const unsigned v : values) out += static_cast<char>(v);
  return out;
}

// The literal octets that channels_redis 4.0.0 wrote (observed).
TEST(Msgpack, WritesTheOctetsOfPythonPeers) {
  EXPECT_EQ(to_msgpack(Event{{"type", "x.y"}, {"text", "hé"}}),
            octets({0x82, 0xa4, 0x74, 0x79, 0x70, 0x65, 0xa3, 0x78, 0x2e, 0x79, 0xa4, 0x74, 0x65, 0x78, 0x74,
                    0xa3, 0x68, 0xc3, 0xa9}));
  EXPECT_EQ(
      to_msgpack(Event{{"n", 1}, {"f", 1.5}, {"none", nullptr}, {"t", {1, 2}}, {"ok", true}}),
      octets({0x85, 0xa1, 0x6e, 0x01, 0xa1, 0x66, 0xcb, 0x3f, 0xf8, 0,    0,    0,    0,    0,    0,
              0xa4, 0x6e, 0x6f, 0x6e, 0x65, 0xc0, 0xa1, 0x74, 0x92, 0x01, 0x02, 0xa2, 0x6f, 0x6b, 0xc3}));
}

TEST(Msgpack, RoundTripsEveryType) {
  Event event{{"type", "t"}, {"s", "预警😀"}, {"i", INT64_MIN}, {"u", UINT64_MAX},
              {"f", 0.1},    {"n", nullptr}, {"b", false},     {"a", {1, "x", {{"k", {1.0}}}}}};
  event["long"] = std::string(70000, 'x');
  for (int i = 0; i < 20; ++i) event["many"].push_back(i);
  event["bin"] = Event::binary({0, 255});
  const Result<Event> back = from_msgpack(to_msgpack(event));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, event);
}

TEST(Msgpack, RefusesWhatWouldPoisonAQueue) {
  for (const std::string& bytes :
       {octets({0xc1}), octets({0x93, 1, 2, 3}), octets({0x81, 0x01, 0x02}), octets({0x80, 0x00}),
        octets({0x81, 0xa1}), octets({0x81, 0xa1, 0x61, 0xa1, 0xff}), std::string(),
        std::string(2000, '\x91')})
    EXPECT_FALSE(from_msgpack(bytes).ok());
}

}  // namespace
}  // namespace roomcheck::event
