#include "reports/merge/merge.h"

#include <algorithm>
#include <array>
#include <set>

#include "libs/base/result.h"
#include "reports/model/thresholds.h"

namespace roomcheck::reports {
namespace {

constexpr std::size_t kOffendersKept = 100;
constexpr std::uint64_t kMostShards = 100'000;

std::string name(const LoadResult::Shard& shard) {
  return "shard " + std::to_string(shard.index) + "/" + std::to_string(shard.count);
}

std::string version_of(const LoadResult& r) {
  const auto found = r.versions.find("roomcheck");
  return found == r.versions.end() ? "" : found->second;
}

// Without what each machine may have of its own: the way to the target, and threads.
nlohmann::ordered_json common(nlohmann::ordered_json scenario) {
  if (scenario.is_object()) {
    scenario.erase("targets");
    scenario.erase("threads");
  }
  return scenario;
}

void require_one_run(const std::vector<Shard>& shards) {
  const Shard& first = shards.front();
  if (first.result.shard.count > kMostShards)
    throw BadInput(first.source + ": /shard/count is above " + std::to_string(kMostShards) +
                   ": the file is damaged");
  std::vector<const Shard*> by_index(first.result.shard.count, nullptr);
  for (const Shard& s : shards) {
    const LoadResult &r = s.result, &a = first.result;
    if (r.shard.count < 2)
      throw BadInput(s.source + ": a whole run, not a shard of one (loadgen --shard I/N): nothing to merge");
    const auto differs = [&](const std::string& what) {
      throw BadInput(s.source + ": of another run than " + first.source + ": its " + what + " differs");
    };
    if (r.shard.count != a.shard.count) differs("number of shards");
    if (r.seed != a.seed) differs("seed");
    if (common(r.scenario) != common(a.scenario)) differs("scenario");
    if (r.shard.run != a.shard.run) differs("number (/shard/run)");
    if (r.workloads.size() != a.workloads.size() || r.stages.size() != a.stages.size())
      differs("number of workloads or stages");
    if (r.profile != a.profile) differs("profile");
    if (version_of(r) != version_of(a)) differs("version of roomcheck");
    if (r.shard.index >= r.shard.count)
      throw BadInput(s.source + ": /shard/index is not below /shard/count: the file is damaged");
    const Shard*& place = by_index[r.shard.index];
    if (place != nullptr)
      throw BadInput(s.source + ": " + name(r.shard) + ", as " + place->source + ": give each shard once");
    place = &s;
  }
  const auto missing = std::find(by_index.begin(), by_index.end(), nullptr);
  if (missing != by_index.end())
    throw BadInput("shard " + std::to_string(missing - by_index.begin()) + "/" +
                   std::to_string(by_index.size()) + " is missing: a run is merged from all of its shards");
}

void add(Delivery& to, const Delivery& from) {
  to.expected += from.expected;
  to.delivered += from.delivered;
  to.lost += from.lost;
  to.duplicated += from.duplicated;
  to.reordered += from.reordered;
  to.foreign += from.foreign;
  to.corrupt += from.corrupt;
  to.late += from.late;
  to.in_flight_members += from.in_flight_members;
  for (const Delivery::Offender& o : from.offenders)
    if (to.offenders.size() < kOffendersKept) to.offenders.push_back(o);
}

void add(LoadResult::Connections& to, const LoadResult::Connections& from) {
  to.attempted += from.attempted;
  to.opened += from.opened;
  to.failed += from.failed;
  to.closed_by_target += from.closed_by_target;
  to.compressed += from.compressed;
  to.left += from.left;
  to.reconnected += from.reconnected;
  to.slow_readers += from.slow_readers;
  to.slow_delivered += from.slow_delivered;
  for (const auto& [kind, count] : from.by_error) to.by_error[kind] += count;
}

void add(LoadResult::Sends& to, const LoadResult::Sends& from) {
  to.intended += from.intended;
  to.sent += from.sent;
  to.late += from.late;
  to.dropped += from.dropped;
  to.refused += from.refused;
  to.lag_p99_ns = std::max(to.lag_p99_ns, from.lag_p99_ns);
  to.due_at_end += from.due_at_end;
}

void add(LoadResult::Generator& to, const LoadResult::Generator& from) {
  to.cpu_ns += from.cpu_ns;
  to.busiest_thread = std::max(to.busiest_thread, from.busiest_thread);
  to.threads.insert(to.threads.end(), from.threads.begin(), from.threads.end());
  to.queue_samples += from.queue_samples;
  to.queue_samples_unread += from.queue_samples_unread;
  to.queue_unread_max_bytes = std::max(to.queue_unread_max_bytes, from.queue_unread_max_bytes);
  to.queue_unsent_max_bytes = std::max(to.queue_unsent_max_bytes, from.queue_unsent_max_bytes);
  to.loop_lag.merge(from.loop_lag);
  if (from.client_lag) {
    if (!to.client_lag) to.client_lag = ClientLag{};
    to.client_lag->lag.merge(from.client_lag->lag);
    to.client_lag->inexact += from.client_lag->inexact;
  }
  to.refused_samples += from.refused_samples;
  to.rss_bytes += from.rss_bytes;
  to.rss_growth_bytes += from.rss_growth_bytes;
}

// "a" and "b" of two machines are "a; b"; the same is said once.
void add(std::map<std::string, std::string>& to, const std::map<std::string, std::string>& from) {
  for (const auto& [key, value] : from) {
    std::string& text = to[key];
    if (("; " + text + "; ").find("; " + value + "; ") == std::string::npos)
      text += (text.empty() ? "" : "; ") + value;
  }
}

// The earlier of two phases: a second belongs to it as long as one shard is in it.
std::string earlier_phase(const std::string& a, const std::string& b) {
  for (const char* phase : {"connect", "warm-up", "run", "drain", "close"})
    if (a == phase || b == phase) return phase;
  return a;
}

stats::Histogram decoded(const Shard& shard, const Second& second) {
  Result<stats::Histogram> out = stats::Histogram::decode(second.histogram);
  if (!out.ok())
    throw BadInput(shard.source + ": the histogram of second " +
                   std::to_string(second.at_ns / 1'000'000'000) +
                   " of /series cannot be decoded: " + out.error().message);
  out->restore_exact(out->min(), Nanoseconds(second.max_ns), out->mean());
  return std::move(out).value();
}

std::vector<Second> merged_series(const std::vector<Shard>& shards) {
  std::map<std::int64_t, std::pair<Second, stats::Histogram>> seconds;
  for (const Shard& shard : shards)
    for (const Second& s : shard.result.series) {
      const auto [place, is_new] = seconds.try_emplace(s.at_ns);
      auto& [sum, histogram] = place->second;
      sum.at_ns = s.at_ns;
      sum.phase = is_new ? s.phase : earlier_phase(sum.phase, s.phase);
      sum.members += s.members;
      sum.sent += s.sent;
      sum.delivered += s.delivered;
      sum.rss_bytes += s.rss_bytes;
      sum.target_rss_bytes = std::max(sum.target_rss_bytes, s.target_rss_bytes);
      if (!s.histogram.empty()) histogram.merge(decoded(shard, s));
    }
  std::vector<Second> out;
  for (auto& [at, pair] : seconds) {
    auto& [sum, histogram] = pair;
    if (histogram.count() > 0) {
      sum.p50_ns = histogram.quantile(.5).count();
      sum.p99_ns = histogram.quantile(.99).count();
      sum.max_ns = histogram.max().count();
      sum.histogram = histogram.encode();
    }
    out.push_back(std::move(sum));
  }
  return out;
}

// Percentiles cannot be added: 0, unless only one of the two has timed anything. `to` is still without
// `from`.
template <class T>
void add_percentiles(T& to, const T& from) {
  to.max_ns = std::max(to.max_ns, from.max_ns);
  if (from.delivered == 0) return;
  to.p50_ns = to.delivered == 0 ? from.p50_ns : 0;
  to.p99_ns = to.delivered == 0 ? from.p99_ns : 0;
}

std::vector<RoomResult> merged_rooms(const std::vector<Shard>& shards) {
  std::vector<RoomResult> out;
  std::map<std::string, std::size_t> places;
  for (const Shard& shard : shards)
    for (const RoomResult& room : shard.result.rooms) {
      const auto [place, is_new] = places.try_emplace(room.room, out.size());
      if (is_new) {
        out.push_back(room);
        continue;
      }
      RoomResult& sum = out[place->second];
      add_percentiles(sum, room);
      sum.members += room.members;
      sum.expected += room.expected;
      sum.delivered += room.delivered;
      sum.lost += room.lost;
    }
  return out;
}

void add(std::vector<StageResult>& to, const std::vector<StageResult>& from) {
  if (to.empty()) to = std::vector<StageResult>(from.size());
  for (std::size_t i = 0; i < to.size(); ++i) {
    add_percentiles(to[i], from[i]);
    to[i].name = from[i].name;
    to[i].sent += from[i].sent;
    to[i].delivered += from[i].delivered;
  }
}

void add(std::vector<WorkloadResult>& to, const std::vector<WorkloadResult>& from) {
  if (to.empty()) to = std::vector<WorkloadResult>(from.size());
  for (std::size_t i = 0; i < to.size(); ++i) {
    to[i].name = from[i].name;
    to[i].workload = from[i].workload;
    to[i].intended += from[i].intended;
    to[i].sent += from[i].sent;
    add(to[i].delivery, from[i].delivery);
  }
}

std::vector<SizeClassResult> merged_sizes(const std::vector<Shard>& shards) {
  std::map<std::uint64_t, SizeClassResult> classes;
  for (const Shard& shard : shards)
    for (const SizeClassResult& c : shard.result.room_sizes) {
      SizeClassResult& sum = classes[c.members];
      if (sum.delivered == 0) {
        const std::uint64_t rooms = sum.rooms;
        sum = c;
        sum.rooms += rooms;
        continue;
      }
      sum.rooms += c.rooms;
      if (c.delivered == 0) continue;
      sum.delivered += c.delivered;
      sum.p50_ns = sum.p99_ns = sum.first_p50_ns = sum.last_p50_ns = sum.last_p99_ns = 0;
    }
  std::vector<SizeClassResult> out;
  for (const auto& [members, c] : classes) out.push_back(c);
  return out;
}

// Adds to expected, delivered and lost what members got of messages that another shard has sent.
void add_streams(LoadResult& out, const std::vector<Shard>& shards) {
  std::map<std::pair<std::string, std::uint64_t>, const StreamSent*> sent;
  for (const Shard& shard : shards)
    for (const StreamSent& s : shard.result.streams_sent) sent[{s.room, shard.result.shard.index}] = &s;
  std::map<std::string, RoomResult*> rooms;
  for (RoomResult& room : out.rooms) rooms[room.room] = &room;
  std::uint64_t refused = 0;
  for (const Shard& shard : shards)
    for (std::size_t i = 0; i < shard.result.streams_received.size(); ++i) {
      const StreamReceived& r = shard.result.streams_received[i];
      const auto damaged = [&](const std::string& why) {
        return BadInput(shard.source + ": /streams_received/" + std::to_string(i) + ": " + why +
                        ": the file is damaged, or of another run");
      };
      const auto room = rooms.find(r.room);
      if (room == rooms.end()) throw damaged("no shard has a room " + r.room);
      if (r.workload >= out.workloads.size()) throw damaged("there is no such workload");
      const auto found = sent.find({r.room, r.origin});
      const StreamSent stream = found == sent.end() ? StreamSent() : *found->second;
      if (stream.refused > 0 && r.begins + r.ends > 0) refused += stream.refused;
      const auto wide = [](std::uint64_t number) { return static_cast<std::int64_t>(number); };
      std::int64_t expected = wide(r.to_end) * (wide(stream.end) - wide(stream.refused)) + wide(r.ends) -
                              wide(r.from_start) * wide(stream.first) - wide(r.begins) - wide(r.apart);
      if (expected < wide(r.delivered)) {
        // What the control has refused, or not answered in time, may have been delivered all the same.
        if (stream.refused == 0)
          throw damaged("more was delivered than shard " + std::to_string(r.origin) + " has sent");
        expected = wide(r.delivered);
      }
      const auto owed = static_cast<std::uint64_t>(expected);
      const auto add = [&](auto& to) {
        to.expected += owed;
        to.delivered += r.delivered;
        to.lost += owed - r.delivered;
      };
      add(out.delivery);
      add(out.workloads[r.workload].delivery);
      add(*room->second);
    }
  if (refused > 0) {
    out.valid = false;
    out.invalid_because.push_back("the control refused " + std::to_string(refused) +
                                  " messages to rooms whose members came and went on other shards: whether "
                                  "they were owed cannot be told");
  }
}

}  // namespace

LoadResult merge(std::vector<Shard> shards) {
  require_one_run(shards);
  std::sort(shards.begin(), shards.end(),
            [](const Shard& a, const Shard& b) { return a.result.shard.index < b.result.shard.index; });
  LoadResult out;
  out.started = shards.front().result.started;
  out.target = shards.front().result.target;
  out.profile = shards.front().result.profile;
  out.scenario = shards.front().result.scenario;
  out.seed = shards.front().result.seed;
  for (const Shard& shard : shards) {
    const LoadResult& r = shard.result;
    out.started = std::min(out.started, r.started);
    out.command += (out.command.empty() ? "" : "\n") + r.command;
    add(out.versions, r.versions);
    add(out.environment, r.environment);
    out.duration_ns = std::max(out.duration_ns, r.duration_ns);
    out.valid = out.valid && r.valid;
    for (const std::string& why : r.invalid_because)
      out.invalid_because.push_back(name(r.shard) + ": " + why);
    for (const std::string& why : r.failed_because) out.failed_because.push_back(name(r.shard) + ": " + why);
    add(out.delivery, r.delivery);
    for (const auto& [what, latency] : r.latency) {
      out.latency[what].corrected.merge(latency.corrected);
      out.latency[what].uncorrected.merge(latency.uncorrected);
    }
    add(out.sends, r.sends);
    add(out.connections, r.connections);
    add(out.generator, r.generator);
    add(out.workloads, r.workloads);
    add(out.stages, r.stages);
    if (r.target_process && (!out.target_process || out.target_process->cpu_ns < r.target_process->cpu_ns))
      out.target_process = r.target_process;
    out.events.insert(out.events.end(), r.events.begin(), r.events.end());
  }
  for (WorkloadResult& workload : out.workloads) workload.delivery.offenders.clear();
  out.rooms = merged_rooms(shards);
  out.room_sizes = merged_sizes(shards);
  add_streams(out, shards);
  if (out.delivery.delivered > 0)
    out.generator.cpu_per_delivery_ns =
        out.generator.cpu_ns / static_cast<std::int64_t>(out.delivery.delivered);
  std::stable_sort(out.events.begin(), out.events.end(),
                   [](const Event& a, const Event& b) { return a.at_ns < b.at_ns; });
  // What the scenario plans every shard tells; once is enough, as the first of them saw it.
  std::set<std::string> planned;
  out.events.erase(
      std::remove_if(out.events.begin(), out.events.end(),
                     [&](const Event& e) { return e.kind == "stage" && !planned.insert(e.text).second; }),
      out.events.end());
  out.series = merged_series(shards);
  if (out.target_process) {  // one process, whoever watched it: the longest look at it, and what all of us
                             // got
    std::int64_t deliveries = 0;
    for (const Second& second : out.series) deliveries += static_cast<std::int64_t>(second.delivered);
    out.target_process->cpu_per_delivery_ns =
        out.target_process->cpu_ns / std::max<std::int64_t>(1, deliveries);
  }
  const nlohmann::ordered_json whole = to_json(out);
  std::vector<std::string> expressions;
  for (const Threshold& t : shards.front().result.thresholds) expressions.push_back(t.expression);
  for (const Requirement& requirement : parse_requirements(expressions, whole))
    out.thresholds.push_back(judge(requirement, whole));
  return out;
}

}  // namespace roomcheck::reports
