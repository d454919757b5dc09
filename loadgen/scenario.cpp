#include "loadgen/scenario.h"

#include <regex>

#include "libs/base/units.h"
#include "libs/websocket/url.h"

namespace roomcheck::loadgen {
namespace {

void require(bool good, const std::string& sentence) {
  if (!good) throw BadInput(sentence);
}

}  // namespace

void validate(const Scenario& s, const target::Profile& profile) {
  const websocket::Url url = websocket::parse_url(s.target);
  require(url.scheme == "ws" || url.scheme == "wss",
          "--target " + s.target + ": a room server is ws:// or wss://");
  require(url.target == "/", "--target " + s.target +
                                 ": give host and port only; the path of a room comes from the profile " +
                                 "(--set room.path=/chat/{room}/)");
  require(s.clients > 0, "--clients 0: at least one client is needed");
  require(s.rooms > 0, "--rooms 0: at least one room is needed");
  require(s.clients >= s.rooms, "--clients " + std::to_string(s.clients) + " do not fill --rooms " +
                                    std::to_string(s.rooms) +
                                    ": each room needs a member; ask for fewer rooms");
  require(s.senders > 0 && s.senders <= 64,
          "--senders " + std::to_string(s.senders) + ": from 1 to 64 senders a room");
  require(s.rate > 0 && s.rate <= 1e6,
          "--rate: from above 0 to 1000000 messages a second (all rooms together)");
  require(s.connect_rate > 0 && s.connect_rate <= 1e6,
          "--connect-rate: from above 0 to 1000000 connections a second");
  require(s.payload >= ProbeFormat::kSize && s.payload <= (1u << 20),
          "--payload " + std::to_string(s.payload) + ": the probe that makes a message traceable takes " +
              std::to_string(ProbeFormat::kSize) + " octets; give 64 to 1MiB");
  require(s.duration.count() > 0, "--duration 0: nothing would be measured");
  require(s.duration <= std::chrono::hours(24 * 7), "--duration: at most a week (168h)");
  require(s.warmup <= std::chrono::hours(1), "--warmup: at most 1h");
  require(s.drain <= std::chrono::hours(1), "--drain: at most 1h");
  require(s.timeout.count() > 0 && s.timeout <= std::chrono::hours(1), "--timeout: from above 0 to 1h");
  require(s.threads > 0 && s.threads <= s.rooms,
          "--threads " + std::to_string(s.threads) + ": from 1 to the number of rooms (" +
              std::to_string(s.rooms) + "): the members of one room live on one thread");
  const std::string longest = room_name(0xffffffff, s.rooms - 1);
  require(longest.size() <= profile.room.name_max &&
              std::regex_match(longest, std::regex(profile.room.name_pattern)),
          "profile " + profile.name + ": room.name_pattern does not allow the rooms of a load run, such as " +
              longest + "; correct it if the target does (--set room.name_pattern=...)");
}

nlohmann::ordered_json to_json(const Scenario& s) {
  return {{"workload", "fan-out"},
          {"clients", s.clients},
          {"rooms", s.rooms},
          {"senders_per_room", s.senders},
          {"rate_per_second", s.rate},
          {"arrival", "constant"},
          {"payload_bytes", s.payload},
          {"connect_rate_per_second", s.connect_rate},
          {"warmup_ns", s.warmup.count()},
          {"duration_ns", s.duration.count()},
          {"drain_ns", s.drain.count()},
          {"timeout_ns", s.timeout.count()},
          {"threads", s.threads}};
}

std::uint32_t run_id(std::uint64_t seed, Nanoseconds now) {
  std::uint64_t x = seed * 0x9e3779b97f4a7c15 + static_cast<std::uint64_t>(now.count());
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return static_cast<std::uint32_t>(x >> 32);
}

std::string room_name(std::uint32_t run, std::uint32_t room) {
  std::string hex(8, '0');
  for (int i = 7; i >= 0; --i, run >>= 4) hex[static_cast<std::size_t>(i)] = "0123456789abcdef"[run & 15];
  return "load_" + hex + "_" + std::to_string(room);
}

std::vector<RoomPlan> rooms_of(const Scenario& s, std::uint32_t run, std::uint32_t thread) {
  std::vector<RoomPlan> out;
  for (std::uint32_t room = thread; room < s.rooms; room += s.threads)
    out.push_back({room, room_name(run, room), s.clients / s.rooms + (room < s.clients % s.rooms ? 1 : 0)});
  return out;
}

websocket::ConnectOptions connect_options(const Scenario& s, const target::Profile& profile,
                                          const std::string& room) {
  websocket::ConnectOptions out;
  out.url = websocket::parse_url(s.target);
  out.url.target = profile.room_path(room);
  out.headers = profile.headers;
  out.headers.insert(out.headers.end(), s.headers.begin(), s.headers.end());
  out.cookies = s.cookies.empty() ? profile.cookies : s.cookies;
  out.timeout = s.timeout;
  return out;
}

}  // namespace roomcheck::loadgen
