#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace roomcheck::loadgen {

// Which part of a run on several machines this process is: `index` of `count`, 0 of 1 for the whole.
//
// Place p of room r belongs to shard (p + r) % count. So every room has members on every shard, as far as it
// has members at all, and every shard knows who speaks when: turn t of a room is that of place t % senders,
// and of the shard which has it.
struct Shard {
  std::uint32_t index = 0;
  std::uint32_t count = 1;

  bool whole() const { return count == 1; }
  bool has(std::uint64_t place, std::uint64_t room) const { return (place + room) % count == index; }
  // The first place of the room that is ours; the next ones follow at a distance of `count`.
  std::uint32_t first_place(std::uint64_t room) const {
    return static_cast<std::uint32_t>((index + count - room % count) % count);
  }
  // How many of the first `places` of the room are ours.
  std::uint32_t places_of(std::uint32_t places, std::uint64_t room) const {
    const std::uint32_t first = first_place(room);
    return places <= first ? 0 : (places - first + count - 1) / count;
  }
};

constexpr std::uint32_t kMostShards = 4096;

// Reads a variable of the environment; "" when it is not set.
using Environment = std::function<std::string(const char*)>;
std::string environment(const char* name);

// "I/N" (I from 0 on), "rank" (both from the launcher), or "rank/N" (for launchers that tell only which one
// it is): Open MPI, MPICH and Intel MPI, Slurm, a Kubernetes indexed Job, GNU parallel. Throws BadInput.
Shard parse_shard(std::string_view text, const Environment& environment);

}  // namespace roomcheck::loadgen
