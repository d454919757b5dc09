#include "loadgen/scale_out/shard.h"

#include <charconv>
#include <cstdlib>
#include <optional>

#include "libs/base/result.h"

namespace roomcheck::loadgen {
namespace {

// What a launcher calls the rank, and how many there are (nullptr: it does not say). The first whose rank is
// set counts: mpirun inside of a Slurm job sets both, and MPI's is the one that differs from process to
// process.
struct Launcher {
  const char* name;
  const char* rank;
  const char* size;
  std::uint32_t first = 0;  // rank of the first process
};
constexpr Launcher kLaunchers[] = {
    {"Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
    {"MPICH", "PMI_RANK", "PMI_SIZE"},
    {"Slurm", "SLURM_PROCID", "SLURM_NTASKS"},
    {"Kubernetes", "JOB_COMPLETION_INDEX", nullptr},
    {"GNU parallel", "PARALLEL_SEQ", nullptr, 1},
};

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

std::uint32_t number_of(const Launcher& launcher, const char* variable, const Environment& environment) {
  const std::string text = environment(variable);
  if (const auto out = number(text)) return *out;
  throw BadInput(std::string("--shard rank: ") + launcher.name + "'s " + variable + "=" + text +
                 " is no whole number; write --shard I/N");
}

}  // namespace

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

Shard parse_shard(std::string_view text, const Environment& environment) {
  const auto refuse = [&](const std::string& why) -> BadInput {
    return BadInput("--shard " + std::string(text) + ": " + why);
  };
  const std::size_t slash = text.find('/');
  const std::string_view which = text.substr(0, slash);
  Shard out;
  std::optional<std::uint32_t> count;
  if (slash != text.npos) {
    count = number(text.substr(slash + 1));
    if (!count || *count == 0 || *count > kMostShards)
      throw refuse("behind the slash stands how many shards there are, from 1 to " +
                   std::to_string(kMostShards));
  }
  if (which == "rank") {
    const Launcher* found = nullptr;
    for (const Launcher& launcher : kLaunchers)
      if (found == nullptr && !environment(launcher.rank).empty()) found = &launcher;
    if (found == nullptr)
      throw refuse(
          "no launcher has set a rank (OMPI_COMM_WORLD_RANK, PMI_RANK, SLURM_PROCID, JOB_COMPLETION_INDEX, "
          "PARALLEL_SEQ); write --shard I/N");
    const std::uint32_t rank = number_of(*found, found->rank, environment);
    if (rank < found->first)
      throw refuse(std::string(found->name) + " counts from " + std::to_string(found->first));
    out.index = rank - found->first;
    if (!count) {
      if (found->size == nullptr || environment(found->size).empty())
        throw refuse(std::string(found->name) + " does not say how many there are; write --shard rank/N");
      count = number_of(*found, found->size, environment);
    }
  } else {
    const auto index = number(which);
    if (!index || !count) throw refuse("expected I/N with I from 0 to N-1, rank/N, or rank");
    out.index = *index;
  }
  out.count = *count;
  if (out.index >= out.count)
    throw refuse("shard " + std::to_string(out.index) + " of " + std::to_string(out.count) +
                 ": the first is 0, the last " + std::to_string(out.count - 1));
  return out;
}

}  // namespace roomcheck::loadgen
