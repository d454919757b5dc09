#include "libs/event/event.h"

#include <gtest/gtest.h>

namespace roomcheck::event {
namespace {

// The expected octets are what Python 3.11's json.dumps printed.
TEST(PythonJson, WritesWhatPythonWrites) {
  const struct {
    const char* in;
    const char* out;
  } kCases[] = {
      {R"({"message":"预警信息2：x"})", R"({"message": "\u9884\u8b66\u4fe1\u606f2\uff1ax"})"},
      {R"({"b":1,"a":[true,null,-7]})", R"({"b": 1, "a": [true, null, -7]})"},
      {R"(["😀","\u0000\u001f\u007f\u0080\u2028"])", R"(["\ud83d\ude00", "\u0000\u001f\u007f\u0080\u2028"])"},
      {R"("\"\\\/\b\f\n\r\t<>&'")", R"("\"\\/\b\f\n\r\t<>&'")"},
      {R"({"x":{},"y":[]})", R"({"x": {}, "y": []})"},
      {R"([0.1,1.0,-0.0,9223372036854775807,18446744073709551615])",
       R"([0.1, 1.0, -0.0, 9223372036854775807, 18446744073709551615])"},
  };
  for (const auto& [in, out] : kCases) {
    const Result<Event> event = parse_json(in);
    ASSERT_TRUE(event.ok()) << in;
    EXPECT_EQ(to_python_json(*event), out);
  }
}

TEST(ParseJson, RefusesWhatIsNotOneJsonDocument) {
  for (const char* text : {"", " ", "{", "{\"a\":1}x", "{'a':1}", "\xef\xbb\xbf{}", "{\"a\":\"\n\"}", "NaN",
                           "{\"a\":1,}", "\"\xff\"", "\"\\ud83d\""})
    EXPECT_FALSE(parse_json(text).ok()) << text;
}

TEST(ParseJson, SurvivesNestingThatWouldEndTheProcess) {
  const Result<Event> deep = parse_json(std::string(100000, '[') + std::string(100000, ']'));
  ASSERT_FALSE(deep.ok());
  EXPECT_NE(deep.error().message.find("512"), std::string::npos);
  EXPECT_TRUE(parse_json(std::string(512, '[') + std::string(512, ']')).ok());
}

TEST(ParseJson, LetsTheLastOfEqualKeysWin) { EXPECT_EQ((*parse_json(R"({"m":"a","m":"b"})"))["m"], "b"); }

TEST(HandlerName, TurnsDotsIntoUnderscores) {
  EXPECT_EQ(*handler_name(Event{{"type", "chat.push.message"}}), "chat_push_message");
}

TEST(HandlerName, RefusesMissingEmptyAndPrivateTypes) {
  EXPECT_FALSE(handler_name(Event{{"x", 1}}).ok());
  EXPECT_FALSE(handler_name(Event{{"type", 7}}).ok());
  EXPECT_FALSE(handler_name(Event{{"type", ""}}).ok());
  EXPECT_FALSE(handler_name(Event{{"type", "_private"}}).ok());
  EXPECT_FALSE(handler_name(Event{{"type", ".x"}}).ok());
  EXPECT_FALSE(handler_name(Event("text")).ok());
}

}  // namespace
}  // namespace roomcheck::event
