#include "reference_server/chat_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/regex.h"

namespace roomcheck::reference_server {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

websocket::Request request_for(const std::string& path, const std::string& query = "") {
  websocket::Request request;
  request.method = "GET";
  request.path = path;
  request.query = query;
  return request;
}

const std::vector<web::Asset> kFiles{{"index.html", "<!doctype html>"}};

std::string header(const websocket::Response& response, std::string_view name) {
  return websocket::find_header(response.headers, name);
}

TEST(ChatPage, EveryFileThatThePageNamesIsThere) {
  if (web::assets().empty()) GTEST_SKIP() << "built with -DROOMCHECK_WEB=OFF";
  const auto page = chat_page(request_for("/"));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->content_type, "text/html; charset=utf-8");
  const Regex named("(?:src|href)=\"(/[^\"]+)\"");
  int files = 0;
  for (const Regex::Match& match : named.all(page->body)) {
    const auto file = chat_page(request_for(match[1]));
    ASSERT_TRUE(file) << match[1];
    EXPECT_THAT(file->body, Not(IsEmpty()));
    EXPECT_NE(file->content_type, "application/octet-stream") << match[1];
    ++files;
  }
  EXPECT_EQ(files, 3) << "script, style, icon";
}

TEST(ChatPage, RunsNothingThatIsNotItsOwnFile) {
  const std::string policy = header(*chat_page(request_for("/"), kFiles), "Content-Security-Policy");
  EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
  EXPECT_THAT(policy, HasSubstr("connect-src 'self';"));
  EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
}

TEST(ChatPage, MayTalkToTheServerInTheQueryAndToNoOther) {
  const auto page = chat_page(request_for("/", "room=a&server=ws%3A%2F%2Flocalhost%3A8000"), kFiles);
  EXPECT_THAT(header(*page, "Content-Security-Policy"), HasSubstr("connect-src 'self' ws://localhost:8000;"));
}

TEST(ChatPage, AQueryCannotWidenThePolicy) {
  EXPECT_EQ(server_in_query("server=wss://chat.example.org/chat"), "wss://chat.example.org:443");
  EXPECT_EQ(server_in_query("room=server=ws://a"), "");
  for (const char* query :
       {"", "server=", "server=*", "server=ws://*", "server=ws://a%20*", "server=ws://a;script-src%20*",
        "server=ws://a%3Bscript-src%20*/", "server=ws://a%0D%0AX-Y:%20z", "server=http://a",
        "server=ws://[::1]:8", "server=ws://a:99999", "server=ws://a,*", "server='unsafe-inline'"})
    EXPECT_EQ(server_in_query(query), "") << query;
}

TEST(ChatPage, OtherPathsAreNotThePages) {
  for (const char* path : {"", "index", "/assets/", "/assets/../index.html", "/embed.cmake", "//"})
    EXPECT_FALSE(chat_page(request_for(path))) << path;
}

TEST(ChatPage, ABuildWithoutItSaysSo) {
  EXPECT_THAT(chat_page(request_for("/"), {})->body, HasSubstr("-DROOMCHECK_WEB=OFF"));
}

}  // namespace
}  // namespace roomcheck::reference_server
