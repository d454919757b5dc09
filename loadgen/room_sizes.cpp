#include "loadgen/room_sizes.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include "libs/base/result.h"

namespace roomcheck::loadgen {
namespace {

constexpr std::size_t kMostRooms = 1'000'000;

[[noreturn]] void refuse(std::string_view text) {
  throw BadInput("room sizes \"" + std::string(text) +
                 "\": expected uniform, zipf, zipf:EXPONENT (up to 5) or a list such as 1000,100*9,10*90");
}

template <class T>
T parse_whole(std::string_view number, std::string_view text) {
  T out{};
  const auto [end, code] = std::from_chars(number.data(), number.data() + number.size(), out);
  if (code != std::errc() || end != number.data() + number.size() || out <= 0) refuse(text);
  return out;
}

}  // namespace

RoomSizes RoomSizes::parse(std::string_view text) {
  RoomSizes out;
  out.text_ = text;
  if (text == "uniform") return out;
  if (text.substr(0, 4) == "zipf") {
    out.exponent_ = 1;
    if (text.size() > 4 && text[4] != ':') refuse(text);
    if (text.size() > 4) out.exponent_ = parse_whole<double>(text.substr(5), text);
    if (!(out.exponent_ <= 5)) refuse(text);
    return out;
  }
  for (std::string_view rest = text; out.list_.empty() || !rest.empty();) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    const std::size_t star = item.find('*');
    const auto size = parse_whole<std::uint32_t>(item.substr(0, star), text);
    const auto times = star == item.npos ? 1u : parse_whole<std::uint32_t>(item.substr(star + 1), text);
    if (out.list_.size() + times > kMostRooms) refuse(text);
    out.list_.insert(out.list_.end(), times, size);
  }
  return out;
}

std::vector<std::uint32_t> RoomSizes::of(std::uint32_t clients, std::uint32_t rooms) const {
  if (is_list()) return list_;
  // Each room gets one; the rest by largest remainder, so that the sum is exact.
  std::vector<double> weight(rooms);
  for (std::uint32_t k = 0; k < rooms; ++k) weight[k] = std::pow(k + 1, -exponent_);
  const double all = std::accumulate(weight.begin(), weight.end(), 0.0);
  const std::uint32_t rest = clients - rooms;
  std::vector<std::uint32_t> out(rooms, 1), order(rooms);
  std::uint32_t given = 0;
  for (std::uint32_t k = 0; k < rooms; ++k) {
    weight[k] *= rest / all;
    const auto whole = static_cast<std::uint32_t>(weight[k]);
    weight[k] -= whole;
    out[k] += whole;
    given += whole;
  }
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return weight[a] > weight[b]; });
  for (std::uint32_t i = 0; given < rest; ++given, ++i) ++out[order[i % rooms]];
  return out;
}

}  // namespace roomcheck::loadgen
