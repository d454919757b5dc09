#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace roomcheck::loadgen {

// How clients are spread over rooms: evenly, by Zipf's law (room k gets a share of 1/k^s: a few are full,
// most are nearly empty), or as listed.
//
//   uniform      zipf      zipf:1.2      1000,100*9,10*90  (one of 1,000, nine of 100, ninety of 10)
class RoomSizes {
 public:
  RoomSizes() = default;  // uniform
  // Throws BadInput with the accepted forms.
  static RoomSizes parse(std::string_view text);

  // Members of each room; every room has at least one. A list brings its own numbers and ignores these two.
  // REQUIRES: clients >= rooms >= 1 (but for a list).
  std::vector<std::uint32_t> of(std::uint32_t clients, std::uint32_t rooms) const;
  bool is_list() const { return !list_.empty(); }
  const std::string& text() const { return text_; }

 private:
  double exponent_ = 0;  // 0: uniform
  std::vector<std::uint32_t> list_;
  std::string text_ = "uniform";
};

}  // namespace roomcheck::loadgen
