#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/websocket/http.h"

namespace roomcheck::reference_server {

// The cookies that were nobody's session, by what was wrong with them. A session without a login is none of
// these.
struct SessionStats {
  std::uint64_t too_large = 0;  // longer than 4 KiB, or it unpacks to more than 64 KiB
  std::uint64_t expired = 0;    // signed, and too old
  std::uint64_t bad = 0;        // not signed by this site, or not a session in what is signed
};

// Whose session a Django cookie is, for sites with SESSION_ENGINE =
// "django.contrib.sessions.backends.signed_cookies": the cookie itself is the session, signed with the site's
// SECRET_KEY. It proves that this site issued it for that user and that it is not older than the site allows;
// that the password has not been changed since would take the site's database.
//
//   cookie = payload ":" timestamp ":" signature
//   payload = base64url(json), or "." base64url(zlib(json));  timestamp = unix seconds in base 62;
//   signature = base64url(HMAC-SHA256(key = SHA256("django.contrib.sessions.backends.signed_cookies" "signer"
//   SECRET_KEY),
//                                     payload ":" timestamp))
//
// What is not whole, not signed (SHA-1, which Django 3 still takes, is not) or too old is nobody's, never an
// error. A cookie costs one HMAC of at most 4 KiB for each key, whatever is wrong with it; only what was
// signed is unpacked, to 64 KiB at most.
//
// Thread: any; immutable.
class SessionVerifier {
 public:
  // REQUIRES: at least one key, not empty. The first is the site's SECRET_KEY, the others its
  // SECRET_KEY_FALLBACKS.
  SessionVerifier(const std::vector<std::string>& keys, std::chrono::seconds max_age,
                  std::string cookie_name = "sessionid");
  // The keys from a file, one a line. Throws BadInput naming the file.
  static std::vector<std::string> read_keys(const std::string& file);

  // The user's id as the session holds it; nullopt is Channels' AnonymousUser, counted in `stats` when a
  // cookie claimed to be more.
  std::optional<std::string> user_of(const websocket::Headers& headers,
                                     std::chrono::system_clock::time_point now, SessionStats& stats) const;

 private:
  bool is_signed(std::string_view value, std::string_view signature) const;

  std::vector<std::string> derived_keys_;
  const std::chrono::seconds max_age_;
  const std::string cookie_name_;
};

// The cookie as Channels' CookieMiddleware finds it: of the first Cookie header, the last cookie of that
// name.
std::optional<std::string> find_cookie(const websocket::Headers& headers, std::string_view name);

}  // namespace roomcheck::reference_server
