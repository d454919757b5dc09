#include "loadgen/bottleneck.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "libs/base/units.h"

namespace roomcheck::loadgen {
namespace {

// What is on its way at any moment is no backlog: below this much of the load nobody is behind ...
constexpr double kBehindSeconds = 0.2;
// ... and below this much only where it grew, by its latency's median from the first second to the last.
constexpr double kFarBehindSeconds = 1;
constexpr double kGrowth = 1.5;

bool grew(const reports::LoadResult& r) {
  const reports::Second* first = nullptr;
  const reports::Second* last = nullptr;
  for (const reports::Second& second : r.series)
    if (second.phase == "run" && second.p50_ns > 0) {
      if (first == nullptr) first = &second;
      last = &second;
    }
  return first != last && static_cast<double>(last->p50_ns) > kGrowth * static_cast<double>(first->p50_ns);
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
  std::array<char, 32> out{};
  std::snprintf(out.data(), out.size(), "%.3g %%",
                100 * static_cast<double>(part) / static_cast<double>(whole));
  return out.data();
}

}  // namespace

std::string bottleneck(const reports::LoadResult& r) {
  const reports::Delivery& d = r.delivery;
  if (!r.failed_because.empty() || d.expected == 0 || r.duration_ns == 0) return "";
  const double seconds = static_cast<double>(r.duration_ns) / 1e9;
  const auto per_second = [seconds](std::uint64_t n) {
    return format_count(static_cast<std::uint64_t>(static_cast<double>(n) / seconds + 0.5));
  };
  const bool maybe_late =
      std::any_of(r.events.begin(), r.events.end(), [](const auto& e) { return e.kind == "drain"; });
  std::string lost;
  if (d.lost > 0)
    lost = (maybe_late ? "it had not delivered " : "it lost ") + format_count(d.lost) + " of " +
           format_count(d.expected) + " deliveries (" + percent(d.lost, d.expected) + ")" +
           (maybe_late ? " when the drain ended" : "");
  if (!r.valid)
    return "this generator, or its machine, so nothing is known about the target" +
           (lost.empty() ? "" : "; but " + lost + ", which holds for any run");
  const double behind = static_cast<double>(r.sends.due_at_end) / static_cast<double>(d.expected) * seconds;
  std::string out;
  if (behind > kFarBehindSeconds || (behind > kBehindSeconds && grew(r)))
    out = "it made " + per_second(d.expected - std::min(d.expected, r.sends.due_at_end)) + " of the " +
          per_second(d.expected) + " deliveries/s that were due, and was " +
          format_duration(Nanoseconds(static_cast<std::int64_t>(behind * 1e9))) +
          " behind when the last message had been sent";
  if (!lost.empty()) out += (out.empty() ? "" : "; ") + lost;
  if (!out.empty()) return "the target: " + out;
  return "nobody: the target kept up with " + per_second(d.expected) +
         " deliveries/s, and so did this generator";
}

}  // namespace roomcheck::loadgen
