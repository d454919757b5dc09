#include "loadgen/scenario.h"

#include <algorithm>
#include <numeric>
#include <sstream>

#include "libs/base/regex.h"
#include "libs/base/units.h"
#include "libs/websocket/url.h"
#include "loadgen/hash.h"

namespace roomcheck::loadgen {
namespace {

constexpr std::chrono::nanoseconds kLongest = std::chrono::hours(24 * 7);
constexpr const char* kTooLong = "--duration: at most a week (168h)";

void require(bool good, const std::string& sentence) {
  if (!good) throw BadInput(sentence);
}

void validate(const WorkloadPlan& plan) {
  require(plan.clients > 0, "--clients 0: at least one client is needed");
  require(plan.rooms > 0, "--rooms 0: at least one room is needed");
  if (!plan.workload->alone() && !plan.room_sizes.is_list())
    require(plan.clients >= plan.rooms, "--clients " + std::to_string(plan.clients) +
                                            " do not fill --rooms " + std::to_string(plan.rooms) +
                                            ": each room needs a member; ask for fewer rooms");
  require(plan.senders > 0 && plan.senders <= 64,
          "--senders " + std::to_string(plan.senders) + ": from 1 to 64 senders a room");
  require(plan.rate > 0 && plan.rate <= 1e6,
          "--rate: from above 0 to 1000000 messages a second (all rooms together)");
  require(plan.burst > 0 && plan.burst <= 100'000, "--burst: from 1 to 100000 messages");
  require(plan.slow_readers < 1, "--slow-readers: someone must read; give less than 100%");
  require(plan.slow_read_rate > 0, "--slow-read-rate 0: they would never read; give 1 or more");
  require(plan.stay >= std::chrono::milliseconds(10), "--stay: at least 10ms");
}

void validate_target(const std::string& target) {
  const websocket::Url url = websocket::parse_url(target);
  require(url.scheme == "ws" || url.scheme == "wss",
          "--target " + target + ": a room server is ws:// or wss://");
  require(url.target == "/", "--target " + target +
                                 ": give host and port only; the path of a room comes from the profile " +
                                 "(--set room.path=/chat/{room}/)");
}

}  // namespace

std::string to_line(const Stage& stage) {
  std::ostringstream out;
  out << stage.name << ": load " << stage.load;
  if (stage.load_to != stage.load) out << " to " << stage.load_to;
  return out.str();
}

std::chrono::nanoseconds Reconnect::wait(unsigned failures, double chance) const {
  std::chrono::nanoseconds out = first;
  for (unsigned i = 0; i < failures && out < most; ++i) out *= 2;
  out = std::min(out, most);
  return out +
         std::chrono::nanoseconds(static_cast<std::int64_t>(chance / 2 * static_cast<double>(out.count())));
}

std::chrono::nanoseconds Scenario::duration() const {
  return std::accumulate(stages.begin(), stages.end(), std::chrono::nanoseconds(0),
                         [](auto sum, const Stage& stage) { return sum + stage.duration; });
}

std::uint64_t Scenario::clients() const {
  std::uint64_t out = 0;
  for (const WorkloadPlan& plan : workloads) {
    if (!plan.room_sizes.is_list() || plan.workload->alone())
      out += plan.clients;
    else
      for (const std::uint32_t size : room_sizes(plan)) out += size;
  }
  return out;
}

std::uint64_t Scenario::clients_here() const {
  std::uint64_t out = 0;
  for (const WorkloadPlan& plan : workloads) {
    const std::vector<std::uint32_t> sizes = room_sizes(plan);
    for (std::size_t room = 0; room < sizes.size(); ++room) out += shard.places_of(sizes[room], room);
  }
  return out;
}

std::chrono::nanoseconds Scenario::connect_gap(std::uint64_t clients) const {
  const double gap = 1e9 * threads * shard.count / connect_rate;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(gap * static_cast<double>(clients)));
}

std::uint64_t Scenario::rooms() const {
  return std::accumulate(workloads.begin(), workloads.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const WorkloadPlan& plan) { return sum + room_count(plan); });
}

std::uint64_t room_count(const WorkloadPlan& plan) {
  if (plan.workload->alone()) return plan.clients;
  return plan.room_sizes.is_list() ? room_sizes(plan).size() : plan.rooms;
}

std::vector<std::uint32_t> room_sizes(const WorkloadPlan& plan) {
  if (plan.workload->alone()) return std::vector<std::uint32_t>(plan.clients, 1);
  return plan.room_sizes.of(plan.clients, plan.rooms);
}

void validate(const Scenario& s, const target::Profile& profile) {
  require(!s.targets.empty(), "--target: at least one is needed");
  for (const std::string& target : s.targets) {
    validate_target(target);
    require(!s.kernel_timestamps || !websocket::parse_url(target).secure(),
            "--kernel-timestamps: TLS hides from us when the octets of a message came to " + target +
                "; use ws://, or leave the option out");
  }
  require(!s.workloads.empty() && s.workloads.size() <= 100, "a scenario has from 1 to 100 workloads");
  for (const WorkloadPlan& plan : s.workloads) {
    validate(plan);
    plan.workload->require(profile);
    require(plan.workload->origin() == Workload::Origin::member || !s.control.empty(),
            "workload " + std::string(plan.workload->name()) +
                " sends from outside: give the way in (--control http://HOST:PORT)");
  }
  require(s.connect_rate > 0 && s.connect_rate <= 1e6,
          "--connect-rate: from above 0 to 1000000 connections a second");
  require(!s.stages.empty() && s.stages.size() <= 100, "a scenario has from 1 to 100 stages");
  for (const Stage& stage : s.stages) {
    require(stage.duration.count() > 0, "--duration 0: nothing would be measured");
    require(stage.duration <= kLongest, kTooLong);  // each, before they are added up
    require(stage.load >= 0 && stage.load_to >= 0 && stage.load <= 1000 && stage.load_to <= 1000,
            "stage " + stage.name + ": load is from 0 to 1000 times the workloads' rates");
  }
  require(s.duration() <= kLongest, kTooLong);
  require(s.warmup <= std::chrono::hours(1), "--warmup: at most 1h");
  require(s.drain <= std::chrono::hours(1), "--drain: at most 1h");
  require(s.timeout.count() > 0 && s.timeout <= std::chrono::hours(1), "--timeout: from above 0 to 1h");
  const std::uint64_t rooms = s.rooms();
  require(rooms <= 10'000'000, "at most 10,000,000 rooms in a run");
  require(s.threads > 0 && s.threads <= rooms,
          "--threads " + std::to_string(s.threads) + ": from 1 to the number of rooms (" +
              std::to_string(rooms) + "): the members of one room live on one thread");
  require(s.clients_here() > 0, "--shard " + std::to_string(s.shard.index) + "/" +
                                    std::to_string(s.shard.count) +
                                    ": no client falls to this shard; ask for more clients or fewer shards");
  const std::string longest = room_name(0xffffffff, static_cast<std::uint32_t>(rooms - 1));
  require(longest.size() <= profile.room.name_max && Regex(profile.room.name_pattern).matches(longest),
          "profile " + profile.name + ": room.name_pattern does not allow the rooms of a load run, such as " +
              longest + "; correct it if the target does (--set room.name_pattern=...)");
}

std::uint32_t run_id(std::uint64_t seed, Nanoseconds now) {
  return static_cast<std::uint32_t>(hash(seed, static_cast<std::uint64_t>(now.count())) >> 32);
}

std::string room_name(std::uint32_t run, std::uint32_t room) {
  std::string hex(8, '0');
  for (int i = 7; i >= 0; --i, run >>= 4) hex[static_cast<std::size_t>(i)] = "0123456789abcdef"[run & 15];
  return "load_" + hex + "_" + std::to_string(room);
}

std::vector<RoomPlan> rooms_of(const Scenario& s, std::size_t index, std::uint32_t run,
                               std::uint32_t thread) {
  std::uint32_t first = 0;
  std::uint64_t client = 0;
  for (std::size_t i = 0; i < index; ++i)
    for (const std::uint32_t size : room_sizes(s.workloads[i])) {
      ++first;
      client += size;
    }
  const std::vector<std::uint32_t> sizes = room_sizes(s.workloads[index]);
  std::vector<RoomPlan> out;
  for (std::uint32_t room = 0; room < sizes.size(); client += sizes[room++]) {
    const std::uint32_t here = s.shard.places_of(sizes[room], room);
    // Where nobody of ours is we may still send from outside.
    if (room % s.threads != thread || (here == 0 && s.workloads[index].workload->alone())) continue;
    out.push_back({first + room, room_name(run, first + room), here, room, client, s.shard.first_place(room),
                   s.shard.count, sizes[room] - here});
  }
  return out;
}

Schedule schedule_of(const Scenario& s, std::size_t index) {
  const WorkloadPlan& plan = s.workloads[index];
  const double first = plan.rate * s.stages.front().load;
  std::vector<LoadCurve::Stage> curve{{s.warmup, first, first}};
  for (const Stage& stage : s.stages)
    curve.push_back({stage.duration, plan.rate * stage.load, plan.rate * stage.load_to});
  auto arrivals = plan.arrival == WorkloadPlan::Arrival::constant  ? make_constant()
                  : plan.arrival == WorkloadPlan::Arrival::poisson ? make_poisson(hash(s.seed, index))
                                                                   : make_burst(plan.burst);
  return {std::move(arrivals), LoadCurve(curve)};
}

websocket::ConnectOptions connect_options(const Scenario& s, const target::Profile& profile,
                                          const Workload& workload, const std::string& room,
                                          std::uint64_t index, std::uint64_t client) {
  websocket::ConnectOptions out;
  out.url = websocket::parse_url(s.targets[index % s.targets.size()]);
  out.url.target = workload.path(profile, room);
  out.headers = profile.headers;
  out.headers.insert(out.headers.end(), s.headers.begin(), s.headers.end());
  if (!s.headers_by_client.empty())
    out.headers.push_back(s.headers_by_client[client % s.headers_by_client.size()]);
  out.cookies = s.cookies.empty() ? profile.cookies : s.cookies;
  if (!s.cookies_by_client.empty()) {
    if (!out.cookies.empty()) out.cookies += "; ";
    out.cookies += s.cookies_by_client[client % s.cookies_by_client.size()];
  }
  out.subprotocols = s.subprotocols;
  if (!s.source_addresses.empty())
    out.source_address = s.source_addresses[client % s.source_addresses.size()];
  out.compress = s.compress;
  out.kernel_timestamps = s.kernel_timestamps;
  out.timeout = s.timeout;
  return out;
}

}  // namespace roomcheck::loadgen
