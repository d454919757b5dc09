#include "loadgen/summary.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "libs/base/units.h"
#include "loadgen/bottleneck.h"

namespace roomcheck::loadgen {
namespace {

std::string count(std::uint64_t n) { return format_count(n); }

std::string left(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string right(const std::string& text, std::size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

std::string fixed(double value, int decimals) {
  std::array<char, 64> out{};
  std::snprintf(out.data(), out.size(), "%.*f", decimals, value);
  return out.data();
}

bool is_time(const std::string& expression) {
  return expression.find_first_of("smun",
                                  expression.find_first_of("0123456789", expression.find_first_of("<>=!"))) !=
         expression.npos;
}

std::string verdict_line(const reports::LoadResult& r, bool colour) {
  const auto missed =
      std::count_if(r.thresholds.begin(), r.thresholds.end(), [](const auto& t) { return !t.passed; });
  const reports::Delivery& d = r.delivery;
  const bool clean = d.lost + d.duplicated + d.foreign + d.corrupt == 0;
  std::string word = "PASSED";
  std::string rest;
  if (!r.failed_because.empty()) {
    word = "FAILED";
    rest = "the run did not come to its end; what was measured until then follows";
  } else if (!r.valid) {
    word = "INVALID";
    rest = "these numbers are not to be believed";
  } else if (missed > 0) {
    word = clean ? "FAILED" : "NOT CLEAN";
    rest = count(static_cast<std::uint64_t>(missed)) + " of " + count(r.thresholds.size()) +
           " thresholds missed";
  } else {
    rest = std::string(clean ? "every delivery arrived once, in its room"
                             : "but NOT CLEAN, as the thresholds allow") +
           "; the measurement may be believed";
  }
  if (colour) word = (word == "PASSED" ? "\x1b[1;32m" : "\x1b[1;31m") + word + "\x1b[0m";
  return word + "  " + rest + "\n";
}

std::string why(const reports::LoadResult& r) {
  std::string out;
  for (const std::string& sentence : r.failed_because) out += "  failed: " + sentence + "\n";
  for (const std::string& sentence : r.invalid_because) out += "  invalid: " + sentence + "\n";
  const auto& c = r.connections;
  if (c.failed > 0)
    out += "  note: " + count(c.failed) + " of " + count(c.attempted) +
           " connections did not open: the load was smaller than asked (--threshold connections.failed==0 "
           "makes that a failure)\n";
  if (r.scenario.value("compress", false) && c.compressed == 0 && c.opened > 0)
    out += "  note: the target did not agree to permessage-deflate: nothing was compressed\n";
  for (const reports::Event& event : r.events)
    if (event.kind == "drain") out += "  note: " + event.text + "\n";
  if (c.closed_by_target > 0)
    out += "  note: the target closed " + count(c.closed_by_target) + " connections during the run\n";
  return out;
}

std::string deliveries(const reports::Delivery& d) {
  const double share =
      d.expected == 0 ? 0 : 100.0 * static_cast<double>(d.delivered) / static_cast<double>(d.expected);
  // Rounded down: 99.9999 % must not read as all.
  std::string out = "deliveries   expected  " + right(count(d.expected), 13) + "\n";
  out += "             delivered " + right(count(d.delivered), 13) + "   " +
         fixed(std::floor(share * 1000) / 1000, 3) + " %\n";
  const auto line = [&](const char* what, std::uint64_t n, const char* meaning) {
    out += "             " + left(what, 10) + right(count(n), 13) + (*meaning == '\0' ? "" : "   ") +
           meaning + "\n";
  };
  line("lost", d.lost, "");
  line("duplicated", d.duplicated, "");
  line("reordered", d.reordered, "within one sender's messages");
  line("foreign", d.foreign, "of another room");
  line("corrupt", d.corrupt, "damaged, or not ours");
  if (d.late > 0) line("late", d.late, "of the lost ones: came after the drain");
  if (d.in_flight_members > 0)
    line("set apart", d.in_flight_members, "in flight to members that were joining or leaving");
  for (const auto& o : d.offenders)
    out += "             " + o.kind + ": message " + std::to_string(o.sequence) + " of sender " +
           std::to_string(o.sender) + ", member " + std::to_string(o.member) + " of room " + o.room + "\n";
  return out;
}

std::string latency_row(const std::string& name, const stats::Histogram& h) {
  std::string out = left(name, 15);
  for (const double q : {0.5, 0.9, 0.99, 0.999})
    out += right(h.count() == 0 ? "-" : format_duration(std::min(h.quantile(q), h.max())), 10);
  return out + right(h.count() == 0 ? "-" : format_duration(h.max()), 10) + "\n";
}

std::string latencies(const reports::LoadResult& r) {
  std::string out =
      "latency               p50       p90       p99     p99.9       max   from the intended time\n";
  const auto rows = [&](const char* key, const char* name, bool with_uncorrected) {
    const auto found = r.latency.find(key);
    if (found == r.latency.end()) return;
    out += latency_row(std::string("  ") + name, found->second.corrected);
    if (with_uncorrected) out += latency_row("   uncorrected", found->second.uncorrected);
  };
  rows("fan_out", "fan-out", true);
  rows("push", "push", true);
  rows("direct", "direct", true);
  rows("echo", "echo", true);
  rows("first", "first member", false);
  rows("median", "median member", false);
  rows("last", "last member", true);
  rows("spread", "first to last", false);
  rows("connect", "connect", true);
  rows("join", "join", false);
  return out;
}

std::string growth(std::int64_t bytes) {
  return std::string(" (") + (bytes < 0 ? "-" : "+") +
         format_size(static_cast<std::uint64_t>(bytes < 0 ? -bytes : bytes)) +
         " in the second half of the run)";
}

std::string health(const reports::LoadResult& r) {
  std::string out = "sends        " + count(r.sends.intended) + " intended, " + count(r.sends.sent) +
                    " sent, " + count(r.sends.late) + " late (by more than 1 ms), " + count(r.sends.dropped) +
                    " dropped\n";
  const auto& c = r.connections;
  out += "connections  " + count(c.attempted) + " attempted, " + count(c.opened) + " opened, " +
         count(c.failed) + " failed, " + count(c.closed_by_target) + " closed by the target" +
         (c.reconnected > 0 ? ", " + count(c.reconnected) + " opened again" : "") +
         (c.compressed > 0 ? ", " + count(c.compressed) + " with permessage-deflate" : "") + "\n";
  for (const auto& [error, n] : c.by_error) out += "             " + right(count(n), 8) + "  " + error + "\n";
  const auto& g = r.generator;
  out += "generator    " + fixed(static_cast<double>(g.cpu_per_delivery_ns) / 1000, 2) +
         " us of CPU per delivery, busiest thread " + fixed(100 * g.busiest_thread, 0) +
         " % of a core, loop lag p99 " + format_duration(g.loop_lag.quantile(0.99)) + ", memory " +
         format_size(g.rss_bytes) + growth(g.rss_growth_bytes) + "\n";
  if (g.client_lag)
    out += "client lag   p50 " + format_duration(g.client_lag->lag.quantile(0.5)) + ", p99 " +
           format_duration(g.client_lag->lag.quantile(0.99)) + ", max " +
           format_duration(g.client_lag->lag.max()) +
           " in the kernel until we read; not in the latencies, which end at the kernel's times (" +
           count(g.client_lag->inexact) + " deliveries had none of their own)\n";
  if (r.target_process)
    out += "target       " + fixed(static_cast<double>(r.target_process->cpu_per_delivery_ns) / 1000, 2) +
           " us of CPU per delivery, memory " + format_size(r.target_process->rss_bytes) +
           growth(r.target_process->rss_growth_bytes) + "\n";
  for (const auto& t : r.thresholds) {
    const std::string value = is_time(t.expression)
                                  ? format_duration(Nanoseconds(static_cast<std::int64_t>(t.value)))
                                  : fixed(t.value, t.value == std::floor(t.value) ? 0 : 3);
    out += std::string(&t == &r.thresholds.front() ? "thresholds   " : "             ") +
           (t.passed ? "ok      " : "MISSED  ") + left(t.expression, 36) + " " + value + "\n";
  }
  return out;
}

}  // namespace

ExitCode exit_code(const reports::LoadResult& r) {
  if (!r.failed_because.empty()) return ExitCode::failed;
  if (!r.valid) return ExitCode::not_believable;
  const bool passed =
      std::all_of(r.thresholds.begin(), r.thresholds.end(), [](const auto& t) { return t.passed; });
  return passed ? ExitCode::good : ExitCode::verdict_bad;
}

std::string summary(const reports::LoadResult& r, bool colour) {
  const std::string who = bottleneck(r);
  const auto number = [&](const char* key) { return count(r.scenario.value(key, std::uint64_t{0})); };
  return verdict_line(r, colour) + why(r) + "\n" + "load         " + number("clients") + " clients in " +
         number("rooms") + " rooms, " + fixed(r.scenario.value("rate_per_second", 0.0), 0) +
         " messages/s of " + number("payload_bytes") + " octets for " +
         format_duration(Nanoseconds(r.duration_ns)) + ", " + r.target + ", profile " + r.profile +
         ", seed " + std::to_string(r.seed) + "\n" + (who.empty() ? "" : "bottleneck   " + who + "\n") +
         deliveries(r.delivery) + latencies(r) + health(r);
}

}  // namespace roomcheck::loadgen
