#include "loadgen/probe.h"

#include <cassert>
#include <cstring>

namespace roomcheck::loadgen {
namespace {

constexpr std::string_view kMark = "~rc~";

void put_hex(char* to, std::uint64_t value, int digits) {
  for (int i = digits - 1; i >= 0; --i, value >>= 4) to[i] = "0123456789abcdef"[value & 15];
}

std::uint64_t load(const char* from) {
  std::uint64_t out;
  std::memcpy(&out, from, sizeof out);
  return out;
}

// Eight hexadecimal digits at once. Other octets give some number: the check is over the octets and finds
// them.
std::uint32_t hex8(const char* from) {
  std::uint64_t x = load(from);
  x = (x & 0x0f0f0f0f0f0f0f0f) + 9 * ((x >> 6) & 0x0101010101010101);
  x = ((x << 4) | (x >> 8)) & 0x00ff00ff00ff00ff;
  x = ((x << 8) | (x >> 16)) & 0x0000ffff0000ffff;
  return static_cast<std::uint32_t>((x << 16) | (x >> 32));
}

// Of the head after the mark (read overlapping it) and the five words of fields.
std::uint32_t check_of(const char* probe) {
  std::uint64_t hash = 0;
  for (int at = 0; at < 56; at += 8) {
    hash = (hash ^ load(probe + at)) * 0x9e3779b97f4a7c15;
    hash ^= hash >> 32;
  }
  return static_cast<std::uint32_t>(hash);
}

}  // namespace

ProbeFormat::ProbeFormat(std::uint32_t run, std::uint16_t origin, std::size_t text_size) {
  assert(text_size >= kSize);
  std::memcpy(head_.data(), kMark.data(), kMark.size());
  put_hex(head_.data() + 4, run, 8);
  put_hex(head_.data() + 12, origin, 4);
  for (std::size_t i = 0; filler_.size() < text_size - kSize; ++i) filler_ += static_cast<char>('a' + i % 26);
}

void ProbeFormat::write(const Probe& probe, char* to) const {
  std::memcpy(to, head_.data(), head_.size());
  put_hex(to + 16, probe.room, 8);
  put_hex(to + 24, probe.sender, 8);
  put_hex(to + 32, probe.sequence, 8);
  put_hex(to + 40, static_cast<std::uint64_t>(probe.intended_ns), 16);
  put_hex(to + 56, check_of(to), 8);
}

std::string ProbeFormat::text(const Probe& probe) const {
  std::string out(kSize, '\0');
  write(probe, out.data());
  return out + filler_;
}

ProbeFormat::Found ProbeFormat::find(std::string_view frame, Probe& probe) const {
  const void* mark = ::memmem(frame.data(), frame.size(), kMark.data(), kMark.size());
  if (mark == nullptr) return Found::nothing;
  const char* at = static_cast<const char*>(mark);
  if (static_cast<std::size_t>(frame.data() + frame.size() - at) < kSize + filler_.size())
    return Found::damaged;
  std::array<char, 8> check{};
  put_hex(check.data(), check_of(at), 8);
  if (std::memcmp(check.data(), at + 56, 8) != 0) return Found::damaged;
  if (std::memcmp(head_.data(), at, head_.size()) != 0) return Found::stranger;
  if (std::memcmp(filler_.data(), at + kSize, filler_.size()) != 0) return Found::damaged;
  probe.room = hex8(at + 16);
  probe.sender = hex8(at + 24);
  probe.sequence = hex8(at + 32);
  probe.intended_ns = static_cast<std::int64_t>(std::uint64_t{hex8(at + 40)} << 32 | hex8(at + 48));
  return Found::ours;
}

}  // namespace roomcheck::loadgen
