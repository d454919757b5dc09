#include "reference_server/auth/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/result.h"
#include "libs/testkit/files.h"

namespace roomcheck::reference_server {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Optional;

// Made by Django 3.2.25 (django.core.signing.dumps with the session's salt) at 1795409651 with this key.
const std::string kKey = "django-insecure-k#y with spaces & ü/§ 0123456789";
constexpr std::int64_t kSignedAt = 1795409651;
constexpr seconds kAge(1209600);

const std::string kLogin =
    ".eJyrVopPLC3JiC8tTi2Kz0xRslIyVNJBFktKTM5OzQNJpGQl5qXn6yXn55UUZSbpgZToQWWL9XzzU1JznKBqUQzISCzOAOp"
    "OTKIMKtUCAM3lPq0:1xVM4B:XBk9ctwrO8TI9Lq7Immtuw9Ux1K_OFSTxO9eic8JJ4k";
const std::string kPlain =
    "eyJfYXV0aF91c2VyX2lkIjoiMSIsIl9hdXRoX3VzZXJfYmFja2VuZCI6ImRqYW5nby5jb250cmliLmF1dGguYmFja2VuZHMu"
    "TW9kZWxCYWNrZW5kIiwiX2F1dGhfdXNlcl9oYXNoIjoiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJh"
    "YmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYiJ9:1xVM4B:zMtd9HnbPFYDu-6O5Z88DtCGe-v5iur1ArefbkYb1Zo";
const std::string kUnicode =
    ".eJztzDEKwzAMBdC7aC6GQgluxuy5QcDIkYndFrvE8VR69zqQIZkz9qPloS_9Dxkuizclu9kEoZaudNnvLI9PF9dAHhynpMY"
    "UlzlYtZ6oLc2qT-Je3XZ7KPCcff1me25q6ZtFQpxq2VDuWt-Gom3TwDAMwzAMwzAMw_9j-v4AEIdiig:1xVM4B:hNiAKds7I"
    "KiGTVpnm-H9tovIFF_bS01xfTB6XPd4iG4";
const std::string kEmpty = "e30:1xVM4B:Bqq2QDA6JG20H_-bJJO_WlcDtUcwjb2u_AWXRwvOGh0";
const std::string kAnon = "eyJ4IjoxfQ:1xVM4B:jyM3FI4cZnlE-R2WEdnDD06gN79Zx8b6v6PJcqaTVe8";
const std::string kWrongsalt =
    ".eJyrVopPLC3JiC8tTi2Kz0xRslIyVNJBFktKTM5OzQNJpGQl5qXn6yXn55UUZSbpgZToQWWL9XzzU1JznKBqUQzISCzOAOp"
    "OTKIMKtUCAM3lPq0:1xVM4B:OCpsi5QorlXo9QcxvQyK5gIZ6KI7DlEejUdSzTaThsM";
const std::string kOtherkey =
    ".eJyrVopPLC3JiC8tTi2Kz0xRslIyVNJBFktKTM5OzQNJpGQl5qXn6yXn55UUZSbpgZToQWWL9XzzU1JznKBqUQzISCzOAOp"
    "OTKIMKtUCAM3lPq0:1xVM4B:1CWlKXSaayH1xTvhmlTMeq89I6RfKp34D_DPygo_TpY";
const std::string kBomb =
    ".eJztzLsOgkAQBdB_2dqQ2Fra-w1kYQmgZjE8KuO_CwmFlsb2nOnmztxnKOMyd-UyNWPZp3AKx3D43FWxvjV5C9I15nYo6iH"
    "PY18V20mxp1NxGVJzP--3XwVdnLr1O1b_zVr6iCn1ud3KAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAICfhdcb9M5ZCg:1xVM4B:fNgE8W52xlpz52QNGpmWiKuF6cSvZCTGpeeDEE0wCfQ";
const std::string kSha1 =
    "eyJfYXV0aF91c2VyX2lkIjoiMSIsIl9hdXRoX3VzZXJfYmFja2VuZCI6ImRqYW5nby5jb250cmliLmF1dGguYmFja2VuZHMu"
    "TW9kZWxCYWNrZW5kIiwiX2F1dGhfdXNlcl9oYXNoIjoiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJh"
    "YmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYiJ9:1xVM4B:XBDAmPRzi9fQZbugLaPZr8TLdSU";

std::chrono::system_clock::time_point at(std::int64_t unix_seconds) {
  return std::chrono::system_clock::time_point(seconds(unix_seconds));
}

std::optional<std::string> user(const std::string& cookies, std::int64_t now = kSignedAt,
                                const std::vector<std::string>& keys = {kKey}) {
  SessionStats stats;
  return SessionVerifier(keys, kAge).user_of({{"Host", "x"}, {"cookie", cookies}}, at(now), stats);
}
std::optional<std::string> session(const std::string& token, std::int64_t now = kSignedAt) {
  return user("sessionid=" + token, now);
}

// What is counted of one cookie: too large, expired, bad.
std::vector<std::uint64_t> counted(const std::string& token, std::int64_t now = kSignedAt) {
  SessionStats stats;
  (void)SessionVerifier({kKey}, kAge).user_of({{"Cookie", "sessionid=" + token}}, at(now), stats);
  return {stats.too_large, stats.expired, stats.bad};
}
const std::string kTooLong = std::string(5000, 'a') + ":1xVM4B:" + std::string(43, 'b');

TEST(Session, OfDjangoIsTheUsers) {
  EXPECT_THAT(session(kLogin), Optional(std::string("1")));
  EXPECT_THAT(session(kPlain), Optional(std::string("1"))) << "not compressed";
  EXPECT_THAT(session(kUnicode), Optional(std::string("1"))) << "compressed, with escapes in it";
}

TEST(Session, WithoutALoginIsNobodys) {
  EXPECT_EQ(session(kEmpty), std::nullopt);
  EXPECT_EQ(session(kAnon), std::nullopt);
  SessionStats stats;
  EXPECT_EQ(SessionVerifier({kKey}, kAge).user_of({}, at(kSignedAt), stats), std::nullopt)
      << "no cookie at all";
}

TEST(Session, WithAnyOctetChangedIsNobodys) {
  for (std::size_t i = 0; i < kLogin.size(); ++i) {
    std::string forged = kLogin;
    forged[i] = forged[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(session(forged), std::nullopt) << i;
    EXPECT_EQ(session(kLogin.substr(0, i)), std::nullopt) << "the first " << i;
  }
}

TEST(Session, SignedOtherwiseIsNobodys) {
  EXPECT_EQ(session(kWrongsalt), std::nullopt);
  EXPECT_EQ(session(kOtherkey), std::nullopt);
  EXPECT_EQ(session(kSha1), std::nullopt) << "Django 3 takes it, we do not";
}

TEST(Session, EndsAtItsAge) {
  EXPECT_THAT(session(kLogin, kSignedAt + kAge.count()), Optional(std::string("1")));
  EXPECT_EQ(session(kLogin, kSignedAt + kAge.count() + 1), std::nullopt);
}

TEST(Session, ThatUnpacksToMoreThanItMayIsNobodys) { EXPECT_EQ(session(kBomb), std::nullopt); }

TEST(Session, LongerThanBrowsersKeepIsNobodys) { EXPECT_EQ(session(kTooLong), std::nullopt); }

TEST(Session, OfNobodyIsCountedByWhatIsWrongWithIt) {
  EXPECT_THAT(counted(kTooLong), ElementsAre(1, 0, 0));
  EXPECT_THAT(counted(kBomb), ElementsAre(1, 0, 0));
  EXPECT_THAT(counted(kLogin, kSignedAt + kAge.count() + 1), ElementsAre(0, 1, 0));
  for (const std::string& bad : {std::string("garbage"), std::string(), kWrongsalt, kOtherkey, kSha1})
    EXPECT_THAT(counted(bad), ElementsAre(0, 0, 1)) << bad;
  for (const std::string& good : {kLogin, kPlain, kEmpty, kAnon})
    EXPECT_THAT(counted(good), ElementsAre(0, 0, 0)) << good << ": of a user, or of a guest";
}

TEST(Session, OfAFallbackKeyIsTheUsers) {
  EXPECT_THAT(user("sessionid=" + kLogin, kSignedAt, {"the new key", kKey}), Optional(std::string("1")));
}

TEST(Session, IsFoundAmongOtherCookiesAsChannelsFindsIt) {
  EXPECT_THAT(user("csrftoken=abc; sessionid = " + kLogin + " ;x=y"), Optional(std::string("1")));
  EXPECT_THAT(user("sessionid=old; sessionid=\"" + kLogin + "\""), Optional(std::string("1")))
      << "the last one counts";
  EXPECT_EQ(user("xsessionid=" + kLogin), std::nullopt);
  EXPECT_EQ(user("a=b,sessionid=" + kLogin), std::nullopt) << "two Cookie headers, joined: as behind daphne";
  SessionStats stats;
  const SessionVerifier of_another_name({kKey}, kAge, "sid");
  EXPECT_THAT(of_another_name.user_of({{"Cookie", "sid=" + kLogin}}, at(kSignedAt), stats),
              Optional(std::string("1")));
}

TEST(SessionKeys, AreReadOneALineAndAnEmptyFileIsSaid) {
  const testkit::TemporaryDirectory directory;
  EXPECT_THAT(SessionVerifier::read_keys(directory.write("keys", "first key\r\n\nsecond\n")),
              ElementsAre("first key", "second"));
  for (const std::string& file : {directory.write("empty", "\n"), directory.path("absent")}) try {
      SessionVerifier::read_keys(file);
      ADD_FAILURE() << file << " was taken";
    } catch (const BadInput& e) {
      EXPECT_THAT(e.what(), HasSubstr("--session-secret " + file));
    }
}

}  // namespace
}  // namespace roomcheck::reference_server
