#include "loadgen/addresses.h"

#include <cctype>

namespace roomcheck::loadgen {
namespace {

constexpr std::string_view kRoom = "{room}";
using Kind = Outside::Call::Kind;

// "chat_load_5eed_17" with {room} for the room's name; "" when it is that of another room (load_5eed_170).
std::string pattern_of(std::string group, const std::string& room) {
  const std::size_t at = group.find(room);
  if (at == group.npos) return "";
  const std::size_t end = at + room.size();
  if (end < group.size() && std::isdigit(static_cast<unsigned char>(group[end])) != 0) return "";
  return group.replace(at, room.size(), kRoom);
}

}  // namespace

Addresses::Addresses(Parts parts) : parts_(std::move(parts)), group_(parts_.profile.group) {
  if (to_channels()) channels_.resize(parts_.ledger.room_count());
}

bool Addresses::wants_to_join() const { return to_channels() && !parts_.outside.lists_members(); }

std::string Addresses::group(std::uint32_t room) const {
  std::string out = group_;
  const std::size_t at = out.find(kRoom);
  return at == out.npos ? out : out.replace(at, kRoom.size(), parts_.ledger.plan(room).name);
}

void Addresses::find(Done done) {
  done_ = std::move(done);
  deadline_ = steady_clock().now() + parts_.limit;
  // Who asks the bus what a join brings need not know the group.
  if (group_ == "discover" && !wants_to_join()) return find_group();
  find_channel(0);
}

void Addresses::find_group() {
  const std::string& room = parts_.ledger.plan(parts_.ledger.room_count() - 1).name;
  parts_.outside.submit({Kind::groups, room, "", nullptr}, [this, &room](const Outside::Answer& answer) {
    if (!answer.members.ok())
      return done_("the control cannot tell how the target names its groups: " +
                   answer.members.error().message + "; --set group=... does ({room} stands for the room)");
    std::vector<std::string> patterns;
    for (const std::string& group : *answer.members)
      if (std::string pattern = pattern_of(group, room); !pattern.empty())
        patterns.push_back(std::move(pattern));
    // A subscription may come after the handshake's answer.
    if (patterns.empty() && steady_clock().now() < deadline_) return find_group();
    if (patterns.size() != 1)
      return done_(
          std::to_string(patterns.size()) + " groups hold the name of room " + room +
          ", so how the target names its groups cannot be told; --set group=... does ({room} stands for "
          "the room)");
    group_ = patterns.front();
    find_channel(0);
  });
}

void Addresses::find_channel(std::uint32_t room) {
  if (!to_channels() || room == channels_.size()) {
    // Not before find() has returned.
    parts_.outside.submit({Kind::nothing, "", "", nullptr}, [this](const Outside::Answer&) { done_(""); });
    return;
  }
  Outside::Call call{Kind::members, group(room), "", nullptr};
  if (wants_to_join()) call = {Kind::channel_of, group(room), "", [this, room] { parts_.join(room); }};
  parts_.outside.submit(std::move(call), [this, room](const Outside::Answer& answer) {
    const std::string& name = parts_.ledger.plan(room).name;
    if (!answer.members.ok()) return done_("the control: " + answer.members.error().message);
    if (answer.members->size() > 1)
      return done_("room " + name + " has one client of ours and " + std::to_string(answer.members->size()) +
                   " channel names: is the field \"group\" of the profile right?");
    take(room, answer);
    find_channel(room + 1);
  });
}

// Who did not get in cannot be addressed: its messages count as dropped.
void Addresses::take(std::uint32_t room, const Outside::Answer& answer) {
  if (answer.members.ok() && answer.members->size() == 1) channels_[room] = answer.members->front();
}

void Addresses::forget(std::uint32_t room) {
  if (to_channels()) channels_[room].clear();
}

void Addresses::ask_again(std::uint32_t room) {
  if (!to_channels() || wants_to_join()) return;
  parts_.outside.submit({Kind::members, group(room), "", nullptr},
                        [this, room](const Outside::Answer& answer) { take(room, answer); });
}

}  // namespace roomcheck::loadgen
