// A Cookie header; and what a site with the right key could have signed.
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <string>

#include "fuzz/fuzz.h"
#include "reference_server/auth/session.h"

using namespace roomcheck;

namespace {

const std::string kSalt = "django.contrib.sessions.backends.signed_cookies";

std::string signature(const std::string& value) {
  unsigned char key[EVP_MAX_MD_SIZE], mac[EVP_MAX_MD_SIZE], text[128];
  unsigned size = 0;
  const std::string seed = kSalt + "signerkey";
  EVP_Digest(seed.data(), seed.size(), key, &size, EVP_sha256(), nullptr);
  HMAC(EVP_sha256(), key, 32, reinterpret_cast<const unsigned char*>(value.data()), value.size(), mac, &size);
  std::string out(reinterpret_cast<char*>(text), static_cast<std::size_t>(EVP_EncodeBlock(text, mac, 32)));
  std::replace(out.begin(), out.end(), '+', '-');
  std::replace(out.begin(), out.end(), '/', '_');
  return out.substr(0, 43);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const reference_server::SessionVerifier verifier({"key"}, std::chrono::hours(1));
  const auto now = std::chrono::system_clock::time_point(std::chrono::seconds(1'800'000'000));
  const std::string input(fuzz::text(data, size));
  static reference_server::SessionStats stats;
  fuzz::promise(!verifier.user_of({{"Cookie", input}}, now, stats), "nobody without the key has a session");
  const std::string value = input + ":1xp1FI";  // 1,800,000,000 in base 62
  (void)verifier.user_of({{"Cookie", "sessionid=" + value + ":" + signature(value)}}, now, stats);
  return 0;
}
