#include <cstdio>

#include "libs/websocket/raw_client.h"

namespace roomcheck::websocket {

namespace {
constexpr std::size_t kMostEntries = 2000;
constexpr std::size_t kKeptAtStart = 500;
}  // namespace

void Transcript::add(TranscriptEntry::Direction direction, std::string text) {
  if (entries_.size() >= kMostEntries) {
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(kKeptAtStart));
    ++left_out_;
  }
  entries_.push_back({steady_clock().now(), direction, std::move(text)});
}

}  // namespace roomcheck::websocket
