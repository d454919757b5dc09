#include "reports/model/load_result.h"

namespace roomcheck::reports {
namespace {

using json = nlohmann::ordered_json;

json to_json(const stats::Histogram& h) {
  return {{"count", h.count()},
          {"min_ns", h.min().count()},
          {"mean_ns", h.mean().count()},
          {"p50_ns", h.quantile(0.5).count()},
          {"p90_ns", h.quantile(0.9).count()},
          {"p99_ns", h.quantile(0.99).count()},
          {"p999_ns", h.quantile(0.999).count()},
          {"max_ns", h.max().count()},
          {"histogram", h.encode()}};
}

json to_json(const Delivery& d) {
  auto offenders = json::array();
  for (const Delivery::Offender& o : d.offenders)
    offenders.push_back({{"kind", o.kind},
                         {"room", o.room},
                         {"sender", o.sender},
                         {"sequence", o.sequence},
                         {"member", o.member}});
  return {
      {"expected", d.expected},     {"delivered", d.delivered}, {"lost", d.lost},
      {"duplicated", d.duplicated}, {"reordered", d.reordered}, {"foreign", d.foreign},
      {"corrupt", d.corrupt},       {"late", d.late},           {"in_flight_members", d.in_flight_members},
      {"offenders", offenders}};
}

json document(const LoadResult& r) {
  json latency = json::object(), series = json::array(), events = json::array(), rooms = json::array(),
       thresholds = json::array();
  for (const auto& [name, l] : r.latency)
    latency[name] = {{"corrected", to_json(l.corrected)}, {"uncorrected", to_json(l.uncorrected)}};
  for (const Second& s : r.series)
    series.push_back({{"at_ns", s.at_ns},
                      {"phase", s.phase},
                      {"members", s.members},
                      {"sent", s.sent},
                      {"delivered", s.delivered},
                      {"p50_ns", s.p50_ns},
                      {"p99_ns", s.p99_ns},
                      {"max_ns", s.max_ns},
                      {"histogram", s.histogram},
                      {"rss_bytes", s.rss_bytes},
                      {"target_rss_bytes", s.target_rss_bytes}});
  for (const Event& e : r.events) events.push_back({{"at_ns", e.at_ns}, {"kind", e.kind}, {"text", e.text}});
  for (const RoomResult& room : r.rooms)
    rooms.push_back({{"room", room.room},
                     {"members", room.members},
                     {"expected", room.expected},
                     {"delivered", room.delivered},
                     {"lost", room.lost},
                     {"p50_ns", room.p50_ns},
                     {"p99_ns", room.p99_ns},
                     {"max_ns", room.max_ns}});
  auto workloads = json::array(), stages = json::array(), room_sizes = json::array(), threads = json::array();
  for (const WorkloadResult& w : r.workloads)
    workloads.push_back({{"name", w.name},
                         {"workload", w.workload},
                         {"intended", w.intended},
                         {"sent", w.sent},
                         {"delivery", to_json(w.delivery)}});
  for (const StageResult& s : r.stages)
    stages.push_back({{"name", s.name},
                      {"sent", s.sent},
                      {"delivered", s.delivered},
                      {"p50_ns", s.p50_ns},
                      {"p99_ns", s.p99_ns},
                      {"max_ns", s.max_ns}});
  for (const SizeClassResult& c : r.room_sizes)
    room_sizes.push_back({{"members", c.members},
                          {"rooms", c.rooms},
                          {"delivered", c.delivered},
                          {"p50_ns", c.p50_ns},
                          {"p99_ns", c.p99_ns},
                          {"first_p50_ns", c.first_p50_ns},
                          {"last_p50_ns", c.last_p50_ns},
                          {"last_p99_ns", c.last_p99_ns}});
  for (const LoadResult::Generator::Thread& t : r.generator.threads)
    threads.push_back({{"cpu_ns", t.cpu_ns}, {"busiest", t.busiest}});
  for (const Threshold& t : r.thresholds)
    thresholds.push_back({{"expression", t.expression}, {"value", t.value}, {"passed", t.passed}});
  return {{"schema", LoadResult::kSchema},
          {"started", r.started},
          {"command", r.command},
          {"versions", r.versions},
          {"environment", r.environment},
          {"target", r.target},
          {"profile", r.profile},
          {"scenario", r.scenario},
          {"seed", r.seed},
          {"shard", {{"index", r.shard.index}, {"count", r.shard.count}, {"run", r.shard.run}}},
          {"duration_ns", r.duration_ns},
          {"valid", r.valid},
          {"invalid_because", r.invalid_because},
          {"failed_because", r.failed_because},
          {"delivery", to_json(r.delivery)},
          {"receive_time", r.generator.client_lag ? "kernel" : "read"},
          {"latency", latency},
          {"sends",
           {{"intended", r.sends.intended},
            {"sent", r.sends.sent},
            {"late", r.sends.late},
            {"dropped", r.sends.dropped},
            {"refused", r.sends.refused},
            {"lag_p99_ns", r.sends.lag_p99_ns},
            {"due_at_end", r.sends.due_at_end}}},
          {"connections",
           {{"attempted", r.connections.attempted},
            {"opened", r.connections.opened},
            {"failed", r.connections.failed},
            {"closed_by_target", r.connections.closed_by_target},
            {"left", r.connections.left},
            {"reconnected", r.connections.reconnected},
            {"compressed", r.connections.compressed},
            {"slow_readers", r.connections.slow_readers},
            {"slow_delivered", r.connections.slow_delivered},
            {"by_error", r.connections.by_error}}},
          {"generator",
           {{"cpu_ns", r.generator.cpu_ns},
            {"cpu_per_delivery_ns", r.generator.cpu_per_delivery_ns},
            {"busiest_thread", r.generator.busiest_thread},
            {"threads", threads},
            {"loop_lag", to_json(r.generator.loop_lag)},
            {"queue_samples", r.generator.queue_samples},
            {"queue_samples_unread", r.generator.queue_samples_unread},
            {"queue_unread_max_bytes", r.generator.queue_unread_max_bytes},
            {"queue_unsent_max_bytes", r.generator.queue_unsent_max_bytes},
            {"refused_samples", r.generator.refused_samples},
            {"rss_bytes", r.generator.rss_bytes},
            {"rss_growth_bytes", r.generator.rss_growth_bytes}}},
          {"series", series},
          {"events", events},
          {"rooms", rooms},
          {"workloads", workloads},
          {"stages", stages},
          {"room_sizes", room_sizes},
          {"thresholds", thresholds}};
}

}  // namespace

nlohmann::ordered_json to_json(const LoadResult& r) {
  json out = document(r);
  if (r.shard.count > 1) {
    json& sent = out["streams_sent"] = json::array();
    for (const StreamSent& s : r.streams_sent)
      sent.push_back({{"room", s.room}, {"first", s.first}, {"end", s.end}, {"refused", s.refused}});
    json& received = out["streams_received"] = json::array();
    for (const StreamReceived& s : r.streams_received)
      received.push_back({{"room", s.room},
                          {"origin", s.origin},
                          {"workload", s.workload},
                          {"from_start", s.from_start},
                          {"begins", s.begins},
                          {"to_end", s.to_end},
                          {"ends", s.ends},
                          {"apart", s.apart},
                          {"delivered", s.delivered}});
  }
  if (r.target_process)
    out["target_process"] = {{"cpu_ns", r.target_process->cpu_ns},
                             {"cpu_per_delivery_ns", r.target_process->cpu_per_delivery_ns},
                             {"rss_bytes", r.target_process->rss_bytes},
                             {"rss_growth_bytes", r.target_process->rss_growth_bytes}};
  if (r.generator.client_lag) {
    out["generator"]["client_lag"] = to_json(r.generator.client_lag->lag);
    out["generator"]["inexact_receive_times"] = r.generator.client_lag->inexact;
  }
  return out;
}

}  // namespace roomcheck::reports
