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

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
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
  out.target = scenario.target;
  out.profile = profile.name;
  out.scenario = to_json(scenario);
  out.seed = scenario.seed;
  for (const char* name : {"fan_out", "first", "median", "last", "connect"}) out.latency[name];
  return out;
}

void conclude(reports::LoadResult& result, const std::vector<std::unique_ptr<Worker>>& workers,
              const std::vector<reports::Requirement>& requirements) {
  Health health;
  for (const auto& worker : workers) {
    const FanOut& work = worker->workload();
    const WorkerOutcome& outcome = worker->outcome();
    add(result.delivery, work.ledger().delivery());
    for (const auto& [name, latency] : work.latency()) add(result.latency[name], latency);
    add(result.latency["connect"], outcome.connect);
    const FanOut::Sends& sends = work.sends();
    result.sends.intended += sends.intended;
    result.sends.sent += sends.sent;
    result.sends.late += sends.late;
    result.sends.dropped += sends.dropped_full + sends.dropped_no_sender;
    health.dropped_full += sends.dropped_full;
    result.connections.attempted += outcome.attempted;
    result.connections.opened += outcome.opened;
    result.connections.failed += outcome.failed + outcome.not_joined;
    result.connections.closed_by_target += outcome.closed_by_target;
    for (const auto& [error, count] : outcome.by_error) result.connections.by_error[error] += count;
    result.generator.cpu_ns += outcome.cpu_ns;
    result.generator.busiest_thread = std::max(result.generator.busiest_thread, outcome.busiest);
    result.generator.loop_lag.merge(outcome.loop_lag);
    for (reports::RoomResult& room : work.room_results()) result.rooms.push_back(std::move(room));
    if (!outcome.crash.empty())
      result.failed_because.push_back("a thread of loadgen failed, please report this: " + outcome.crash);
  }
  // Thread 0 has rooms 0, n, 2n ...: people read them in order.
  std::sort(result.rooms.begin(), result.rooms.end(), [](const auto& a, const auto& b) {
    return std::make_pair(a.room.size(), a.room) < std::make_pair(b.room.size(), b.room);
  });
  if (result.delivery.delivered > 0)
    result.generator.cpu_per_delivery_ns =
        result.generator.cpu_ns / static_cast<std::int64_t>(result.delivery.delivered);
  result.generator.rss_bytes = resident_bytes();
  for (const auto& [name, latency] : result.latency)
    result.generator.refused_samples += latency.corrected.refused() + latency.uncorrected.refused();

  health.expected = result.delivery.expected;
  health.intended = result.sends.intended;
  health.sent = result.sends.sent;
  health.late = result.sends.late;
  health.refused_samples = result.generator.refused_samples;
  health.busiest_thread = result.generator.busiest_thread;
  health.loop_lag_p99 = result.generator.loop_lag.quantile(0.99);
  health.fan_out_p99 = result.latency["fan_out"].corrected.quantile(0.99);
  result.invalid_because = invalid_because(health);
  result.valid = result.invalid_because.empty();

  const nlohmann::ordered_json json = reports::to_json(result);
  for (const reports::Requirement& requirement : requirements)
    result.thresholds.push_back(reports::judge(requirement, json));
}

}  // namespace roomcheck::loadgen
