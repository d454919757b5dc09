// What a case's connections sent and heard, side by side.
#include <algorithm>
#include <cstdio>

#include "conformance/context.h"

namespace roomcheck::conformance {

std::vector<std::string> Context::transcript(std::size_t most) const {
  struct Line {
    Nanoseconds at;
    std::string text;
  };
  std::vector<Line> lines;
  const auto add = [&](const std::string& who, const websocket::Transcript& transcript) {
    for (const websocket::TranscriptEntry& entry : transcript.entries()) {
      using Direction = websocket::TranscriptEntry::Direction;
      const char* arrow = entry.direction == Direction::sent       ? " > "
                          : entry.direction == Direction::received ? " < "
                                                                   : " . ";
      lines.push_back({entry.at, who + arrow + entry.text});
    }
    if (transcript.left_out() > 0)
      lines.push_back(
          {Nanoseconds::max(), who + " . " + std::to_string(transcript.left_out()) + " lines left out"});
  };
  for (const MemberPtr& member : members_)
    if (member->client)
      add(member->name + (member->room.empty() ? "" : "@" + member->room), member->client->transcript());
  int number = 0;
  for (const auto& client : others_) add("c" + std::to_string(++number), client->transcript());
  std::stable_sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) { return a.at < b.at; });

  std::vector<std::string> out;
  for (std::size_t i = lines.size() > most ? lines.size() - most : 0; i < lines.size(); ++i) {
    char time[32];
    std::snprintf(time, sizeof time, "%+10.1f ms  ",
                  static_cast<double>((lines[i].at - started_).count()) / 1e6);
    out.push_back((lines[i].at == Nanoseconds::max() ? std::string(15, ' ') : std::string(time)) +
                  lines[i].text);
  }
  if (lines.size() > most)
    out.insert(out.begin(), "(" + std::to_string(lines.size() - most) + " earlier lines left out)");
  return out;
}

}  // namespace roomcheck::conformance
