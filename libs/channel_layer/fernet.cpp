#include "libs/channel_layer/fernet.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <array>
#include <cassert>
#include <memory>

namespace roomcheck::channel_layer {
namespace {

constexpr std::size_t kHeader = 1 + 8, kIv = 16, kMac = 32, kBlock = 16;

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string sign(std::string_view key, std::string_view text) {
  std::array<unsigned char, kMac> mac{};
  unsigned size = 0;
  ::HMAC(EVP_sha256(), key.data(), 16, octets(text), text.size(), mac.data(), &size);
  return {reinterpret_cast<const char*>(mac.data()), mac.size()};
}

// AES-128-CBC with PKCS#7 padding, either way; empty when the padding is wrong.
std::string aes(std::string_view key, std::string_view iv, std::string_view text, bool encrypt) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&::EVP_CIPHER_CTX_free)> context(::EVP_CIPHER_CTX_new(),
                                                                                  &::EVP_CIPHER_CTX_free);
  std::string out(text.size() + kBlock, '\0');
  auto* const to = reinterpret_cast<unsigned char*>(out.data());
  int written = 0, last = 0;
  if (::EVP_CipherInit_ex(context.get(), EVP_aes_128_cbc(), nullptr, octets(key.substr(16)), octets(iv),
                          encrypt ? 1 : 0) != 1 ||
      ::EVP_CipherUpdate(context.get(), to, &written, octets(text), static_cast<int>(text.size())) != 1 ||
      ::EVP_CipherFinal_ex(context.get(), to + written, &last) != 1)
    return {};
  out.resize(static_cast<std::size_t>(written + last));
  return out;
}

std::string to_base64url(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), octets(bytes),
                                     static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out;
}

std::string from_base64url(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return {};
  std::string standard(text);
  for (char& c : standard) c = c == '-' ? '+' : c == '_' ? '/' : c;
  std::string out(text.size() / 4 * 3, '\0');
  const int size = ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), octets(standard),
                                     static_cast<int>(standard.size()));
  if (size < 0) return {};
  std::size_t padding = 0;
  while (padding < 2 && standard[standard.size() - 1 - padding] == '=') ++padding;
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

}  // namespace

Fernet::Fernet(const std::vector<std::string>& keys) {
  assert(!keys.empty());
  for (const std::string& key : keys) {
    std::string digest(SHA256_DIGEST_LENGTH, '\0');
    ::SHA256(octets(key), key.size(), reinterpret_cast<unsigned char*>(digest.data()));
    keys_.push_back(std::move(digest));
  }
}

std::string Fernet::encrypt(std::string_view text, std::chrono::system_clock::time_point now) const {
  const auto seconds = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
  std::string token(1, '\x80');
  for (int shift = 56; shift >= 0; shift -= 8) token += static_cast<char>((seconds >> shift) & 0xff);
  std::string iv(kIv, '\0');
  ::RAND_bytes(reinterpret_cast<unsigned char*>(iv.data()), static_cast<int>(iv.size()));
  token += iv;
  token += aes(keys_.front(), iv, text, true);
  token += sign(keys_.front(), token);
  return to_base64url(token);
}

Result<std::string> Fernet::decrypt(std::string_view token, std::chrono::system_clock::time_point now,
                                    std::chrono::seconds max_age) const {
  const Error refused{Error::Kind::bad_input, "not a Fernet token of any of our keys"};
  const std::string bytes = from_base64url(token);
  if (bytes.size() < kHeader + kIv + kBlock + kMac || bytes[0] != '\x80') return refused;
  const std::string_view signed_part = std::string_view(bytes).substr(0, bytes.size() - kMac);
  const std::string_view mac = std::string_view(bytes).substr(signed_part.size());
  for (const std::string& key : keys_) {
    if (::CRYPTO_memcmp(sign(key, signed_part).data(), mac.data(), kMac) != 0) continue;
    std::uint64_t seconds = 0;
    for (std::size_t i = 1; i < kHeader; ++i) seconds = seconds << 8 | static_cast<unsigned char>(bytes[i]);
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()) -
                     std::chrono::seconds(seconds);
    if (max_age.count() > 0 && (age > max_age || age < -std::chrono::seconds(60)))
      return Error{Error::Kind::bad_input, "a Fernet token that is too old, or from the future"};
    return aes(key, signed_part.substr(kHeader, kIv), signed_part.substr(kHeader + kIv), false);
  }
  return refused;
}

}  // namespace roomcheck::channel_layer
