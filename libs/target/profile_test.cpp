#include "libs/target/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

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
  EXPECT_THAT(complaint(R"({"room": 1e999})"), HasSubstr("p.json: not JSON"));  // the fuzzer's
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

TEST(Pattern, AnyStandsForAnyValueAndNothingElseIsForgiven) {
  const Pattern p(nlohmann::ordered_json::parse(R"({"error": "{any}", "code": 4, "of": ["{any}", "x"]})"));
  EXPECT_TRUE(p.matches(R"({"of": [null, "x"], "code": 4, "error": {"deep": 1}})"));
  EXPECT_FALSE(p.matches(R"({"of": [null, "x"], "code": 5, "error": ""})"));
  EXPECT_FALSE(p.matches(R"({"of": [null, "x", 1], "code": 4, "error": ""})"));
  EXPECT_FALSE(p.matches(R"({"of": [null, "x"], "code": 4, "error": "", "more": 1})"));
  EXPECT_FALSE(p.matches(R"({"of": [null, "x"], "code": 4})"));
  EXPECT_FALSE(p.matches("no json"));
}

TEST(Profile, ReplyToABadMessageMustBeDescribed) {
  const Profile seed = load_profile("seed");
  EXPECT_THROW((void)with_overrides(seed, {"bad_message=reply"}), BadInput);
  const Profile p = with_overrides(seed, {"bad_message=reply", R"(bad_reply={"error": "{any}"})"});
  EXPECT_TRUE(p.bad_reply.matches(R"({"error": "no text"})"));
}

TEST(Profile, SessionsComeFromTheEnvironmentAndAreNeverPrinted) {
  ::setenv("ROOMCHECK_AUTH_SESSION", "sessionid=abcdefghijklmnop", 1);
  ::setenv("ROOMCHECK_AUTH_USER", "7", 1);
  const Profile p = with_overrides(load_profile("seed"), {R"(capabilities=["auth"])"});
  ::unsetenv("ROOMCHECK_AUTH_SESSION");
  ::unsetenv("ROOMCHECK_AUTH_USER");
  EXPECT_EQ(p.auth->session.value, "sessionid=abcdefghijklmnop");
  EXPECT_EQ(print_profile(p).find("abcdefg"), std::string::npos);
  EXPECT_TRUE(p.auth->answers_user(R"({"user": 7})"));
  EXPECT_FALSE(p.auth->answers_user(R"({"user": "7"})"));
  EXPECT_FALSE(p.auth->answers_user(R"({"user": null})"));
  EXPECT_TRUE(p.auth->answers_anonymous(R"({"user": null})"));
  EXPECT_EQ(p.auth->private_room_path("a b"), "/ws/private/a%20b/");
  EXPECT_EQ(p.auth->bad_session("expired"), std::nullopt) << "nobody can make one";
  EXPECT_EQ(p.auth->bad_session("truncated"), "sessionid=abcdefghijk");
  const std::string forged = *p.auth->bad_session("forged");
  EXPECT_EQ(forged.size(), p.auth->session.value.size());
  EXPECT_NE(forged, p.auth->session.value);
  try {
    (void)with_overrides(load_profile("seed"), {R"(capabilities=["auth"])"});
    ADD_FAILURE() << "accepted without a session";
  } catch (const BadInput& e) {
    EXPECT_THAT(e.what(),
                HasSubstr("/auth/session comes from the environment, where ROOMCHECK_AUTH_SESSION"));
  }
}

TEST(Profile, OriginsAndUsersAreCheckedWhereTheyStand) {
  const Profile seed = load_profile("seed");
  const auto says = [&seed](const std::string& assignment) -> std::string {
    try {
      (void)with_overrides(seed, {assignment});
    } catch (const BadInput& e) {
      return e.what();
    }
    return "accepted";
  };
  EXPECT_THAT(says("origin.accepted=[]"), HasSubstr("/origin/accepted must name at least one origin"));
  EXPECT_THAT(says("origin.missing=maybe"), HasSubstr("/origin/missing must be \"refused\" or \"accepted\""));
  EXPECT_THAT(says("auth.whoami.path=whoami"), HasSubstr("/auth/whoami/path must begin with"));
  EXPECT_THAT(says(R"(auth.whoami.receive={"user": 1})"), HasSubstr("/auth/whoami/receive must contain"));
  EXPECT_THAT(says("auth.private_path=/x/"), HasSubstr("/auth/private_path must contain {room}"));
  EXPECT_THAT(says("auth.session=5"), HasSubstr("/auth/session must be a text, or {\"env\""));
  EXPECT_THAT(says("auth.sesion=x"), HasSubstr("did you mean \"session\"?"));
}

}  // namespace
}  // namespace roomcheck::target
