#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace roomcheck::loadgen {

// How long the texts are: one size, a range, or several with weights. The size of a message is a pure
// function of its room and sequence, so whoever receives it knows what to expect.
//
//   100            64..2KiB           100*9,4KiB*1  (nine of ten are short)
//
// Thread: any; immutable.
class PayloadSizes {
 public:
  PayloadSizes(std::uint64_t size) : PayloadSizes(std::vector<Part>{{size, size, 1}}, std::to_string(size)) {}
  // Throws BadInput with the accepted forms; sizes below the probe's or above 1 MiB are refused.
  static PayloadSizes parse(std::string_view text);

  std::size_t of(std::uint32_t room, std::uint32_t sequence) const;
  std::size_t largest() const { return largest_; }
  const std::string& text() const { return text_; }  // as given

 private:
  struct Part {
    std::uint64_t from, to, weight;
  };
  PayloadSizes(std::vector<Part> parts, std::string text);

  std::vector<Part> parts_;
  std::uint64_t weights_ = 0;
  std::size_t largest_ = 0;
  std::string text_;
};

}  // namespace roomcheck::loadgen
