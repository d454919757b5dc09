#include <algorithm>
#include <cstdlib>

#include "libs/base/units.h"
#include "reports/model/thresholds.h"
#include "reports/render/charts.h"
#include "reports/render/markup.h"
#include "reports/render/sections.h"

namespace roomcheck::reports {
namespace {

constexpr std::size_t kRoomsShown = 2000;

const Latency* find_latency(const LoadResult& r, const std::string& name) {
  const auto found = r.latency.find(name);
  return found == r.latency.end() ? nullptr : &found->second;
}

// What was timed from a send to an arrival, in words; the first that was measured is the run's main one.
constexpr std::pair<const char*, const char*> kDeliveries[] = {
    {"fan_out", "fan-out"}, {"push", "push"}, {"direct", "direct"}, {"echo", "echo"}};

std::string percentile_charts(const LoadResult& r, const std::string& id) {
  std::string out;
  for (const auto& [name, word] : kDeliveries)
    if (const Latency* latency = find_latency(r, name); latency != nullptr && latency->corrected.count() > 0)
      out += percentile_chart(*latency, id + "-" + name, std::string("Latency by percentile, ") + word);
  return out;
}

std::string members_chart(const LoadResult& r, const std::string& id) {
  std::vector<Curve> curves;
  int colour = 0;
  for (const char* name : {"first", "median", "last"}) {
    ++colour;
    if (const Latency* latency = find_latency(r, name); latency != nullptr && latency->corrected.count() > 0)
      curves.push_back({std::string(name) + " member", &latency->corrected, colour, "solid"});
  }
  return percentile_chart(curves, id, "From the first member to the last, by percentile",
                          "What lies between the curves is the time a message takes through its room.");
}

std::string reproduce(const LoadResult& r) {
  std::string out = code_block(r.command) + "<p class=quiet>Seed " + std::to_string(r.seed) +
                    ": the same plan of sends.</p>\n";
  if (!r.scenario.is_null())
    out +=
        unfold("The effective scenario",
               code_block(r.scenario.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace)));
  return out;
}

std::string key_number(const std::string& value, const std::string& name, std::string_view tone = "") {
  return "<div class=\"key " + std::string(tone) + (value.size() > 9 ? " long" : "") + "\"><b>" + value +
         "</b><span>" + name + "</span></div>\n";
}

std::string key_numbers(const LoadResult& r) {
  std::string out = "<div class=keys>\n";
  for (const auto& [name, word] : kDeliveries) {
    const Latency* latency = find_latency(r, name);
    if (latency == nullptr || latency->corrected.count() == 0) continue;
    const stats::Histogram& h = latency->corrected;
    out += key_number(duration(h.quantile(0.5).count()), std::string(word) + " p50");
    out += key_number(duration(h.quantile(0.99).count()), std::string(word) + " p99");
    out += key_number(duration(h.max().count()), std::string(word) + " max");
    break;
  }
  out += key_number(format_count(r.delivery.delivered), "deliveries");
  out += key_number(format_count(r.delivery.lost), "lost", r.delivery.lost > 0 ? "bad" : "");
  out += key_number(format_count(r.sends.sent), "messages sent");
  std::uint64_t members = 0;
  for (const Second& s : r.series) members = std::max(members, s.members);
  out += key_number(format_count(std::max(members, r.series.empty() ? r.connections.opened : 0)), "members");
  out += key_number(format_count(r.rooms.size()), "rooms");
  return out + key_number(duration(r.duration_ns), "duration") + "</div>\n";
}

std::string thresholds(const LoadResult& r) {
  if (r.thresholds.empty()) return "<p class=quiet>No thresholds were set.</p>\n";
  Table table{{"Threshold", "Measured", "Verdict"}, {}, false};
  for (const Threshold& t : r.thresholds)
    table.rows.push_back(
        {"<code>" + escape(t.expression) + "</code>", format_measured(t),
         t.passed ? "<span class=\"tag good\">passed</span>" : "<span class=\"tag bad\">missed</span>"});
  return render(table);
}

std::string members_table(const LoadResult& r) {
  Table table{{"Latency", "Samples", "p50", "p90", "p99", "p99.9", "max"}, {}, false};
  const std::pair<const char*, const char*> kNames[] = {{"fan_out", "every&nbsp;member"},
                                                        {"first", "first&nbsp;member"},
                                                        {"median", "median&nbsp;member"},
                                                        {"last", "last&nbsp;member"},
                                                        {"connect", "connecting"}};
  const auto add = [&](const std::string& label, const stats::Histogram& histogram) {
    std::vector<Cell> row{label};
    for (Cell& cell : percentile_cells(histogram)) row.push_back(std::move(cell));
    table.rows.push_back(std::move(row));
  };
  for (const auto& [name, label] : kNames)
    if (const Latency* found = find_latency(r, name)) add(label, found->corrected);
  for (const auto& [name, latency] : r.latency)
    if (std::none_of(std::begin(kNames), std::end(kNames),
                     [&](const auto& known) { return name == known.first; }))
      add(escape(name), latency.corrected);
  if (table.rows.empty()) return "<p class=quiet>No latency was measured.</p>\n";
  return "<p class=quiet>Of each message: when the first, the median and the last member of its room had it. "
         "Corrected.</p>\n" +
         render(table);
}

// What a merge of several shards cannot know is 0.
Cell known_time_cell(std::int64_t ns) { return ns == 0 ? Cell("–", -1) : time_cell(ns); }

std::string workloads_table(const LoadResult& r) {
  if (r.workloads.size() < 2) return "";
  Table table{
      {"Workload", "Kind", "Messages due", "Sent", "Deliveries expected", "Delivered", "Lost"}, {}, false};
  for (const WorkloadResult& w : r.workloads)
    table.rows.push_back({escape(w.name), escape(w.workload), count_cell(w.intended), count_cell(w.sent),
                          count_cell(w.delivery.expected), count_cell(w.delivery.delivered),
                          count_cell(w.delivery.lost)});
  return render(table);
}

std::string stages_table(const LoadResult& r) {
  if (r.stages.empty()) return "";
  Table table{{"Stage", "Sent", "Delivered", "p50", "p99", "max"}, {}, false};
  for (const StageResult& s : r.stages)
    table.rows.push_back({escape(s.name), count_cell(s.sent), count_cell(s.delivered),
                          known_time_cell(s.p50_ns), known_time_cell(s.p99_ns), known_time_cell(s.max_ns)});
  return render(table);
}

std::string sizes_table(const LoadResult& r) {
  if (r.room_sizes.size() < 2) return "";
  Table table{
      {"Members, up to", "Rooms", "Delivered", "p50", "p99", "First p50", "Last p50", "Last p99"}, {}, true};
  for (const SizeClassResult& c : r.room_sizes)
    table.rows.push_back({count_cell(c.members), count_cell(c.rooms), count_cell(c.delivered),
                          known_time_cell(c.p50_ns), known_time_cell(c.p99_ns),
                          known_time_cell(c.first_p50_ns), known_time_cell(c.last_p50_ns),
                          known_time_cell(c.last_p99_ns)});
  return "<h4>By the size of the room</h4>\n" + render(table);
}

std::string rooms_table(const LoadResult& r) {
  if (r.rooms.empty()) return "<p class=quiet>The result lists no rooms.</p>\n";
  std::vector<const RoomResult*> rooms;
  for (const RoomResult& room : r.rooms) rooms.push_back(&room);
  std::string note;
  if (rooms.size() > kRoomsShown) {
    std::stable_sort(rooms.begin(), rooms.end(), [](const RoomResult* a, const RoomResult* b) {
      return a->lost != b->lost ? a->lost > b->lost : a->p99_ns > b->p99_ns;
    });
    note = "<p class=quiet>The worst " + format_count(kRoomsShown) + " of " + format_count(rooms.size()) +
           " rooms; the result file has all.</p>\n";
    rooms.resize(kRoomsShown);
  }
  Table table{{"Room", "Members", "Expected", "Delivered", "Lost", "p50", "p99", "max"}, {}, true};
  for (const RoomResult* room : rooms)
    table.rows.push_back({escape(room->room), count_cell(room->members), count_cell(room->expected),
                          count_cell(room->delivered), count_cell(room->lost), known_time_cell(room->p50_ns),
                          known_time_cell(room->p99_ns), known_time_cell(room->max_ns)});
  return note + render(table);
}

std::string offender_sentence(const Delivery::Offender& o) {
  const std::string message = "message " + std::to_string(o.sequence) + " of sender " +
                              std::to_string(o.sender) + " in room <code>" + escape(o.room) + "</code>";
  const std::string member = "member " + std::to_string(o.member);
  if (o.kind == "lost") return message + " never reached " + member;
  if (o.kind == "duplicated") return message + " reached " + member + " more than once";
  if (o.kind == "reordered") return message + " reached " + member + " out of order";
  if (o.kind == "foreign") return message + " reached " + member + ", who is in another room";
  if (o.kind == "corrupt") return message + " reached " + member + " damaged";
  return message + ", " + member;
}

std::string ledger(const LoadResult& r) {
  const Delivery& d = r.delivery;
  const auto fault = [](std::uint64_t n) -> Cell {
    return n == 0 ? count_cell(0) : Cell("<span class=bad>" + format_count(n) + "</span>", 1);
  };
  Table table{{"Deliveries", "Count", "Meaning"}, {}, false};
  table.rows = {
      {"expected", count_cell(d.expected), "one message to one member of its room when it was due"},
      {"delivered", count_cell(d.delivered), "expected, and came once each"},
      {"lost", fault(d.lost), "expected, and never came"},
      {"duplicated", fault(d.duplicated), "came more than once"},
      {"reordered", fault(d.reordered), "came after a later one of the same sender"},
      {"foreign", fault(d.foreign), "came to a member of another room"},
      {"corrupt", fault(d.corrupt), "damaged, or nothing this run sent"},
      {"late", count_cell(d.late), "came after the drain had ended"},
      {"set apart", count_cell(d.in_flight_members), "to members just joining or leaving; not judged"}};
  std::string out = render(table);
  if (d.offenders.empty()) return out;
  Table named{{"Kind", "What happened"}, {}, false};
  for (const Delivery::Offender& o : d.offenders)
    named.rows.push_back({"<span class=\"tag bad\">" + escape(o.kind) + "</span>", offender_sentence(o)});
  return out + "<h4>The first offenders</h4>\n" + render(named);
}

std::string connections(const LoadResult& r) {
  Table table{{"Connections", "Count"}, {}, false};
  table.rows = {{"attempted", count_cell(r.connections.attempted)},
                {"opened", count_cell(r.connections.opened)},
                {"failed", count_cell(r.connections.failed)},
                {"closed by the target", count_cell(r.connections.closed_by_target)}};
  const auto if_any = [&](const char* what, std::uint64_t count) {
    if (count > 0) table.rows.push_back({what, count_cell(count)});
  };
  if_any("of the opened, with permessage-deflate", r.connections.compressed);
  if_any("left by plan", r.connections.left);
  if_any("opened again", r.connections.reconnected);
  if_any("slow readers", r.connections.slow_readers);
  if_any("deliveries to slow readers, not judged", r.connections.slow_delivered);
  std::string out = render(table);
  if (r.connections.by_error.empty()) return out;
  Table kinds{{"Failures and closes by kind", "Count"}, {}, false};
  for (const auto& [kind, count] : r.connections.by_error)
    kinds.rows.push_back({escape(kind), count_cell(count)});
  return out + render(kinds);
}

// "20.0 MiB (+1.25 MiB in the second half of the run)"; the latter where the seconds were looked at.
Cell memory_cell(const LoadResult& r, std::uint64_t bytes, std::int64_t growth) {
  const bool known =
      std::any_of(r.series.begin(), r.series.end(), [](const Second& s) { return s.rss_bytes > 0; });
  return Cell(format_size(bytes) + (known ? std::string(growth < 0 ? " (-" : " (+") +
                                                format_size(static_cast<std::uint64_t>(std::abs(growth))) +
                                                " in the second half of the run)"
                                          : ""),
              1);
}

std::string client_lag(const LoadResult& r) {
  if (!r.generator.client_lag) return "– (--kernel-timestamps)";
  const stats::Histogram& lag = r.generator.client_lag->lag;
  return duration(lag.quantile(0.5).count()) + " / " + duration(lag.quantile(0.99).count()) + " / " +
         duration(lag.max().count()) + ", not in the latencies: they end at the kernel's receive times";
}

std::string generator(const LoadResult& r) {
  const auto share = [&](std::uint64_t n) {
    return r.sends.intended == 0 ? std::string("–")
                                 : percent(static_cast<double>(n) / static_cast<double>(r.sends.intended));
  };
  const stats::Histogram& lag = r.generator.loop_lag;
  Table table{{"The generator itself", "Measured"}, {}, false};
  table.rows = {
      {"sends intended", count_cell(r.sends.intended)},
      {"sends made", count_cell(r.sends.sent)},
      {"sends late", Cell(format_count(r.sends.late) + " (" + share(r.sends.late) + ")", 1)},
      {"sends dropped", Cell(format_count(r.sends.dropped) + " (" + share(r.sends.dropped) + ")", 1)},
      {"busiest thread", Cell(percent(r.generator.busiest_thread) + " of a core", 1)},
      {"CPU time", time_cell(r.generator.cpu_ns)},
      {"CPU time of a delivery", time_cell(r.generator.cpu_per_delivery_ns)},
      {"event loop late, p50 / p99 / max",
       Cell(lag.count() == 0 ? std::string("–")
                             : duration(lag.quantile(0.5).count()) + " / " +
                                   duration(lag.quantile(0.99).count()) + " / " + duration(lag.max().count()),
            1)},
      {"deliveries waited in the kernel for us, p50 / p99 / max", Cell(client_lag(r), 1)},
      {"the target's CPU time, and of a delivery",
       Cell(r.target_process
                ? duration(r.target_process->cpu_ns) + " / " + duration(r.target_process->cpu_per_delivery_ns)
                : std::string("– (--target-pid)"),
            1)},
      {"what had come and waited for us, of the samples",
       Cell(r.generator.queue_samples == 0
                ? std::string("–")
                : percent(static_cast<double>(r.generator.queue_samples_unread) /
                          static_cast<double>(r.generator.queue_samples)) +
                      ", at most " + format_size(r.generator.queue_unread_max_bytes),
            1)},
      {"samples refused", count_cell(r.generator.refused_samples)},
      {"memory", memory_cell(r, r.generator.rss_bytes, r.generator.rss_growth_bytes)}};
  if (r.target_process && r.target_process->rss_bytes > 0)
    table.rows.push_back({"the target's memory",
                          memory_cell(r, r.target_process->rss_bytes, r.target_process->rss_growth_bytes)});
  if (r.sends.refused > 0)
    table.rows.insert(table.rows.begin() + 4, {"sends refused by the control", count_cell(r.sends.refused)});
  return render(table);
}

std::string environment(const LoadResult& r) {
  std::map<std::string, std::string> about{{"target", r.target}, {"started", r.started}};
  if (!r.profile.empty()) about["profile"] = r.profile;
  return "<div class=columns><div><h4>Run</h4>" + definition_list(about) + "</div><div><h4>Machine</h4>" +
         definition_list(r.environment) + "</div><div><h4>Versions</h4>" + definition_list(r.versions) +
         "</div></div>\n";
}

}  // namespace

Headline headline(const LoadResult& r) {
  const auto missed = static_cast<std::size_t>(
      std::count_if(r.thresholds.begin(), r.thresholds.end(), [](const Threshold& t) { return !t.passed; }));
  if (!r.failed_because.empty()) return {"FAILED", "bad", "The run did not come to its end."};
  if (!r.valid)
    return {"NOT TO BE BELIEVED", "doubt",
            "The generator or the machine was not up to it: these numbers say nothing about the target."};
  if (missed > 0)
    return {"FAILED", "bad",
            format_count(missed) + " of " + format_count(r.thresholds.size()) +
                (missed == 1 ? " thresholds was missed." : " thresholds were missed.")};
  if (r.thresholds.empty()) return {"PASSED", "good", "No threshold was set, so none was missed."};
  return {"PASSED", "good", "Every threshold was met."};
}

std::string load_section(const LoadResult& r, const std::string& id) {
  std::vector<std::string> why = r.failed_because;
  why.insert(why.end(), r.invalid_because.begin(), r.invalid_because.end());
  for (const Threshold& t : r.thresholds)
    if (!t.passed) why.push_back("missed " + t.expression + ": it was " + format_measured(t));
  std::string out, jump;
  if (!why.empty()) out += "<div class=why>" + list_of_text(why) + "</div>\n";
  out += key_numbers(r);

  std::string body;
  const auto part = [&](const std::string& anchor, const std::string& name, const std::string& content) {
    if (content.empty()) return;
    jump += "<a href=\"#" + id + "-" + anchor + "\">" + name + "</a> ";
    body += "<div id=" + id + "-" + anchor + ">" + content + "</div>\n";
  };
  const auto titled = [](const std::string& title, const std::string& content) {
    return "<h3>" + title + "</h3>\n" + content;
  };
  part("thresholds", "Thresholds", titled("Thresholds", thresholds(r)));
  if (const std::string workloads = workloads_table(r); !workloads.empty())
    part("workloads", "Workloads", titled("Workloads", workloads));
  if (const std::string stages = stages_table(r); !stages.empty())
    part("stages", "Stages", titled("Stages", stages));
  part("by-percentile", "Percentiles", percentile_charts(r, id + "-percentiles"));
  part("over-time", "Over time",
       latency_over_time_chart(r, id + "-latency") + heat_map(r, id + "-heat") +
           rate_over_time_chart(r, id + "-rate") + memory_over_time_chart(r, id + "-memory") +
           members_over_time_chart(r, id + "-members"));
  part("members", "First, median, last member",
       titled("First, median and last member", members_table(r)) + members_chart(r, id + "-room"));
  part("deliveries", "Deliveries", titled("Deliveries", ledger(r)));
  part("rooms", "Rooms", titled("Rooms", sizes_table(r) + rooms_table(r)));
  part("connections", "Connects and closes", titled("Connects and closes", connections(r)));
  part("generator", "Generator health", titled("Generator health", generator(r)));
  part("environment", "Environment", titled("Environment", environment(r)));
  part("reproduce", "How to reproduce", titled("How to reproduce", reproduce(r)));
  return out + "<nav class=jump aria-label=\"Parts of this result\">" + jump + "</nav>\n" + body;
}

}  // namespace roomcheck::reports
