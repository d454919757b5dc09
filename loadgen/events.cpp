#include "loadgen/events.h"

#include <algorithm>

#include "libs/base/units.h"

namespace roomcheck::loadgen {
namespace {

constexpr Nanoseconds kSecond = std::chrono::seconds(1);

}  // namespace

void Events::add(Nanoseconds at, std::string_view kind, std::string text) {
  if (events_.size() + 1 >= kMost) {
    ++left_out_;
    if (events_.size() == kMost) return;
  }
  events_.push_back({at.count(), std::string(kind), std::move(text)});
}

void Events::count(std::uint64_t second, std::string_view kind, std::uint64_t n) {
  const auto found = waves_.find(kind);
  if (n == 0) {
    if (found == waves_.end()) return;
    end(kind, found->second);
    waves_.erase(found);
    return;
  }
  Wave& wave = found == waves_.end() ? waves_[std::string(kind)] : found->second;
  if (wave.n == 0) wave.first = second;
  wave.last = second;
  wave.n += n;
}

void Events::end(std::string_view kind, const Wave& wave) {
  const std::string connections = format_count(wave.n) + (wave.n == 1 ? " connection" : " connections");
  std::string text = kind == "closes"      ? "the target closed " + connections
                     : kind == "reconnect" ? connections + " opened again"
                                           : connections;
  if (wave.last > wave.first) text += " within " + std::to_string(wave.last - wave.first + 1) + " s";
  add(kSecond * static_cast<std::int64_t>(wave.first), kind, std::move(text));
}

std::vector<reports::Event> Events::take() {
  for (const auto& [kind, wave] : waves_) end(kind, wave);
  waves_.clear();
  if (left_out_ > 1)
    events_.back() = {events_.back().at_ns, "more",
                      "from here on " + format_count(left_out_) + " more events, which are left out"};
  left_out_ = 0;
  std::vector<reports::Event> out = std::move(events_);
  events_.clear();
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.at_ns < b.at_ns; });
  return out;
}

}  // namespace roomcheck::loadgen
