#include "libs/target/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace roomcheck::target {
namespace {

using testing::HasSubstr;

std::string complaint(const std::string& text) {
  try {
    (void)parse_profile(text, "p.json");
  } catch (const BadInput& e) {
    return e.what();
  }
  return "accepted";
}

TEST(Template, RendersAndRecognises) {
  const Template t(nlohmann::ordered_json{{"message", "预警信息2：{text}!"}});
  EXPECT_EQ(t.render("a\"b\n"), "{\"message\":\"预警信息2：a\\\"b\\n!\"}");
  EXPECT_EQ(t.match(R"({"message": "\u9884\u8b66\u4fe1\u606f2\uff1ahi!"})"), "hi");
  EXPECT_EQ(t.match(R"({"message": "hi!"})"), std::nullopt);
  EXPECT_EQ(t.match(R"({"message": "预警信息2：hi!", "more": 1})"), std::nullopt);
  EXPECT_EQ(t.match("not json"), std::nullopt);
  EXPECT_THROW(Template(nlohmann::ordered_json{{"message", "no mark"}}), BadInput);
}

TEST(Profile, TheSeedSpeaksAsTheSeed) {
  const Profile seed = load_profile("seed");
  EXPECT_EQ(seed.room.send.render("x"), R"({"msg":"x"})");
  EXPECT_EQ(seed.room.receive.match(R"({"message": "预警信息2：预警信息1：x"})"), "x");
  EXPECT_EQ(seed.echo->receive.match(R"({"message": "xxx：x"})"), "x");
  EXPECT_EQ(seed.room_path("a b"), "/ws/chat/a%20b/");
  EXPECT_EQ(load_profile("channels-tutorial").group_of("lobby"), "chat_lobby");
}

TEST(Profile, PrintsWhatItReads) {
  for (const std::string& name : builtin_profiles()) {
    const std::string printed = print_profile(load_profile(name));
    EXPECT_EQ(print_profile(parse_profile(printed, "printed")), printed);
  }
}

TEST(Profile, NamesTheWrongFieldAndTheRemedy) {
  const std::string good = print_profile(load_profile("seed"));
  const auto with = [&good](const std::string& from, const std::string& to) {
    std::string out = good;
    out.replace(out.find(from), from.size(), to);
    return out;
  };
  EXPECT_THAT(complaint("{"), HasSubstr("p.json: not JSON"));
  EXPECT_THAT(complaint(with("\"path\"", "\"pth\"")),
              HasSubstr("/room/pth is not known here; did you mean \"path\"?"));
  EXPECT_THAT(complaint(with("/ws/chat/{room}/", "/ws/chat/")), HasSubstr("/room/path must contain {room}"));
  EXPECT_THAT(complaint(with("\"close\"", "\"explode\"")), HasSubstr("/bad_message must be"));
  EXPECT_THAT(complaint(with("\"events\"", "\"flying\"")), HasSubstr("/capabilities names \"flying\""));
  EXPECT_THAT(complaint(with("\"name_max\": 99", "\"name_max\": \"99\"")), HasSubstr("/room/name_max"));
  EXPECT_THAT(complaint(with("[A-Za-z0-9_.-]{1,99}", "[A-")),
              HasSubstr("/room/name_pattern is no valid regular expression"));
  EXPECT_THROW((void)load_profile("no-such-profile"), BadInput);
}

TEST(Profile, SingleFieldsCanBeSet) {
  const Profile p = with_overrides(load_profile("seed"), {"room.path=/chat/{room}", "room.name_max=20",
                                                          "group=chat_{room}", "capabilities=[\"echo\"]"});
  EXPECT_EQ(p.room_path("a"), "/chat/a");
  EXPECT_EQ(p.room.name_max, 20u);
  EXPECT_EQ(p.group_of("a"), "chat_a");
  EXPECT_FALSE(p.has("push"));
  EXPECT_THROW((void)with_overrides(p, {"room.pth=/x"}), BadInput);
  EXPECT_THROW((void)with_overrides(p, {"nonsense"}), BadInput);
}

}  // namespace
}  // namespace roomcheck::target
