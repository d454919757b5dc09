#include "conformance/catalog.h"
#include "conformance/context.h"

namespace roomcheck::conformance {
namespace {

const target::Profile::Auth& auth(Context& c) { return *c.profile().auth; }

As with_session(Context& c) {
  if (auth(c).session.value.empty()) throw NotApplicable("the profile gives no valid session (auth.session)");
  return with_cookie(auth(c).session.value);
}

void expect_anonymous(Context& c, const As& as, const std::string& who) {
  const std::string answer = c.ask_whoami(as);
  if (!auth(c).answers_anonymous(answer))
    throw Failed(who + " is somebody", "the profile's anonymous user", shown(answer));
}

void expect_user(Context& c) {
  const std::string answer = c.ask_whoami(with_session(c));
  if (!auth(c).answers_user(answer))
    throw Failed("a valid session is not its user's", auth(c).user.value, shown(answer));
}

// A session that is none leads to nobody, where the valid one leads to its user.
void expect_nobody(Context& c, const char* kind) {
  const std::optional<std::string> session = auth(c).bad_session(kind);
  if (!session) throw NotApplicable(std::string("the profile gives no session that is ") + kind);
  c.given([&] { expect_user(c); });
  expect_anonymous(c, with_cookie(*session), std::string("a session that is ") + kind);
  c.fence(c.join(c.fresh_room(), with_cookie(*session)));
}

}  // namespace

std::vector<Case> auth_cases() {
  return {
      {"auth.anonymous/no-cookie",
       "auth.anonymous",
       kMust,
       {"auth"},
       "Without a session cookie the user in scope is anonymous, and the rooms accept it.",
       [](Context& c) {
         expect_anonymous(c, {}, "who comes without a cookie");
         c.sign_of_life();
       }},
      {"auth.session-user/valid-cookie",
       "auth.session-user",
       kMust,
       {"auth"},
       "With a valid session cookie the user in scope is that session's.",
       [](Context& c) { expect_user(c); }},
      {"auth.bad-session/forged",
       "auth.bad-session",
       kMust,
       {"auth"},
       "A forged, truncated or expired cookie is anonymous, never an error, never somebody.",
       [](Context& c) { expect_nobody(c, "forged"); }},
      {"auth.bad-session/truncated",
       "auth.bad-session",
       kMust,
       {"auth"},
       "A forged, truncated or expired cookie is anonymous, never an error, never somebody.",
       [](Context& c) { expect_nobody(c, "truncated"); }},
      {"auth.bad-session/expired",
       "auth.bad-session",
       kMust,
       {"auth"},
       "A forged, truncated or expired cookie is anonymous, never an error, never somebody.",
       [](Context& c) { expect_nobody(c, "expired"); }},
      {"auth.login-required/private-room",
       "auth.login-required",
       kMust,
       {"auth"},
       "A route that requires login refuses the anonymous with 403.",
       [](Context& c) {
         if (auth(c).private_path.empty()) throw NotApplicable("the profile has no auth.private_path");
         const std::string path = auth(c).private_room_path(c.fresh_room());
         const RawResponse control = c.handshake(path, {}, with_session(c));
         if (control.status != 101)
           throw CouldNotTest("the route that requires login refuses a valid session too: HTTP " +
                              std::to_string(control.status));
         const RawResponse refusal = c.expect_refused(path);
         if (refusal.status != 403)
           throw Failed("the anonymous was refused otherwise", "HTTP 403",
                        refusal.status == 0 ? "no HTTP answer" : "HTTP " + std::to_string(refusal.status));
       }},
  };
}

std::vector<Case> origin_cases() {
  return {
      {"origin.refused/matching-other-and-none",
       "origin.refused",
       kMust,
       {"origin"},
       "With allowed origins configured, an Origin that matches none, or no Origin, is refused with 403; a "
       "matching one is accepted.",
       [](Context& c) {
         const target::Profile::Origin& origin = *c.profile().origin;
         const std::string path = c.profile().room_path(c.fresh_room());
         for (const std::string& value : origin.accepted)
           if (const int status = c.handshake(path, {}, from_origin(value)).status; status != 101)
             throw Failed("an allowed origin was refused: " + value, "101", "HTTP " + std::to_string(status));
         std::vector<std::string> others = origin.refused;
         if (origin.missing_refused) others.emplace_back();
         for (const std::string& value : others) {
           const int status = c.expect_refused(path, {}, from_origin(value)).status;
           if (status != 403)
             throw Failed((value.empty() ? "a handshake without Origin" : "the origin " + value) +
                              " was refused otherwise",
                          "HTTP 403", status == 0 ? "no HTTP answer" : "HTTP " + std::to_string(status));
         }
       }},
  };
}

}  // namespace roomcheck::conformance
