#include "conformance/selftest/django_session.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

namespace roomcheck::conformance {
namespace {

std::string base64url(const std::string& bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3), '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                  reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  while (!out.empty() && out.back() == '=') out.pop_back();
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out;
}

std::string base62(std::int64_t n) {
  constexpr const char* kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string out;
  do {
    out.insert(out.begin(), kDigits[n % 62]);
    n /= 62;
  } while (n > 0);
  return out;
}

std::string sha256(const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

std::string hmac_sha256(const std::string& key, const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

}  // namespace

std::string django_session(const std::string& secret_key, const std::string& user_id,
                           std::int64_t unix_seconds) {
  const std::string session = R"({"_auth_user_id":")" + user_id +
                              R"(","_auth_user_backend":"django.contrib.auth.backends.ModelBackend"})";
  const std::string value = base64url(session) + ":" + base62(unix_seconds);
  const std::string key = sha256("django.contrib.sessions.backends.signed_cookiessigner" + secret_key);
  return "sessionid=" + value + ":" + base64url(hmac_sha256(key, value));
}

}  // namespace roomcheck::conformance
