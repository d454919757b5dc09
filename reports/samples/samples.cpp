#include "reports/samples/samples.h"

#include <cmath>
#include <cstdio>
#include <random>
#include <string>

namespace roomcheck::reports::samples {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;

stats::Histogram times(std::mt19937_64& random, double median_ms, double spread, double stall_ms,
                       int samples) {
  stats::Histogram out;
  std::lognormal_distribution<double> usual(std::log(median_ms), spread);
  for (int i = 0; i < samples; ++i) {
    const double ms = usual(random) + (i % 500 == 0 ? stall_ms * (i % 7) / 7.0 : 0);
    out.record(Nanoseconds(std::llround(ms * 1e6)));
  }
  return out;
}

// Most deliveries are quick; those of a third of the rooms take ten times as long from second 30 on.
stats::Histogram second_of(std::mt19937_64& random, int s) {
  stats::Histogram out = times(random, 1.5 + .2 * std::sin(s / 4.0), .35, 0, 2000);
  if (s >= 30) out.merge(times(random, 15, .25, 0, 400));
  if (s == 41) out.merge(times(random, 60, .2, 0, 300));
  return out;
}

}  // namespace

LoadResult sample_load() {
  std::mt19937_64 random(1);
  LoadResult out;
  out.started = "2026-11-23T10:16:00Z";
  out.command =
      "loadgen ws://127.0.0.1:8801 --clients 10000 --rooms 100 --rate 200 --time 60s --threshold "
      "'fan_out.p99<50ms'";
  out.versions = {{"roomcheck", "0.1.0"}, {"kernel", "6.1.0-18-amd64"}, {"OpenSSL", "3.0.11"}};
  out.environment = {{"cpu", "A processor with a rather long name @ 3.10 GHz"},
                     {"cores", "2"},
                     {"memory", "7.75 GiB"},
                     {"open_files", "65,536"}};
  out.target = "ws://127.0.0.1:8801";
  out.profile = "reference_server";
  out.scenario = {{"clients", 10000}, {"rooms", 100}, {"rate", 200}, {"payload", {{"bytes", 128}}}};
  out.seed = 42;
  out.duration_ns = 75'000 * kMillisecond;
  out.latency["fan_out"] = {times(random, 1.5, .5, 80, 200000), times(random, 1.3, .4, 8, 200000)};
  out.latency["first"].corrected = times(random, .8, .3, 10, 2000);
  out.latency["median"].corrected = times(random, 1.5, .4, 20, 2000);
  out.latency["last"].corrected = times(random, 3.5, .5, 60, 2000);
  out.latency["connect"].corrected = times(random, 5, .3, 10, 10000);
  for (int s = 0; s < 75; ++s) {
    const bool sends = s >= 5 && s < 70;
    const std::uint64_t wave = static_cast<std::uint64_t>(190 + 10 * std::sin(s));
    out.series.push_back({s * 1000 * kMillisecond,
                          s < 5    ? "connect"
                          : s < 10 ? "warm-up"
                          : s < 70 ? "run"
                                   : "drain",
                          static_cast<std::uint64_t>(s < 5 ? 2000 * (s + 1) : 10000), sends ? wave : 0,
                          sends ? wave * 100 : 0,
                          sends ? std::llround((1.5 + .2 * std::sin(s / 4.0)) * 1e6) : 0,
                          sends ? std::llround((4 + std::cos(s / 3.0)) * 1e6) : 0,
                          sends ? std::llround((s == 41 ? 81. : 9 + 2 * std::sin(s * 3.0)) * 1e6) : 0,
                          sends ? second_of(random, s).encode() : "",
                          static_cast<std::uint64_t>(40 + 50 * std::min(s, 5) + s / 4) << 20,
                          static_cast<std::uint64_t>(80 + 60 * std::min(s, 5)) << 20});
  }
  out.events = {{30'000 * kMillisecond, "stage", "a third of the rooms moved to the slow node"},
                {41'000 * kMillisecond, "target", "stopped answering for 80 ms"},
                {42'000 * kMillisecond, "churn", "500 members left"}};
  for (int r = 0; r < 100; ++r) {
    char name[16];
    std::snprintf(name, sizeof name, "room-%02d", r);
    out.rooms.push_back({name, 100, 12400, r == 17 ? 12398U : 12400U, r == 17 ? 2U : 0U,
                         (1400 + r * 7 % 200) * 1000, (4000 + r * 37 % 900) * 1000,
                         (9000 + r * 91 % 4000) * 1000});
  }
  out.delivery.expected = 1'240'000;
  out.delivery.delivered = 1'239'998;
  out.delivery.lost = 2;
  out.delivery.in_flight_members = 120;
  out.delivery.offenders = {{"lost", "room-17", 1702, 55, 1744}, {"lost", "room-17", 1702, 55, 1745}};
  out.sends = {12400, 12400, 31, 0};
  out.connections = {10000, 10000, 3, 1, {{"tcp: refused", 3}, {"close 1006", 1}}};
  out.generator.cpu_ns = 31'000 * kMillisecond;
  out.generator.cpu_per_delivery_ns = 25'000;
  out.generator.busiest_thread = .41;
  out.generator.loop_lag = times(random, .05, .4, 1, 5000);
  out.generator.client_lag = ClientLag{times(random, .03, .5, 1, 5000), 12};
  out.generator.rss_bytes = 312ULL << 20;
  out.thresholds = {
      {"delivery.lost==0", 2, false}, {"fan_out.p99<50ms", 4.6e6, true}, {"sends.late<1%", .0025, true}};
  return out;
}

ConformanceResult sample_conformance() {
  ConformanceResult out;
  out.started = "2026-11-23T10:18:00Z";
  out.command = "conformance ws://127.0.0.1:8801 --control http://127.0.0.1:8802 --json conformance.json";
  out.versions = {{"roomcheck", "0.1.0"}, {"kernel", "6.1.0-18-amd64"}};
  out.target = "ws://127.0.0.1:8801";
  out.profile = "reference_server";
  out.control = "http://127.0.0.1:8802";
  out.verdict = "fail";
  const auto add = [&](std::string id, Level level, Verdict verdict, std::string message) {
    CaseResult c;
    c.id = id;
    c.requirement = id.substr(0, id.find('/'));
    c.section = id.substr(0, id.find('.'));
    c.level = level;
    c.verdict = verdict;
    c.message = std::move(message);
    c.duration_ns = 12 * kMillisecond + static_cast<std::int64_t>(id.size()) * 1000;
    if (verdict == Verdict::fail) {
      c.expected = "\"hello\" at the members a, b and c within 2 s";
      c.actual = "a: \"hello\" after 0.8 ms\nb: \"hello\" after 0.9 ms\nc: nothing";
      c.look_at = "group_send(): whom it reaches";
      c.sentence = "A message that a member sends MUST reach every member of its room, the sender included.";
      c.transcript = {"+0.0 ms  a  > {\"message\": \"hello\"}", "+0.8 ms  a  < {\"message\": \"hello\"}",
                      "+0.9 ms  b  < {\"message\": \"hello\"}", "+2000.9 ms  c  nothing"};
    }
    if (verdict == Verdict::known_deviation) c.deviation = "daphne 4.0 sends no close frame when it stops";
    out.cases.push_back(std::move(c));
  };
  add("connect.accepts/plain", Level::must, Verdict::pass, "");
  add("connect.accepts/tls", Level::must, Verdict::skipped, "the profile names no wss:// target");
  add("connect.silent-join/plain", Level::must, Verdict::pass, "");
  add("broadcast.reaches-all/two-members", Level::must, Verdict::pass, "");
  add("broadcast.reaches-all/three-members", Level::must, Verdict::fail, "member c did not get the message");
  add("broadcast.order/one-sender", Level::must, Verdict::pass, "");
  add("broadcast.order/many-senders", Level::should, Verdict::could_not_test,
      "the machine was too busy: the control took 900 ms");
  add("close.code/going-away", Level::should, Verdict::known_deviation,
      "closed with 1006; the profile says so");
  add("close.code/normal", Level::must, Verdict::pass, "");
  add("limits.size/info", Level::info, Verdict::informational, "the largest message was 1.00 MiB");
  return out;
}

ConformanceResult sample_partial() {
  ConformanceResult out = sample_conformance();
  out.verdict = "partial";
  out.target = "ws://127.0.0.1:9000";
  out.command = "conformance --target ws://127.0.0.1:9000 --profile channels-tutorial --json partial.json";
  out.control = "none";
  for (CaseResult& c : out.cases) {
    c.message = c.expected = c.actual = c.deviation = "";
    c.transcript.clear();
    if (c.verdict != Verdict::informational) c.verdict = Verdict::pass;
    if (c.section == "close") {
      c.verdict = Verdict::skipped;
      c.message = "no control: pass --control";
    }
  }
  out.cases.pop_back();
  return out;
}

LoadResult sample_run(double factor, int seed) {
  std::mt19937_64 random(static_cast<std::uint64_t>(seed));
  LoadResult out = small_load();
  out.latency.clear();
  out.target_process.reset();
  const double luck = factor * (1 + static_cast<double>(random() % 1000) / 20000);
  out.latency["fan_out"].corrected = times(random, 1.5 * luck, .35, 20, 20000);
  out.latency["last"].corrected = times(random, 3 * luck, .25, 20, 2000);
  out.delivery = {};
  out.delivery.expected = out.delivery.delivered = 20000;
  return out;
}

LoadResult small_load() {
  LoadResult out;
  out.started = "2026-11-23T10:16:00Z";
  out.command = "loadgen run --clients 20 --rooms 2 --rate 10 --duration 3s --threshold 'fan_out.p99<50ms'";
  out.versions = {{"roomcheck", "0.1.0"}, {"kernel", "6.1.0-18-amd64"}};
  out.environment = {{"cpu", "A processor"}, {"cores", "2"}, {"memory", "7.75 GiB"}, {"open_files", "65536"}};
  out.target = "ws://127.0.0.1:8801";
  out.profile = "seed";
  out.scenario = {{"clients", 20}, {"rooms", 2}, {"rate", 10}};
  out.seed = 7;
  out.duration_ns = 3000 * kMillisecond;
  stats::Histogram second;
  for (const char* name : {"fan_out", "first", "median", "last"})
    for (int i = 1; i <= 100; ++i) {
      const Nanoseconds value = std::chrono::microseconds(700 + 10 * i + (i == 100 ? 80000 : 0));
      out.latency[name].corrected.record(value);
      out.latency[name].uncorrected.record(value - std::chrono::microseconds(50));
      if (name == std::string("fan_out")) second.record(value);
    }
  for (int i = 1; i <= 20; ++i) out.latency["connect"].corrected.record(std::chrono::milliseconds(i));
  const auto at = [](int s) { return s * 1000 * kMillisecond; };
  out.series = {{at(0), "connect", 20, 0, 0, 0, 0, 0, ""},
                {at(1), "run", 20, 10, 100, second.quantile(.5).count(), second.quantile(.99).count(),
                 second.max().count(), second.encode()},
                {at(2), "run", 20, 10, 100, second.quantile(.5).count(), second.quantile(.99).count(),
                 second.max().count(), second.encode()},
                {at(3), "drain", 20, 0, 0, 0, 0, 0, ""}};
  for (std::size_t i = 0; i < out.series.size(); ++i) {
    out.series[i].rss_bytes = (17 + i) << 20;
    out.series[i].target_rss_bytes = i == 2 ? 0 : 64ULL << 20;  // just restarted
  }
  out.events = {{at(2), "target", "the target was restarted"}};
  out.rooms = {{"room-0", 10, 150, 150, 0, kMillisecond, 2 * kMillisecond, 3 * kMillisecond},
               {"room-1", 10, 150, 149, 1, kMillisecond, 2 * kMillisecond, 81 * kMillisecond}};
  out.delivery.expected = 300;
  out.delivery.delivered = 299;
  out.delivery.lost = 1;
  out.delivery.offenders = {{"lost", "room-1", 11, 5, 14}};
  out.sends = {30, 30, 1, 0};
  out.connections = {20, 20, 0, 0, {}};
  out.generator.cpu_ns = 12 * kMillisecond;
  out.generator.cpu_per_delivery_ns = 40'000;
  out.generator.busiest_thread = .02;
  out.generator.loop_lag.record(std::chrono::microseconds(90));
  out.generator.rss_bytes = 20ULL << 20;
  out.generator.rss_growth_bytes = 1 << 20;
  out.target_process = {9 * kMillisecond, 45'000, 64ULL << 20, -4096};
  out.thresholds = {{"delivery.lost==0", 1, false}, {"fan_out.p99<50ms", 1.69e6, true}};
  return out;
}

}  // namespace roomcheck::reports::samples
