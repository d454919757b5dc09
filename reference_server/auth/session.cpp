#include "reference_server/auth/session.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <strings.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <limits>

#include "libs/base/result.h"
#include "libs/event/event.h"

namespace roomcheck::reference_server {
namespace {

constexpr std::string_view kSalt = "django.contrib.sessions.backends.signed_cookies";
constexpr std::size_t kMostCookie = 4096;  // what browsers keep
constexpr std::size_t kMostSession = 64 * 1024;
constexpr std::size_t kMostDepth = 16;
constexpr std::size_t kMostTimestamp = 8;  // 62^8 s are seven million years

std::string sha256(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

// Without padding, "-" and "_" for "+" and "/".
std::string base64url(const unsigned char* bytes, std::size_t size) {
  std::string out(4 * ((size + 2) / 3), '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes, static_cast<int>(size));
  out.erase(std::find(out.begin(), out.end(), '='), out.end());
  std::replace(out.begin(), out.end(), '+', '-');
  std::replace(out.begin(), out.end(), '/', '_');
  return out;
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string padded(text);
  std::replace(padded.begin(), padded.end(), '-', '+');
  std::replace(padded.begin(), padded.end(), '_', '/');
  const std::size_t padding = (4 - padded.size() % 4) % 4;
  padded.append(padding, '=');
  std::string out(padded.size() / 4 * 3, '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(padded.data()), static_cast<int>(padded.size()));
  if (size < 0 || padding == 3) return std::nullopt;
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

std::optional<std::string> inflated(std::string_view bytes, SessionStats& stats) {
  std::string out(kMostSession, '\0');
  uLongf size = out.size();
  const int done =
      ::uncompress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()),
                   static_cast<uLong>(bytes.size()));
  if (done != Z_OK) {
    ++(done == Z_BUF_ERROR ? stats.too_large : stats.bad);
    return std::nullopt;
  }
  out.resize(size);
  return out;
}

std::optional<std::int64_t> from_base62(std::string_view text) {
  if (text.empty() || text.size() > kMostTimestamp) return std::nullopt;
  std::int64_t out = 0;
  for (const char c : text) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'A' && c <= 'Z' ? c - 'A' + 10
                      : c >= 'a' && c <= 'z' ? c - 'a' + 36
                                             : -1;
    if (digit < 0) return std::nullopt;
    out = out * 62 + digit;
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

std::optional<std::string> find_cookie(const websocket::Headers& headers, std::string_view name) {
  const auto header = std::find_if(headers.begin(), headers.end(), [](const auto& h) {
    return ::strcasecmp(h.first.c_str(), "cookie") == 0;
  });
  if (header == headers.end()) return std::nullopt;
  std::optional<std::string> out;
  std::string_view rest = header->second;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(';'), rest.size());
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::size_t equals = part.find('=');
    if (equals == part.npos || trimmed(part.substr(0, equals)) != name) continue;
    std::string_view value = trimmed(part.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    out = std::string(value);
  }
  return out;
}

SessionVerifier::SessionVerifier(const std::vector<std::string>& keys, std::chrono::seconds max_age,
                                 std::string cookie_name)
    : max_age_(max_age), cookie_name_(std::move(cookie_name)) {
  for (const std::string& key : keys) derived_keys_.push_back(sha256(std::string(kSalt) + "signer" + key));
}

std::vector<std::string> SessionVerifier::read_keys(const std::string& file) {
  std::ifstream in(file);
  if (!in) throw BadInput("--session-secret " + file + ": the file cannot be read");
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) out.push_back(line);
  }
  if (out.empty())
    throw BadInput("--session-secret " + file +
                   ": no key in it; expected Django's SECRET_KEY on the first line, and on more "
                   "lines its SECRET_KEY_FALLBACKS");
  return out;
}

// Every key is tried, and the texts are compared in constant time: what a forger measures does not depend on
// his guess.
bool SessionVerifier::is_signed(std::string_view value, std::string_view signature) const {
  bool good = false;
  for (const std::string& key : derived_keys_) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(value.data()), value.size(), digest.data(), &size);
    const std::string wanted = base64url(digest.data(), size);
    const bool same = signature.size() == wanted.size() &&
                      CRYPTO_memcmp(signature.data(), wanted.data(), wanted.size()) == 0;
    good = good || same;
  }
  return good;
}

std::optional<std::string> SessionVerifier::user_of(const websocket::Headers& headers,
                                                    std::chrono::system_clock::time_point now,
                                                    SessionStats& stats) const {
  const auto nobody = [](std::uint64_t& count) {
    ++count;
    return std::nullopt;
  };
  const std::optional<std::string> cookie = find_cookie(headers, cookie_name_);
  if (!cookie) return std::nullopt;
  if (cookie->size() > kMostCookie) return nobody(stats.too_large);
  const std::size_t second = cookie->rfind(':');
  if (second == std::string::npos) return nobody(stats.bad);
  const std::string_view value = std::string_view(*cookie).substr(0, second);
  if (!is_signed(value, std::string_view(*cookie).substr(second + 1))) return nobody(stats.bad);

  const std::size_t first = value.rfind(':');
  const auto signed_at = first == value.npos ? std::nullopt : from_base62(value.substr(first + 1));
  if (!signed_at) return nobody(stats.bad);
  const auto now_s = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  if (now_s - *signed_at > max_age_.count()) return nobody(stats.expired);

  const bool packed = value.front() == '.';
  std::optional<std::string> json = from_base64url(value.substr(packed ? 1 : 0, first - (packed ? 1 : 0)));
  if (!json) return nobody(stats.bad);
  if (packed) json = inflated(*json, stats);
  if (!json) return std::nullopt;
  const Result<event::Event> session = event::parse_json(*json, kMostDepth);
  if (!session.ok() || !session->is_object()) return nobody(stats.bad);
  if (!session->contains("_auth_user_backend")) return std::nullopt;
  const auto id = session->find("_auth_user_id");
  if (id == session->end()) return std::nullopt;
  if (id->is_number_integer()) return id->dump();
  if (id->is_string() && !id->get_ref<const std::string&>().empty()) return id->get<std::string>();
  return std::nullopt;
}

}  // namespace roomcheck::reference_server
