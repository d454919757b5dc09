#include "loadgen/report.h"

#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "libs/base/units.h"
#include "libs/program/limits.h"
#include "libs/program/program.h"
#include "loadgen/target_process.h"
#include "loadgen/validity.h"

namespace roomcheck::loadgen {
namespace {

// The value of "key   : value" or "key: value kB" in a file of /proc.
std::string proc_value(const char* path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    if (line.compare(0, key.size(), key) != 0 || colon == line.npos) continue;
    const std::size_t value = line.find_first_not_of(" \t", colon + 1);
    return value == line.npos ? "" : line.substr(value);
  }
  return "unknown";
}

void add(reports::Latency& to, const reports::Latency& from) {
  to.corrected.merge(from.corrected);
  to.uncorrected.merge(from.uncorrected);
}

void add(reports::Delivery& to, const reports::Delivery& from) {
  to.expected += from.expected;
  to.delivered += from.delivered;
  to.lost += from.lost;
  to.duplicated += from.duplicated;
  to.reordered += from.reordered;
  to.foreign += from.foreign;
  to.corrupt += from.corrupt;
  to.late += from.late;
  to.in_flight_members += from.in_flight_members;
  for (const auto& offender : from.offenders)
    if (to.offenders.size() < Ledger::kOffenders) to.offenders.push_back(offender);
}

}  // namespace

reports::LoadResult blank_result(const Scenario& scenario, const target::Profile& profile,
                                 const std::string& command) {
  reports::LoadResult out;
  out.started = format_iso8601(wall_now());
  out.command = command;
  utsname kernel{};
  uname(&kernel);
  out.versions = {{"roomcheck", std::string(version())}, {"kernel", kernel.release}};
  out.environment = {{"cpu", proc_value("/proc/cpuinfo", "model name")},
                     {"cores", std::to_string(std::thread::hardware_concurrency())},
                     {"memory", proc_value("/proc/meminfo", "MemTotal")},
                     {"open_files", std::to_string(raise_open_file_limit())}};
  for (const std::string& target : scenario.targets) out.target += (out.target.empty() ? "" : ", ") + target;
  out.profile = profile.name;
  out.scenario = to_json(scenario);
  out.seed = scenario.seed;
  if (scenario.kernel_timestamps) out.generator.client_lag = reports::ClientLag{};
  out.shard = {scenario.shard.index, scenario.shard.count, scenario.run};
  for (const WorkloadPlan& plan : scenario.workloads) {
    out.latency[std::string(plan.workload->latency())];
    if (plan.workload->alone()) continue;
    for (const char* name : {"first", "median", "last", "spread"}) out.latency[name];
  }
  for (const char* name : {"connect", "join"}) out.latency[name];
  return out;
}

namespace {

// What one workload has measured on one thread.
struct Merged {
  stats::Histogram lag;  // of the sends
  std::vector<Traffic::StageSum> stages;
  std::map<std::uint32_t, Traffic::SizeClass> classes;
};

void add(Merged& to, const Traffic& from) {
  to.stages.resize(from.stages().size());
  for (std::size_t i = 0; i < to.stages.size(); ++i) {
    to.stages[i].sent += from.stages()[i].sent;
    to.stages[i].delivered += from.stages()[i].delivered;
    to.stages[i].corrected.merge(from.stages()[i].corrected);
  }
  for (const auto& [members, size_class] : from.size_classes()) {
    Traffic::SizeClass& sum = to.classes[members];
    sum.members = members;
    sum.rooms += size_class.rooms;
    sum.delivered += size_class.delivered;
    sum.all.merge(size_class.all);
    sum.first.merge(size_class.first);
    sum.last.merge(size_class.last);
  }
}

void add(reports::LoadResult& result, Health& health, Merged& merged, const Traffic& work,
         reports::WorkloadResult& workload) {
  add(result.delivery, work.ledger().delivery());
  add(workload.delivery, work.ledger().delivery());
  workload.delivery.offenders.clear();
  for (const auto& [name, latency] : work.latency()) add(result.latency[name], latency);
  const Traffic::Sends& sends = work.sends();
  workload.intended += sends.intended;
  workload.sent += sends.sent;
  result.sends.intended += sends.intended;
  result.sends.sent += sends.sent;
  result.sends.late += sends.late;
  result.sends.dropped += sends.dropped_full + sends.dropped_no_sender;
  result.sends.refused += sends.refused;
  health.dropped_full += sends.dropped_full;
  if (reports::ClientLag* lag = result.generator.client_lag ? &*result.generator.client_lag : nullptr) {
    lag->lag.merge(work.client_lag().lag);
    lag->inexact += work.client_lag().inexact;
  }
  merged.lag.merge(sends.lag);
  for (reports::RoomResult& room : work.room_results()) result.rooms.push_back(std::move(room));
  for (reports::StreamSent& stream : work.streams_sent()) result.streams_sent.push_back(std::move(stream));
  if (const RemoteLedger* remote = work.remote()) {
    add(result.delivery, remote->delivery());
    add(workload.delivery, remote->delivery());
    workload.delivery.offenders.clear();
    const auto number = static_cast<std::uint64_t>(&workload - result.workloads.data());
    for (reports::StreamReceived& stream : remote->streams()) {
      stream.workload = number;
      result.streams_received.push_back(std::move(stream));
    }
  }
  add(merged, work);
}

void add(reports::LoadResult& result, const WorkerOutcome& outcome) {
  const ConnectionSums& sums = outcome.connections;
  auto& c = result.connections;
  result.sends.due_at_end += outcome.due_at_end;
  c.attempted += sums.attempted;
  c.opened += sums.opened;
  c.failed += sums.failed + sums.not_joined;
  c.closed_by_target += sums.closed_by_target;
  c.left += sums.left;
  c.reconnected += sums.reconnected;
  c.compressed += sums.compressed;
  c.slow_readers += sums.slow_readers;
  c.slow_delivered += sums.slow_delivered;
  for (const auto& [error, count] : sums.by_error) c.by_error[error] += count;
  add(result.latency["connect"], sums.connect);
  add(result.latency["join"], sums.join);
  auto& g = result.generator;
  g.cpu_ns += outcome.cpu_ns;
  g.busiest_thread = std::max(g.busiest_thread, outcome.busiest);
  g.threads.push_back({outcome.cpu_ns, outcome.busiest});
  g.loop_lag.merge(outcome.loop_lag);
  g.queue_samples += outcome.queues.samples;
  g.queue_samples_unread += outcome.queues.with_unread;
  g.queue_unread_max_bytes = std::max(g.queue_unread_max_bytes, outcome.queues.unread_max);
  g.queue_unsent_max_bytes = std::max(g.queue_unsent_max_bytes, outcome.queues.unsent_max);
  if (!outcome.crash.empty())
    result.failed_because.push_back("a thread of loadgen failed, please report this: " + outcome.crash);
}

// Flat memory is memory that the second half of the run did not add to.
void tell_memory(reports::LoadResult& result) {
  result.generator.rss_bytes = memory_of(::getpid());
  std::vector<const reports::Second*> run;
  for (const reports::Second& second : result.series)
    if (second.phase == "run") run.push_back(&second);
  if (run.empty()) return;
  const reports::Second& middle = *run[run.size() / 2];
  const reports::Second& end = *run.back();
  const auto growth = [](std::uint64_t before, std::uint64_t after) {
    return static_cast<std::int64_t>(after) - static_cast<std::int64_t>(before);
  };
  result.generator.rss_growth_bytes = growth(middle.rss_bytes, end.rss_bytes);
  if (!result.target_process) return;
  result.target_process->rss_bytes = end.target_rss_bytes;
  result.target_process->rss_growth_bytes = growth(middle.target_rss_bytes, end.target_rss_bytes);
}

void tell(const Merged& merged, const Scenario& scenario, reports::LoadResult& result) {
  result.sends.lag_p99_ns = merged.lag.quantile(0.99).count();
  for (std::size_t i = 0; scenario.stages.size() > 1 && i < merged.stages.size(); ++i) {
    const Traffic::StageSum& sum = merged.stages[i];
    result.stages.push_back({scenario.stages[i].name, sum.sent, sum.delivered,
                             sum.corrected.quantile(0.5).count(), sum.corrected.quantile(0.99).count(),
                             sum.corrected.max().count()});
  }
  for (const auto& [members, sum] : merged.classes)
    result.room_sizes.push_back({members, sum.rooms, sum.delivered, sum.all.quantile(0.5).count(),
                                 sum.all.quantile(0.99).count(), sum.first.quantile(0.5).count(),
                                 sum.last.quantile(0.5).count(), sum.last.quantile(0.99).count()});
}

}  // namespace

void conclude(reports::LoadResult& result, const Scenario& scenario,
              const std::vector<std::unique_ptr<Worker>>& workers,
              const std::vector<reports::Requirement>& requirements) {
  Health health;
  Merged merged;
  for (const WorkloadPlan& plan : scenario.workloads) {
    reports::WorkloadResult workload;
    workload.workload = plan.workload->name();
    workload.name = plan.name.empty() ? workload.workload : plan.name;
    result.workloads.push_back(std::move(workload));
  }
  for (const auto& worker : workers) {
    add(result, worker->outcome());
    for (std::size_t i = 0; i < worker->crowds().size(); ++i)
      add(result, health, merged, worker->crowds()[i]->traffic(), result.workloads[i]);
  }
  tell(merged, scenario, result);
  // Thread 0 has rooms 0, n, 2n ...: people read them in order.
  std::sort(result.rooms.begin(), result.rooms.end(), [](const auto& a, const auto& b) {
    return std::make_pair(a.room.size(), a.room) < std::make_pair(b.room.size(), b.room);
  });
  if (result.delivery.delivered > 0)
    result.generator.cpu_per_delivery_ns =
        result.generator.cpu_ns / static_cast<std::int64_t>(result.delivery.delivered);
  tell_memory(result);
  for (const auto& [name, latency] : result.latency)
    result.generator.refused_samples += latency.corrected.refused() + latency.uncorrected.refused();

  health.expected = result.delivery.expected;
  health.intended = result.sends.intended;
  health.sent = result.sends.sent;
  health.late = result.sends.late;
  health.send_lag_p99 = Nanoseconds(result.sends.lag_p99_ns);
  health.refused_samples = result.generator.refused_samples;
  health.busiest_thread = result.generator.busiest_thread;
  health.loop_lag_p99 = result.generator.loop_lag.quantile(0.99);
  if (const auto& lag = result.generator.client_lag) {
    health.client_lag_p99 = lag->lag.quantile(0.99);
    health.inexact_receive_times = lag->inexact;
  }
  health.queue_samples = result.generator.queue_samples;
  health.queue_samples_unread = result.generator.queue_samples_unread;
  health.threads = scenario.threads;
  // Lag explains the latencies of the quickest workload first.
  for (const WorkloadPlan& plan : scenario.workloads) {
    const auto& corrected = result.latency[std::string(plan.workload->latency())].corrected;
    if (corrected.count() == 0) continue;
    const Nanoseconds p99 = corrected.quantile(0.99);
    if (health.delivery_p99.count() != 0 && p99 >= health.delivery_p99) continue;
    health.delivery_p99 = p99;
    health.delivery_p50 = corrected.quantile(0.5);
  }
  result.invalid_because = invalid_because(health);
  result.valid = result.invalid_because.empty();

  const nlohmann::ordered_json json = reports::to_json(result);
  for (const reports::Requirement& requirement : requirements)
    result.thresholds.push_back(reports::judge(requirement, json));
}

}  // namespace roomcheck::loadgen
