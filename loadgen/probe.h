#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "loadgen/payload.h"

namespace roomcheck::loadgen {

// What a message of ours says about itself.
struct Probe {
  std::uint32_t room = 0;
  std::uint32_t sender = 0;      // the sender's number in its room
  std::uint32_t sequence = 0;    // of the room, without gaps
  std::int64_t intended_ns = 0;  // steady clock of the process that sends
  std::uint32_t origin = 0;      // found: the shard that sent it
};

// Writes probes into the texts of one run and finds them again, wherever the target put the text in its
// answer.
//
//   (without the blanks)
//   ~rc~ RRRRRRRR OOOO  rrrrrrrr ssssssss qqqqqqqq iiiiiiiiiiiiiiii cccccccc  filler
//   mark run      origin room    sender   sequence intended         check     to the text's size
//
// All of it is ASCII that JSON never escapes, so the octets on the wire are the octets of the text, and
// finding them takes a scan for the mark instead of a JSON parser. The check is over run to intended; the
// filler is compared whole.
//
// Thread: any; immutable.
class ProbeFormat {
 public:
  static constexpr std::size_t kSize = 64;

  // `origin`: this process, of `origins` (shards) whose messages are ours. REQUIRES: no size is below kSize.
  ProbeFormat(std::uint32_t run, std::uint16_t origin, PayloadSizes sizes, std::uint32_t origins = 1);

  std::string text(const Probe& probe) const;              // probe and filler
  void append(const Probe& probe, std::string& to) const;  // the same, behind what is there

  enum class Found {
    ours,
    nothing,  // no mark
    damaged,  // a mark, but what follows is not what we wrote
    stranger  // whole, of another run or process
  };
  Found find(std::string_view frame, Probe& probe) const;

 private:
  std::array<char, 16> head_{};  // mark, run, origin
  std::uint32_t origin_;
  std::uint32_t origins_;
  PayloadSizes sizes_;
  std::string filler_;  // of the largest text
};

}  // namespace roomcheck::loadgen
