#include "reports/merge/merge.h"

#include <algorithm>
#include <array>

#include "libs/base/result.h"
#include "reports/model/thresholds.h"

namespace roomcheck::reports {
namespace {

constexpr std::size_t kMostOffenders = 100;
constexpr std::uint64_t kMostShards = 100'000;

std::string name(const LoadResult::Shard& shard) {
  return "shard " + std::to_string(shard.index) + "/" + std::to_string(shard.count);
}

std::string version_of(const LoadResult& r) {
  const auto found = r.versions.find("roomcheck");
  return found == r.versions.end() ? "" : found->second;
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
    if (r.scenario != a.scenario) differs("scenario");
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
    if (to.offenders.size() < kMostOffenders) to.offenders.push_back(o);
}

void add(LoadResult::Connections& to, const LoadResult::Connections& from) {
  to.attempted += from.attempted;
  to.opened += from.opened;
  to.failed += from.failed;
  to.closed_by_target += from.closed_by_target;
  for (const auto& [kind, count] : from.by_error) to.by_error[kind] += count;
}

void add(LoadResult::Sends& to, const LoadResult::Sends& from) {
  to.intended += from.intended;
  to.sent += from.sent;
  to.late += from.late;
  to.dropped += from.dropped;
}

void add(LoadResult::Generator& to, const LoadResult::Generator& from) {
  to.cpu_ns += from.cpu_ns;
  to.busiest_thread = std::max(to.busiest_thread, from.busiest_thread);
  to.loop_lag.merge(from.loop_lag);
  to.refused_samples += from.refused_samples;
  to.rss_bytes += from.rss_bytes;
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
      sum.members += room.members;
      sum.expected += room.expected;
      sum.delivered += room.delivered;
      sum.lost += room.lost;
      sum.p50_ns = sum.p99_ns = 0;
      sum.max_ns = std::max(sum.max_ns, room.max_ns);
    }
  return out;
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
    out.events.insert(out.events.end(), r.events.begin(), r.events.end());
  }
  if (out.delivery.delivered > 0)
    out.generator.cpu_per_delivery_ns =
        out.generator.cpu_ns / static_cast<std::int64_t>(out.delivery.delivered);
  std::stable_sort(out.events.begin(), out.events.end(),
                   [](const Event& a, const Event& b) { return a.at_ns < b.at_ns; });
  out.series = merged_series(shards);
  out.rooms = merged_rooms(shards);
  const nlohmann::ordered_json whole = to_json(out);
  std::vector<std::string> expressions;
  for (const Threshold& t : shards.front().result.thresholds) expressions.push_back(t.expression);
  for (const Requirement& requirement : parse_requirements(expressions, whole))
    out.thresholds.push_back(judge(requirement, whole));
  return out;
}

}  // namespace roomcheck::reports
