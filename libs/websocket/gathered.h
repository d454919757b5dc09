#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace roomcheck::websocket {

// Small frames, one behind the other in one buffer, that leave in one write.
//
// Members of a room are sent the same frames one after the other: what was gathered for one member stays
// after clear(), and gathering it again for the next compares addresses and copies nothing.
//
// Capacity: 16 KiB. Ownership: shares in the frames that the buffer holds, so that an address is not used
// again.
class Gathered {
 public:
  using Frame = std::shared_ptr<const std::string>;

  // False when it does not fit.
  bool append(const Frame& frame) {
    const std::size_t size = size_ + frame->size();
    if (size > kCapacity) return false;
    if (count_ == frames_.size() || frames_[count_] != frame) {
      frames_.resize(count_);
      frames_.push_back(frame);
      bytes_.resize(size_);
      bytes_.append(*frame);
    }
    ++count_;
    size_ = size;
    return true;
  }
  void clear() { count_ = size_ = 0; }
  bool empty() const { return size_ == 0; }
  std::string_view bytes() const { return {bytes_.data(), size_}; }

 private:
  static constexpr std::size_t kCapacity = 16 * 1024;
  std::vector<Frame> frames_;  // what bytes_ consists of
  std::string bytes_;
  std::size_t count_ = 0;  // gathered, of frames_
  std::size_t size_ = 0;   // gathered, of bytes_
};

}  // namespace roomcheck::websocket
