#include "loadgen/payload.h"

#include <algorithm>
#include <charconv>

#include "libs/base/result.h"
#include "libs/base/units.h"
#include "loadgen/hash.h"
#include "loadgen/probe.h"

namespace roomcheck::loadgen {
namespace {

constexpr std::uint64_t kLargest = 1u << 20;

std::uint64_t parse_one(std::string_view text) {
  const std::uint64_t size = parse_size(text);
  if (size < ProbeFormat::kSize || size > kLargest)
    throw BadInput("payload " + std::string(text) + ": the probe that makes a message traceable takes " +
                   std::to_string(ProbeFormat::kSize) + " octets; give 64 to 1MiB");
  return size;
}

}  // namespace

PayloadSizes::PayloadSizes(std::vector<Part> parts, std::string text)
    : parts_(std::move(parts)), text_(std::move(text)) {
  for (const Part& part : parts_) {
    weights_ += part.weight;
    largest_ = std::max<std::size_t>(largest_, part.to);
  }
}

PayloadSizes PayloadSizes::parse(std::string_view text) {
  std::vector<Part> parts;
  for (std::string_view rest = text; parts.empty() || !rest.empty();) {
    std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    Part part{0, 0, 1};
    if (const std::size_t star = item.find('*'); star != item.npos) {
      const std::string_view weight = item.substr(star + 1);
      const auto [end, code] = std::from_chars(weight.data(), weight.data() + weight.size(), part.weight);
      if (code != std::errc() || end != weight.data() + weight.size() || part.weight == 0 ||
          part.weight > 1'000'000)
        throw BadInput("payload \"" + std::string(text) +
                       "\": a weight is a whole number from 1 on, such as 100*9,4KiB*1");
      item = item.substr(0, star);
    }
    const std::size_t dots = item.find("..");
    part.from = parse_one(item.substr(0, dots));
    part.to = dots == item.npos ? part.from : parse_one(item.substr(dots + 2));
    if (part.to < part.from)
      throw BadInput("payload \"" + std::string(text) + "\": a range goes upwards, such as 64..2KiB");
    parts.push_back(part);
  }
  return {std::move(parts), std::string(text)};
}

std::size_t PayloadSizes::of(std::uint32_t room, std::uint32_t sequence) const {
  if (parts_.size() == 1 && parts_[0].from == parts_[0].to) return parts_[0].from;
  const std::uint64_t chance = hash(std::uint64_t{room} << 32 | sequence, 0);
  std::uint64_t ticket = chance % weights_;
  auto part = parts_.begin();
  for (; ticket >= part->weight; ++part) ticket -= part->weight;
  return part->from + hash(chance, 1) % (part->to - part->from + 1);
}

}  // namespace roomcheck::loadgen
