#include "reference_server/auth/origin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/result.h"

namespace roomcheck::reference_server {
namespace {

bool allows(const std::vector<std::string>& patterns, const char* origin) {
  websocket::Headers headers{{"Host", "chat.example"}};
  if (origin != nullptr) headers.emplace_back("oRIGIN", origin);
  return OriginValidator(patterns).allows(headers);
}

TEST(OriginValidator, WithoutPatternsThereIsNone) {
  EXPECT_TRUE(allows({}, nullptr));
  EXPECT_TRUE(allows({}, "null"));
}

TEST(OriginValidator, AHostAllowsAnySchemeAndPort) {
  for (const char* origin :
       {"http://example.com", "https://example.com:444", "HTTPS://EXAMPLE.COM", "ws://example.com"})
    EXPECT_TRUE(allows({"Example.com"}, origin)) << origin;
  for (const char* origin :
       {"http://a.example.com", "http://notexample.com", "http://example.com.evil.net", "http://example.com.",
        "null", "", "example.com", "file://", "http://", "http://example.com:0", "http://example.com:99999",
        "http://example.com:x", "http://example.com, http://evil.net"})
    EXPECT_FALSE(allows({"example.com"}, origin)) << origin;
  EXPECT_FALSE(allows({"example.com"}, nullptr));
}

TEST(OriginValidator, ADotAllowsTheDomainAndWhatIsBelow) {
  for (const char* origin : {"http://example.com", "http://a.b.example.com:81"})
    EXPECT_TRUE(allows({".example.com"}, origin)) << origin;
  EXPECT_FALSE(allows({".example.com"}, "http://notexample.com"));
}

TEST(OriginValidator, ASchemeAsksForSchemeAndPort) {
  EXPECT_TRUE(allows({"https://example.com:8443"}, "https://example.com:8443"));
  EXPECT_FALSE(allows({"https://example.com:8443"}, "https://example.com"));
  EXPECT_FALSE(allows({"https://example.com:8443"}, "http://example.com:8443"));
  EXPECT_TRUE(allows({"http://good.example"}, "http://good.example:80")) << "80 is http's own";
  EXPECT_TRUE(allows({"https://.sub.example:8443"}, "https://a.sub.example:8443"));
  EXPECT_TRUE(allows({"http://[::1]:8000"}, "http://[::1]:8000"));
}

TEST(OriginValidator, AStarAllowsEverything) {
  EXPECT_TRUE(allows({"example.com", "*"}, nullptr));
  EXPECT_TRUE(allows({"*"}, "garbage"));
}

TEST(OriginValidator, APatternThatCanNeverMatchIsRefusedWithTheRemedy) {
  const std::pair<const char*, const char*> kCases[] = {{"*.example.com", ".example.com"},
                                                        {"example.com:8080", "https://example.com:8443"},
                                                        {"", "expected HOST"},
                                                        {"https://", "SCHEME://HOST"},
                                                        {"exa mple", "expected HOST"}};
  for (const auto& [pattern, says] : kCases) try {
      OriginValidator({pattern});
      ADD_FAILURE() << pattern << " was taken";
    } catch (const BadInput& e) {
      EXPECT_THAT(e.what(), testing::HasSubstr(says));
    }
}

}  // namespace
}  // namespace roomcheck::reference_server
