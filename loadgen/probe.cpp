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

ProbeFormat::ProbeFormat(std::uint32_t run, std::uint16_t origin, PayloadSizes sizes, std::uint32_t origins)
    : origin_(origin), origins_(origins), sizes_(std::move(sizes)) {
  std::memcpy(head_.data(), kMark.data(), kMark.size());
  put_hex(head_.data() + 4, run, 8);
  put_hex(head_.data() + 12, origin, 4);
  assert(sizes_.largest() >= kSize);
  for (std::size_t i = 0; filler_.size() < sizes_.largest() - kSize; ++i)
    filler_ += static_cast<char>('a' + i % 26);
}

void ProbeFormat::append(const Probe& probe, std::string& to) const {
  const std::size_t begin = to.size();
  to.resize(begin + kSize);
  char* at = &to[begin];
  std::memcpy(at, head_.data(), head_.size());
  put_hex(at + 16, probe.room, 8);
  put_hex(at + 24, probe.sender, 8);
  put_hex(at + 32, probe.sequence, 8);
  put_hex(at + 40, static_cast<std::uint64_t>(probe.intended_ns), 16);
  put_hex(at + 56, check_of(at), 8);
  to.append(filler_, 0, sizes_.of(probe.room, probe.sequence) - kSize);
}

std::string ProbeFormat::text(const Probe& probe) const {
  std::string out;
  append(probe, out);
  return out;
}

ProbeFormat::Found ProbeFormat::find(std::string_view frame, Probe& probe) const {
  const void* mark = ::memmem(frame.data(), frame.size(), kMark.data(), kMark.size());
  if (mark == nullptr) return Found::nothing;
  const char* at = static_cast<const char*>(mark);
  const auto left = static_cast<std::size_t>(frame.data() + frame.size() - at);
  if (left < kSize) return Found::damaged;
  std::array<char, 8> check{};
  put_hex(check.data(), check_of(at), 8);
  if (std::memcmp(check.data(), at + 56, 8) != 0) return Found::damaged;
  probe.origin = origin_;
  if (std::memcmp(head_.data(), at, head_.size()) != 0) {
    if (std::memcmp(head_.data(), at, 12) != 0) return Found::stranger;
    probe.origin = hex8(at + 8) & 0xffff;  // the last four digits of the eight
    if (probe.origin >= origins_) return Found::stranger;
  }
  probe.room = hex8(at + 16);
  probe.sender = hex8(at + 24);
  probe.sequence = hex8(at + 32);
  probe.intended_ns = static_cast<std::int64_t>(std::uint64_t{hex8(at + 40)} << 32 | hex8(at + 48));
  const std::size_t filler = sizes_.of(probe.room, probe.sequence) - kSize;
  if (left < kSize + filler || std::memcmp(filler_.data(), at + kSize, filler) != 0) return Found::damaged;
  return Found::ours;
}

}  // namespace roomcheck::loadgen
