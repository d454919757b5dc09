#include "loadgen/metrics.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "loadgen/report.h"

namespace roomcheck::loadgen {
namespace {

using Json = nlohmann::ordered_json;
using Words = std::vector<std::pair<std::string_view, std::string_view>>;

// What was timed ...
const Words kLatencies{{"fan_out", "a delivery of what a member said, from the intended time of the message"},
                       {"push", "a delivery of what came from outside into the room"},
                       {"direct", "a delivery of what came from outside for one connection"},
                       {"echo", "an echo"},
                       {"first", "a message's first delivery"},
                       {"median", "a message's delivery that half of the members had by then"},
                       {"last", "a message's last delivery"},
                       {"spread", "time between a message's first delivery and its last"},
                       {"connect", "a connection, from the time it was to begin to the 101"},
                       {"join", "a connection, from the time it was to begin to being a member"},
                       {"loop_lag", "how late our own event loop was"},
                       {"client_lag", "with --kernel-timestamps, a delivery's wait in the kernel for us"}};
// ... and how it is summed up.
const Words kSums{{"count", "how many"},        {"min", "the least"},      {"mean", "the mean"},
                  {"p50", "the median"},        {"p90", "90 % are below"}, {"p99", "99 % are below"},
                  {"p999", "99.9 % are below"}, {"max", "the greatest"}};
const Words kOthers{
    {"duration", "what was measured"},
    {"delivery.expected", "deliveries owed, by who was a member at the intended time"},
    {"delivery.delivered", "of those, came once"},
    {"delivery.lost", "of those, did not come before the drain ended"},
    {"delivery.duplicated", "came once more"},
    {"delivery.reordered", "came after a later one of the same sender"},
    {"delivery.foreign", "came into another room"},
    {"delivery.corrupt", "came damaged, or were not ours"},
    {"delivery.late", "of the lost ones, came after the drain"},
    {"delivery.in_flight_members", "set apart: in flight to members that were joining or leaving"},
    {"sends.intended", "messages that the schedule wanted"},
    {"sends.sent", "of those, sent"},
    {"sends.late", "left more than 1 ms after their time"},
    {"sends.dropped", "not sent: the target did not read, or nobody was there to send"},
    {"sends.refused", "not taken by the control"},
    {"sends.lag_p99", "how late they left: 99 % are below"},
    {"sends.due_at_end", "deliveries that had not come when the last message was sent"},
    {"connections.attempted", "connections begun"},
    {"connections.opened", "that opened"},
    {"connections.failed", "that did not open, or did not join"},
    {"connections.closed_by_target", "that the target closed"},
    {"connections.left", "that left by plan (churn)"},
    {"connections.reconnected", "that opened again"},
    {"connections.compressed", "of the opened ones, with permessage-deflate"},
    {"connections.slow_readers", "clients that read slowly on purpose"},
    {"connections.slow_delivered", "deliveries to them, judged by nobody"},
    {"generator.cpu", "our processor time during the run, all threads"},
    {"generator.cpu_per_delivery", "the same for each delivery"},
    {"generator.busiest_thread", "of one core, our busiest thread in its busiest second"},
    {"generator.refused_samples", "latencies outside what a histogram holds"},
    {"generator.inexact_receive_times",
     "with --kernel-timestamps, deliveries without a kernel time of their own"},
    {"generator.rss_bytes", "our memory at the end"},
    {"generator.rss_growth_bytes", "what the second half of the run added to it"},
    {"generator.queue_samples", "looks at what the kernel held of our connections"},
    {"generator.queue_samples_unread", "of those, something had arrived and waited for us"},
    {"generator.queue_unread_max_bytes", "the most that waited"},
    {"generator.queue_unsent_max_bytes", "the most that the target had not acknowledged"}};

std::string_view find(const Words& words, std::string_view key) {
  for (const auto& [word, meaning] : words)
    if (word == key) return meaning;
  return "";
}

std::string meaning_of(const std::string& path) {
  if (const std::string_view found = find(kOthers, path); !found.empty()) return std::string(found);
  const std::size_t dot = path.rfind('.');
  if (dot == path.npos) return "";
  std::string what = path.substr(0, dot);
  std::string suffix;
  constexpr std::string_view kUncorrected = ".uncorrected";
  if (what.size() > kUncorrected.size() &&
      what.compare(what.size() - kUncorrected.size(), what.npos, kUncorrected) == 0) {
    what.resize(what.size() - kUncorrected.size());
    suffix = what == "spread" ? "" : "; from the time it really left";
  }
  if (what.compare(0, 10, "generator.") == 0) what.erase(0, 10);
  const std::string_view thing = find(kLatencies, what);
  const std::string_view sum = find(kSums, path.substr(dot + 1));
  return thing.empty() || sum.empty() ? "" : std::string(thing) + ": " + std::string(sum) + suffix;
}

// The way a person would write it (reports/model/thresholds.h).
Metric metric(std::string path) {
  Metric out;
  out.unit = "count";
  const auto ends = [&path](std::string_view end) {
    return path.size() > end.size() && path.compare(path.size() - end.size(), path.npos, end) == 0;
  };
  if (ends("_ns")) {
    out.unit = "time";
    path.resize(path.size() - 3);
  } else if (ends("_bytes")) {
    out.unit = "bytes";
  } else if (ends("busiest_thread")) {
    out.unit = "share";
  }
  if (path.compare(0, 8, "latency.") == 0) path.erase(0, 8);
  if (const std::size_t at = path.find(".corrected."); at != path.npos) path.erase(at, 10);
  out.path = path;
  out.meaning = meaning_of(path);
  return out;
}

void collect(const Json& json, const std::string& prefix, std::vector<Metric>& out) {
  for (const auto& [key, value] : json.items()) {
    const std::string path = prefix.empty() ? key : prefix + "." + key;
    if (value.is_object()) collect(value, path, out);
    if (value.is_number()) out.push_back(metric(path));
  }
}

}  // namespace

std::vector<Metric> all_metrics() {
  Scenario scenario;
  scenario.workloads.clear();
  scenario.kernel_timestamps = true;
  for (const Workload* workload : all_workloads()) {
    WorkloadPlan plan;
    plan.workload = workload;
    scenario.workloads.push_back(plan);
  }
  Json shape = reports::to_json(blank_result(scenario, target::load_profile("seed"), ""));
  for (const char* no_measurement : {"scenario", "shard", "seed"}) shape.erase(no_measurement);
  std::vector<Metric> out;
  collect(shape, "", out);
  return out;
}

std::string list_metrics() {
  std::string out;
  for (const Metric& metric : all_metrics()) {
    std::string path = metric.path, unit = metric.unit;
    path.resize(std::max<std::size_t>(path.size() + 1, 36), ' ');
    unit.resize(7, ' ');
    out += path + unit + metric.meaning + "\n";
  }
  return out;
}

}  // namespace roomcheck::loadgen
