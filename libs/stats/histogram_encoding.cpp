// HdrHistogram's V2 encoding, inside and out:
//
//   base64( 0x1c849314  length of what follows  zlib( 0x1c849313  length of counts  0  digits  lowest highest
//   1.0  counts ) )
//
// Numbers are big-endian, lowest, highest and the ratio 1.0 (a double) have 64 bits, the others 32. Counts
// are ZigZag LEB128 words of at most 9 octets; a negative word -n stands for n empty buckets.
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>

#include "libs/stats/histogram.h"
#include "libs/stats/layout.h"

namespace roomcheck::stats {
namespace {

constexpr std::uint32_t kCookie = 0x1c849313;            // 0x1c849303 | 0x10: words of up to 9 octets
constexpr std::uint32_t kCompressedCookie = 0x1c849314;  // likewise
constexpr std::size_t kHeader = 40;
constexpr std::size_t kMostOctets = kHeader + 9 * layout::kLength;
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

template <class Int>
void put(std::string& out, Int value) {
  for (int shift = static_cast<int>(sizeof(Int)) * 8 - 8; shift >= 0; shift -= 8)
    out += static_cast<char>((value >> shift) & 0xff);
}

template <class Int>
Int get(std::string_view in, std::size_t at) {
  Int value = 0;
  for (std::size_t i = 0; i < sizeof(Int); ++i)
    value = static_cast<Int>(value << 8) | static_cast<Int>(static_cast<unsigned char>(in[at + i]));
  return value;
}

void put_word(std::string& out, std::int64_t value) {
  std::uint64_t rest = (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
  for (int octets = 1; octets < 9 && rest >= 0x80; ++octets, rest >>= 7)
    out += static_cast<char>(rest | 0x80);
  out += static_cast<char>(rest);
}

std::optional<std::int64_t> get_word(std::string_view in, std::size_t& at) {
  std::uint64_t raw = 0;
  for (int i = 0; i < 9; ++i) {
    if (at == in.size()) return std::nullopt;
    const auto octet = static_cast<unsigned char>(in[at++]);
    if (i == 8) {  // the ninth has eight bits of value and nothing after it
      raw |= static_cast<std::uint64_t>(octet) << 56;
      break;
    }
    raw |= static_cast<std::uint64_t>(octet & 0x7f) << (7 * i);
    if (octet < 0x80) break;
  }
  return static_cast<std::int64_t>(raw >> 1) ^ -static_cast<std::int64_t>(raw & 1);
}

std::string to_base64(std::string_view in) {
  std::string out;
  out.reserve((in.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < in.size(); i += 3) {
    const std::size_t have = std::min<std::size_t>(3, in.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (k < have ? static_cast<unsigned char>(in[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) out += k <= have ? kAlphabet[bits >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view in) {
  while (!in.empty() && in.back() == '=') in.remove_suffix(1);
  std::string out;
  std::uint32_t bits = 0;
  int have = 0;
  for (const char c : in) {
    const std::size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    have += 6;
    if (have < 8) continue;
    have -= 8;
    out += static_cast<char>(bits >> have & 0xff);
  }
  return out;
}

Error bad(const std::string& why) { return {Error::Kind::bad_input, "not an HDR histogram of ours: " + why}; }

}  // namespace

std::string Histogram::encode() const {
  std::string plain;
  put<std::uint32_t>(plain, kCookie);
  put<std::uint32_t>(plain, 0);  // the length of the counts, filled in below
  put<std::uint32_t>(plain, 0);  // normalizing index offset, unused
  put<std::uint32_t>(plain, layout::kDigits);
  put<std::uint64_t>(plain, layout::kLowest);
  put<std::uint64_t>(plain, layout::kHighest);
  put<std::uint64_t>(plain, 0x3ff0000000000000);  // integer-to-double ratio 1.0
  const std::size_t limit = count_ == 0 ? 1 : layout::index_of(max_) + 1;
  for (std::size_t i = 0; i < limit;) {
    std::size_t zeros = i;
    while (zeros < limit && (count_ == 0 || counts_[zeros] == 0)) ++zeros;
    if (zeros - i > 1) {
      put_word(plain, -static_cast<std::int64_t>(zeros - i));
      i = zeros;
    } else {
      put_word(plain, count_ == 0 ? 0 : static_cast<std::int64_t>(counts_[i]));
      ++i;
    }
  }
  std::string length;
  put<std::uint32_t>(length, static_cast<std::uint32_t>(plain.size() - kHeader));
  plain.replace(4, 4, length);

  uLongf size = compressBound(static_cast<uLong>(plain.size()));
  std::string packed(size, '\0');
  compress2(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(plain.data()),
            static_cast<uLong>(plain.size()), Z_DEFAULT_COMPRESSION);  // cannot fail: the bound was asked for
  packed.resize(size);
  std::string out;
  put<std::uint32_t>(out, kCompressedCookie);
  put<std::uint32_t>(out, static_cast<std::uint32_t>(packed.size()));
  return to_base64(out + packed);
}

Result<Histogram> Histogram::decode(std::string_view base64) {
  const std::optional<std::string> packed = from_base64(base64);
  if (!packed) return bad("it is not base64");
  if (packed->size() < 8 || (get<std::uint32_t>(*packed, 0) & ~0xf0u) != (kCompressedCookie & ~0xf0u))
    return bad("the cookie of the compressed V2 encoding is missing");
  if (get<std::uint32_t>(*packed, 4) != packed->size() - 8) return bad("it is truncated");
  std::string plain(kMostOctets, '\0');
  uLongf size = static_cast<uLongf>(plain.size());
  if (uncompress(reinterpret_cast<Bytef*>(plain.data()), &size,
                 reinterpret_cast<const Bytef*>(packed->data() + 8),
                 static_cast<uLong>(packed->size() - 8)) != Z_OK)
    return bad("zlib cannot inflate it");
  plain.resize(size);
  if (plain.size() < kHeader || (get<std::uint32_t>(plain, 0) & ~0xf0u) != (kCookie & ~0xf0u))
    return bad("the cookie of the V2 encoding is missing");
  if (get<std::uint32_t>(plain, 4) != plain.size() - kHeader) return bad("the counts are truncated");
  if (get<std::uint32_t>(plain, 12) != layout::kDigits || get<std::uint64_t>(plain, 16) != layout::kLowest ||
      get<std::uint64_t>(plain, 24) != layout::kHighest)
    return bad("it has other bounds (ours: 3 digits, 1000 to 3600000000000)");

  Histogram out;
  std::size_t index = 0;
  for (std::size_t at = kHeader; at < plain.size();) {
    const std::optional<std::int64_t> word = get_word(plain, at);
    if (!word) return bad("a count is truncated");
    // Compared before the sum: a run of 2^62 empty buckets must not wrap around.
    const std::uint64_t skip = *word < 0 ? static_cast<std::uint64_t>(-(*word + 1)) + 1 : 1;
    if (skip > layout::kLength - index) return bad("it has more buckets than its bounds allow");
    if (*word > 0) {
      const layout::Range range = layout::range_of(index);
      const std::int64_t highest = std::min(range.highest, layout::kHighest);
      out.record_n(Nanoseconds(range.lowest + (highest - range.lowest) / 2),
                   static_cast<std::uint64_t>(*word));
      if (out.count_ == static_cast<std::uint64_t>(*word)) out.min_ = range.lowest;
      out.max_ = highest;
    }
    index += skip;
  }
  return out;
}

}  // namespace roomcheck::stats
