// The octets of channels_redis, literally: what Python 4.0.0 wrote to Redis (observed), and what must not
// harm us.
#include "libs/channel_layer/payload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace roomcheck::channel_layer {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string kName = "specific.d5883c3348374fd4847539e1dce37d39!17a09e276ec04a2f860413708be348ca";

// "83 a4 74" -> octets.
std::string octets(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i < hex.size(); ++i)
    if (hex[i] != ' ') out += static_cast<char>(std::stoi(std::string(hex.substr(i++, 2)), nullptr, 16));
  return out;
}

const std::string kDirect = octets(
    "13 05 96 44 b0 49 09 46 78 c0 b3 31 83 a4 74 79 70 65 a3 78 2e 79 a4 74 65 78 74 a3 68 c3 a9 b0 5f 5f "
    "61 73 67 69 5f 63 68 61 6e 6e 65 6c 5f 5f d9 4a 73 70 65 63 69 66 69 63 2e 64 35 38 38 33 63 33 33 34 "
    "38 33 37 34 66 64 34 38 34 37 35 33 39 65 31 64 63 65 33 37 64 33 39 21 31 37 61 30 39 65 32 37 36 65 "
    "63 30 34 61 32 66 38 36 30 34 31 33 37 30 38 62 65 33 34 38 63 61");
const std::string kToGroup = octets(
    "07 47 56 21 e2 37 16 b7 a5 a0 e4 68 88 a4 74 79 70 65 ac 63 68 61 74 2e 6d 65 73 73 61 67 65 a1 6e 01 "
    "a1 "
    "62 c4 02 00 ff a1 66 cb 3f f8 00 00 00 00 00 00 a4 6e 6f 6e 65 c0 a1 74 92 01 02 a2 6f 6b c3 b0 5f 5f "
    "61 "
    "73 67 69 5f 63 68 61 6e 6e 65 6c 5f 5f 91 d9 4a 73 70 65 63 69 66 69 63 2e 64 35 38 38 33 63 33 33 34 "
    "38 "
    "33 37 34 66 64 34 38 34 37 35 33 39 65 31 64 63 65 33 37 64 33 39 21 31 37 61 30 39 65 32 37 36 65 63 "
    "30 "
    "34 61 32 66 38 36 30 34 31 33 37 30 38 62 65 33 34 38 63 61");
const std::string kPlain =
    octets("32 8f f8 87 91 e3 84 07 f8 7d 50 2e 82 a4 74 79 70 65 a4 74 61 73 6b a2 69 64 07");

Event group_message() {
  Event event{{"type", "chat.message"}, {"n", 1}};
  event["b"] = Event::binary({0, 255});
  event["f"] = 1.5;
  event["none"] = nullptr;
  event["t"] = {1, 2};
  event["ok"] = true;
  return event;
}

std::string without_random(std::string_view member) { return std::string(member.substr(12)); }

class PayloadTest : public testing::Test {
 protected:
  RedisOptions options;
  std::string map(const Event& event) { return *Payload(options).map_of(event); }
};

TEST_F(PayloadTest, WritesTheOctetsOfADirectSend) {
  const std::string member = Payload(options).for_channel(map({{"type", "x.y"}, {"text", "hé"}}), kName);
  EXPECT_EQ(without_random(member), without_random(kDirect));
  EXPECT_EQ(member.size(), kDirect.size());
}

TEST_F(PayloadTest, WritesTheOctetsOfAGroupMessageForOneMember) {
  EXPECT_EQ(without_random(Payload(options).for_channels(map(group_message()), {kName})),
            without_random(kToGroup));
}

TEST_F(PayloadTest, WritesTheOctetsOfAGroupMessageForTwoMembers) {
  std::string expected = without_random(kToGroup);
  expected.replace(expected.size() - 77, 1, "\x92");  // array of one -> of two
  expected += expected.substr(expected.size() - 76);
  EXPECT_EQ(without_random(Payload(options).for_channels(map(group_message()), {kName, kName})), expected);
}

TEST_F(PayloadTest, WritesTheOctetsOfAPlainSend) {
  EXPECT_EQ(without_random(Payload(options).for_plain(map({{"type", "task"}, {"id", 7}}))),
            without_random(kPlain));
}

TEST_F(PayloadTest, WritesTheOctetsOfPubSub) {
  EXPECT_EQ(Payload(options).for_topic(map({{"type", "x.y"}, {"text", "hé"}})),
            octets("82 a4 74 79 70 65 a3 78 2e 79 a4 74 65 78 74 a3 68 c3 a9"));
}

TEST_F(PayloadTest, EqualMessagesAreDistinctMembers) {
  const Payload payload(options);
  EXPECT_NE(payload.for_plain("\x80"), payload.for_plain("\x80"));
}

TEST_F(PayloadTest, ReadsRoutingAsTextAsArrayAndAbsent) {
  const Payload payload(options);
  const auto direct = payload.from_queue(kDirect);
  ASSERT_TRUE(direct.ok());
  EXPECT_EQ(direct->event, (Event{{"type", "x.y"}, {"text", "hé"}})) << "the routing is not for the consumer";
  EXPECT_THAT(direct->channels, ElementsAre(kName));
  const auto group = payload.from_queue(kToGroup);
  ASSERT_TRUE(group.ok());
  EXPECT_EQ(group->event, group_message());
  EXPECT_THAT(group->channels, ElementsAre(kName));
  const auto plain = payload.from_queue(kPlain);
  ASSERT_TRUE(plain.ok());
  EXPECT_THAT(plain->channels, IsEmpty());
}

// Written by nobody we know, and still to be read: the routing first, texts with long headers, and binary
// data that only looks like routing.
TEST_F(PayloadTest, ReadsRoutingThatStandsElsewhere) {
  const Payload payload(options);
  const std::string random(12, 'r'), key = "\xb0__asgi_channel__";
  const auto first = payload.from_queue(random + "\x82" + key +
                                        "\x91\xa3"
                                        "c!x"
                                        "\xa4type\xa1t");
  ASSERT_TRUE(first.ok());
  EXPECT_THAT(first->channels, ElementsAre("c!x"));
  EXPECT_EQ(first->event, (Event{{"type", "t"}}));
  const auto str16 =
      payload.from_queue(random + "\x82\xa4type\xa1t" + key + std::string("\xda\x00\x03", 3) + "c!x");
  ASSERT_TRUE(str16.ok());
  EXPECT_THAT(str16->channels, ElementsAre("c!x"));
  const std::string lookalike = key +
                                "\x91\xa3"
                                "c!x";
  const auto binary = payload.from_queue(random + "\x82\xa4type\xa1t\xa1z\xc4" +
                                         static_cast<char>(lookalike.size()) + lookalike);
  ASSERT_TRUE(binary.ok());
  EXPECT_THAT(binary->channels, IsEmpty());
  EXPECT_EQ(binary->event["z"].get_binary().size(), lookalike.size());
}

TEST_F(PayloadTest, MapHeadersGrowWithTheRoutingKey) {
  for (const int keys : {14, 15, 16, 300}) {
    Event event;
    for (int i = 0; i < keys; ++i) event[std::to_string(i)] = i;
    const std::string member = Payload(options).for_channel(map(event), kName);
    const auto back = Payload(options).from_queue(member);
    ASSERT_TRUE(back.ok()) << keys;
    EXPECT_EQ(back->event, event) << keys;
    EXPECT_THAT(back->channels, ElementsAre(kName));
  }
  const std::string longest = Payload(options).for_channel(octets("de ff ff"), kName);
  EXPECT_EQ(longest.substr(12, 5), octets("df 00 01 00 00"));
}

TEST_F(PayloadTest, ManyMembersFitIntoOneMessage) {
  std::vector<std::string_view> names(70000, kName);
  const std::string member = Payload(options).for_channels(map({{"type", "t"}}), names);
  const auto back = Payload(options).from_queue(member);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->channels.size(), 70000u);
}

TEST_F(PayloadTest, PoisonIsAnErrorNotAnEnd) {
  const Payload payload(options);
  const std::string random(12, 'r');
  for (const char* poison : {"", "c1", "93 01 02 03", "81 01 02", "80 00", "81 a1 61 a1 ff", "a1 78",
                             // "__asgi_channel__" as a number, as an array of numbers
                             "81 b0 5f 5f 61 73 67 69 5f 63 68 61 6e 6e 65 6c 5f 5f 07",
                             "81 b0 5f 5f 61 73 67 69 5f 63 68 61 6e 6e 65 6c 5f 5f 91 07"})
    EXPECT_FALSE(payload.from_queue(random + octets(poison)).ok()) << poison;
  EXPECT_FALSE(payload.from_queue("short").ok());
}

TEST_F(PayloadTest, RefusesToSendWhatWouldHarmAPeer) {
  const Payload payload(options);
  EXPECT_FALSE(payload.map_of(Event("text")).ok());
  EXPECT_FALSE(payload.map_of(Event{{"type", "t"}, {"__asgi_channel__", "x"}}).ok());
  options.serializer = RedisSerializer::json;
  EXPECT_FALSE(Payload(options).map_of(group_message()).ok()) << "JSON has no binary";
}

// channels_redis >= 4.2.1, serializer_format "json": json.dumps with its defaults.
TEST_F(PayloadTest, WritesJsonAsPythonDoes) {
  options.serializer = RedisSerializer::json;
  const Payload payload(options);
  const std::string text = map({{"a", true}, {"b", nullptr}, {"c", {{"d", Event::array()}}}});
  EXPECT_EQ(text, R"({"a": true, "b": null, "c": {"d": []}})");
  EXPECT_EQ(without_random(payload.for_channel(text, "c!x")),
            R"({"a": true, "b": null, "c": {"d": []}, "__asgi_channel__": "c!x"})");
  EXPECT_EQ(without_random(payload.for_channels(text, {"c!x", "c!y"})),
            R"({"a": true, "b": null, "c": {"d": []}, "__asgi_channel__": ["c!x", "c!y"]})");
  EXPECT_EQ(without_random(payload.for_channel("{}", "c!x")), R"({"__asgi_channel__": "c!x"})");
  const std::string member = payload.for_channels(text, {"c!x", "c!y"});
  const auto back = payload.from_queue(member);
  ASSERT_TRUE(back.ok());
  EXPECT_THAT(back->channels, ElementsAre("c!x", "c!y"));
}

TEST_F(PayloadTest, TheRandomPrefixHasTheConfiguredLength) {
  for (const std::size_t length : {std::size_t{0}, std::size_t{4}, std::size_t{12}}) {
    options.random_prefix_length = length;
    const Payload payload(options);
    const std::string member = payload.for_plain(map({{"type", "task"}, {"id", 7}}));
    EXPECT_EQ(member.substr(length), without_random(kPlain));
    EXPECT_TRUE(payload.from_queue(member).ok());
  }
}

TEST_F(PayloadTest, TheRandomPrefixStandsOutsideTheEncryption) {
  options.encryption_keys = {"new", "old"};
  const std::string member = Payload(options).for_plain(map({{"type", "task"}}));
  EXPECT_EQ(member.substr(12, 6), "gAAAAA");
  options.encryption_keys = {"old"};
  EXPECT_FALSE(Payload(options).from_queue(member).ok());
  options.encryption_keys = {"other", "new"};
  const auto back = Payload(options).from_queue(member);
  ASSERT_TRUE(back.ok()) << "every key is tried";
  EXPECT_EQ(back->event, (Event{{"type", "task"}}));
}

// A token of Python's cryptography.fernet under SHA-256("key one"), made at 1700000000 with IV 0..15.
TEST(Fernet, ReadsATokenOfPython) {
  using namespace std::chrono_literals;
  const Fernet fernet({"key two", "key one"});
  const std::string token =
      "gAAAAABlU_EAAAECAwQFBgcICQoLDA0OD1FxMALSB1BXrCIIcPHKSLY8HYvxD3btFYeOHfyZbZn8wNqXMbD93vfvQDIa4u689g==";
  const std::chrono::system_clock::time_point made(1700000000s);
  const auto text = fernet.decrypt(token, made, 70s);
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(*text, octets("82 a4 74 79 70 65 a4 74 61 73 6b a2 69 64 07"));
  EXPECT_TRUE(fernet.decrypt(token, made + 70s, 70s).ok());
  EXPECT_FALSE(fernet.decrypt(token, made + 71s, 70s).ok()) << "too old";
  EXPECT_FALSE(fernet.decrypt(token, made - 61s, 70s).ok()) << "from the future";
  EXPECT_TRUE(fernet.decrypt(token, made + 71s, 0s).ok()) << "pub/sub has no limit";
  for (const std::size_t at : {std::size_t{0}, std::size_t{20}, token.size() - 10}) {
    std::string tampered = token;
    tampered[at] = tampered[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(fernet.decrypt(tampered, made, 70s).ok()) << at;
  }
  EXPECT_FALSE(fernet.decrypt("", made, 70s).ok());
  EXPECT_FALSE(fernet.decrypt("gAAA", made, 70s).ok());
}

}  // namespace
}  // namespace roomcheck::channel_layer
