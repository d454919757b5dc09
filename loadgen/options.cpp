#include "loadgen/options.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <random>

#include "libs/base/result.h"
#include "libs/base/units.h"
#include "libs/program/files.h"
#include "libs/program/program.h"

namespace roomcheck::loadgen {
namespace {

// A subcommand with options in groups.
class Section {
 public:
  Section(CLI::App& app, const char* group) : app_(app), group_(group) {}
  template <class T>
  CLI::Option* add(const char* name, T& value, const std::string& help, const char* type = "") {
    CLI::Option* out = app_.add_option(name, value, help)->group(group_)->capture_default_str();
    if (*type != '\0') out->type_name(type);
    return out;
  }
  CLI::Option* list(const char* name, std::vector<std::string>& value, const std::string& help,
                    const char* type) {
    return app_.add_option(name, value, help)->group(group_)->type_name(type)->allow_extra_args(false);
  }
  CLI::Option* duration(const char* name, std::chrono::nanoseconds& value, const std::string& help) {
    return add_duration(app_, name, value, help)->group(group_);
  }

 private:
  CLI::App& app_;
  const char* group_;
};

void add_target(CLI::App& app, Options& options) {
  Scenario& s = options.scenario;
  Section target(app, "Target");
  target
      .list("--target", options.targets,
            "A node of the room server; repeatable, the members of a room are spread", "URL")
      ->default_str(s.targets.front());
  target.add("--profile", options.profile, "What it speaks: seed, channels-tutorial, or a file", "NAME|FILE");
  target.list("--set", options.overrides, "Replace a field of the profile; repeatable", "FIELD=VALUE");
  target.add("--control", s.control, "The way in from outside, for push and direct", "URL")->default_str("");
  target.add("--control-token", s.control_token, "Its token", "TEXT")->default_str("");

  target
      .add("--target-pid", s.target_pid, "Measure the CPU time of this process, the target on this machine",
           "PID")
      ->default_str("");

  Section handshake(app, "Handshake");
  handshake.list("--header", options.headers, "Send this header with each handshake; repeatable",
                 "'NAME: VALUE'");
  handshake.add("--cookie", s.cookies, "Send this Cookie header", "NAME=VALUE")->default_str("");
  handshake.add("--header-file", options.header_file, "A header a line: client i sends line i", "FILE")
      ->default_str("");
  handshake.add("--cookie-file", options.cookie_file, "A cookie a line: client i sends line i", "FILE")
      ->default_str("");
  handshake.list("--subprotocol", s.subprotocols, "Offer it; repeatable", "NAME");
  app.add_flag("--compress", s.compress,
               "Offer permessage-deflate; where the target agrees, compress each message")
      ->group("Handshake");
  handshake.list("--source-ip", s.source_addresses,
                 "Connect from this address; repeatable, for more than 64k connections", "ADDRESS");
  handshake
      .add("--ca", s.tls.ca_file, "Trust the certificates in this PEM file instead of the system's", "FILE")
      ->default_str("");
  handshake.add("--cert", s.tls.certificate_file, "Client certificate (PEM)", "FILE")->default_str("");
  handshake.add("--key", s.tls.key_file, "Its key", "FILE")->default_str("");
  handshake
      .add("--sni", s.tls.server_name, "Name to ask for and to verify, instead of the URL's host", "NAME")
      ->default_str("");
  app.add_flag("--insecure{false}", s.tls.verify, "Do not verify the server's certificate")
      ->group("Handshake");
  handshake.add(
      "--reconnect", options.reconnect,
      "When the target has closed: never, or wait FIRST, twice as long after each failure, at most MOST",
      "never|FIRST..MOST");
}

// Options that describe one workload and one stage; a scenario file has them instead.
std::vector<CLI::Option*> add_load(CLI::App& app, Options& options) {
  Scenario& s = options.scenario;
  WorkloadPlan& plan = s.workloads.front();
  Section load(app, "Load");
  std::vector<CLI::Option*> out{
      load.add("--workload", options.workload, "What the clients do")
          ->check(CLI::IsMember({"fan-out", "push", "direct", "echo", "join-storm", "churn"})),
      load.add("--clients", plan.clients, "Connections, spread over the rooms"),
      load.add("--rooms", plan.rooms, "Rooms (echo and direct have one for each client)"),
      load.add("--room-sizes", options.room_sizes,
               "How: uniform, zipf[:EXPONENT], or a list such as 1000,10*90", "SIZES"),
      load.add("--senders", plan.senders, "Members of each room that talk, in turns"),
      load.add("--rate", plan.rate, "Messages per second, all rooms together", "PER_SECOND"),
      load.add("--arrival", options.arrival, "constant, poisson or burst")
          ->check(CLI::IsMember({"constant", "poisson", "burst"})),
      load.add("--burst", plan.burst, "Messages that come together with --arrival burst"),
      load.add("--payload", options.payload, "Size of each text, 64 or more: 100, 64..2KiB, or 100*9,4KiB*1",
               "SIZES"),
      add_fraction(app, "--slow-readers", plan.slow_readers, "Share of clients that read slowly; not judged")
          ->default_str("0")
          ->group("Load"),
      load.add("--slow-read-rate", plan.slow_read_rate, "Octets a second that one of them takes"),
      load.duration("--stay", plan.stay, "Mean time of a member in its room (churn)"),
      load.add("--connect-rate", s.connect_rate, "Connections per second", "PER_SECOND"),
  };
  Section time(app, "Time");
  out.push_back(time.duration("--warmup", s.warmup, "Sent before the measurement, left out of the result"));
  out.push_back(time.duration("--drain", s.drain, "Longest wait for what is still in flight at the end"));
  out.push_back(time.duration("--timeout", s.timeout, "For one connection to open and join"));
  return out;
}

void add_generator(CLI::App& app, Options& options) {
  Section generator(app, "Generator");
  generator.add("--threads", options.threads, "Event loops; the members of one room share one")
      ->default_str("1");
  generator.add("--seed", options.seed, "Makes the run repeatable; stands in the result", "N")
      ->default_str("random");
  app.add_flag("--kernel-timestamps", options.scenario.kernel_timestamps,
               "A delivery came when the kernel received it, not when we read it; how long it waited for us "
               "is told apart. "
               "Not with wss://")
      ->group("Generator");
}

void add_run(CLI::App& run, Options& options) {
  add_target(run, options);
  std::vector<CLI::Option*> load = add_load(run, options);
  Section time(run, "Time");
  load.push_back(time.duration("--duration", options.scenario.stages.front().duration, "What is measured"));
  add_generator(run, options);
  CLI::Option* scenario =
      Section(run, "Load")
          .add("--scenario", options.scenario_file,
               "Several workloads and stages, from a JSON file; instead of the above", "FILE");
  scenario->default_str("");
  for (CLI::Option* option : load) scenario->excludes(option);

  ScaleOut& scale_out = options.scale_out;
  Section machines(run, "More than one machine");
  machines
      .add("--shard", scale_out.shard,
           "This process is part I of N, I from 0 on; rank, or rank/N: what Open MPI, MPICH, Slurm, "
           "Kubernetes or "
           "GNU parallel has told it",
           "I/N")
      ->default_str("rank with --rendezvous or --start-at");
  machines
      .add("--rendezvous", scale_out.rendezvous,
           "Where the shards meet, to begin together once all are connected; a KEY for each run",
           "redis://HOST/KEY")
      ->default_str("");
  machines.duration("--rendezvous-timeout", scale_out.rendezvous_timeout,
                    "How long one waits for the others");
  machines
      .add("--start-at", scale_out.start_at,
           "Begin at this moment instead, e.g. 2026-11-23T10:16:00Z; the machines' clocks must agree", "TIME")
      ->default_str("");

  Section verdict(run, "Verdict");
  verdict.list(
      "--threshold", options.thresholds,
      "A number of the result must be so, e.g. 'fan_out.p99<50ms' (loadgen metrics lists them); repeatable. "
      "From the start delivery.lost, .duplicated, .foreign and .corrupt must be 0",
      "EXPR");
  Outputs& outputs = options.outputs;
  Section output(run, "Output (- is stdout)");
  output.add("--json", outputs.json, "The result (roomcheck.load/1)", "FILE")->default_str("");
  output.add("--csv", outputs.csv, "A row for each second", "FILE")->default_str("");
  output.add("--hgrm", outputs.hgrm, "Percentile distribution, as HdrHistogram plots it", "FILE")
      ->default_str("");
  output.add("--hlog", outputs.hlog, "HdrHistogram V2 log: each second, and each latency, tagged", "FILE")
      ->default_str("");
  output.add("--live-jsonl", outputs.live_jsonl, "A JSON line each second, while it runs", "FILE")
      ->default_str("");
  output.add("--prometheus", outputs.prometheus, "Serve /metrics there while it runs", "HOST:PORT")
      ->default_str("");
  run.footer(
      "Exit codes: 0 good, 1 a threshold was missed, 2 bad input, 3 the target failed or is not there,\n"
      "4 the generator was the bottleneck: the numbers are not to be believed.\n\n"
      "Examples:\n"
      "  loadgen run --clients 5000 --rooms 50 --rate 200 --duration 30s --json load.json\n"
      "  loadgen run --target ws://127.0.0.1:8000 --profile channels-tutorial --threshold "
      "'fan_out.p99<50ms'\n"
      "  loadgen run --workload push --control http://127.0.0.1:8802 --clients 100 --rooms 1 --rate 10\n"
      "  loadgen run --scenario evening.json --live-jsonl -");
}

void add_capacity(CLI::App& capacity, Options& options) {
  add_target(capacity, options);
  add_load(capacity, options);
  add_generator(capacity, options);
  Section search(capacity, "Search");
  search
      .list("--slo", options.slo, "What must hold, as a threshold, e.g. 'fan_out.p99<100ms'; repeatable",
            "EXPR")
      ->required();
  search.add("--vary", options.vary, "What grows: the rate of messages, or the clients (rooms stay)")
      ->check(CLI::IsMember({"rate", "clients"}));
  search.add("--from", options.from, "Where to begin", "LOAD")->default_str("a tenth of --rate or --clients");
  search.add("--to", options.to, "Never more than this", "LOAD")->default_str("no limit");
  search.duration("--step", options.step, "How long each load is kept; confirmed with twice that");
  add_fraction(capacity, "--precision", options.precision, "Stop when the bounds are as close as this")
      ->default_str("2%")
      ->group("Search");
  Section(capacity, "Output (- is stdout)")
      .add("--json", options.outputs.json, "Every step, and the answer", "FILE")
      ->default_str("");
  capacity.footer(
      "Doubles the load until the SLO (or a delivery) is missed, then halves the interval; a missed step is\n"
      "tried again, the answer is confirmed. Says who gave first: the target, or this generator.\n\n"
      "Exit codes: 0 found, 2 bad input, 3 the target failed or is not there, 4 the generator gave first.\n\n"
      "Example:\n"
      "  loadgen capacity --clients 1000 --rooms 10 --slo 'fan_out.p99<100ms' --vary rate");
}

std::pair<std::string, std::string> parse_header(const std::string& header, const std::string& where) {
  const std::size_t colon = header.find(':');
  if (colon == header.npos || colon == 0 || header.find_first_of("\r\n") != header.npos)
    throw BadInput(where + " '" + header + "': expected 'NAME: VALUE', on one line");
  const std::size_t value = header.find_first_not_of(' ', colon + 1);
  return {header.substr(0, colon), value == header.npos ? "" : header.substr(value)};
}

std::vector<std::string> lines_of(const std::string& option, const std::string& path) {
  std::vector<std::string> out;
  const std::string text = read_file(path);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) out.push_back(std::move(line));
    at = end + 1;
  }
  if (out.empty())
    throw BadInput(option + " " + path + ": it has no line; give one for each client, or a few in turn");
  return out;
}

Reconnect parse_reconnect(const std::string& text) {
  Reconnect out;
  if (text == "never") return out;
  out.enabled = true;
  const std::size_t dots = text.find("..");
  try {
    out.first = parse_duration(text.substr(0, dots));
    out.most = dots == text.npos ? out.first : parse_duration(text.substr(dots + 2));
  } catch (const BadInput& e) {
    throw BadInput("--reconnect " + text + ": expected never, or times such as 100ms..10s: " + e.what());
  }
  if (out.first.count() <= 0 || out.most < out.first)
    throw BadInput("--reconnect " + text + ": the first wait is above 0 and not longer than the last");
  return out;
}

}  // namespace

void add_options(CLI::App& app, Options& options) {
  app.require_subcommand(1);
  add_run(*app.add_subcommand("run", "Load rooms, and account for every delivery"), options);
  add_capacity(*app.add_subcommand("capacity", "Search the greatest load that meets a service level"),
               options);
  app.add_subcommand("metrics", "List what a --threshold can speak of, with meaning and unit");
  app.footer(
      "Examples:\n  loadgen run --help\n  loadgen run --clients 5000 --rooms 50 --rate 200 --duration 30s "
      "--json load.json");
}

target::Profile complete(Options& options) {
  Scenario& s = options.scenario;
  s.seed = std::random_device{}();
  if (options.scenario_file.empty()) {
    WorkloadPlan& plan = s.workloads.front();
    plan.workload = find_workload(options.workload);
    const auto named = [](const char* option, auto parse, const std::string& text) {
      try {
        return parse(text);
      } catch (const BadInput& e) {
        throw BadInput(std::string(option) + ": " + e.what());
      }
    };
    plan.room_sizes = named("--room-sizes", RoomSizes::parse, options.room_sizes);
    plan.payload = named("--payload", PayloadSizes::parse, options.payload);
    plan.arrival = options.arrival == "constant"  ? WorkloadPlan::Arrival::constant
                   : options.arrival == "poisson" ? WorkloadPlan::Arrival::poisson
                                                  : WorkloadPlan::Arrival::burst;
  } else {
    s = parse_scenario(read_file(options.scenario_file), options.scenario_file, s);
  }
  if (!options.targets.empty()) s.targets = options.targets;
  if (options.threads > 0) s.threads = options.threads;
  if (!options.seed.empty()) {
    const char* end = options.seed.data() + options.seed.size();
    if (const auto result = std::from_chars(options.seed.data(), end, s.seed);
        result.ec != std::errc() || result.ptr != end)
      throw BadInput("--seed " + options.seed + ": expected a whole number from 0 on");
  }
  s.reconnect = parse_reconnect(options.reconnect);
  for (const std::string& header : options.headers) s.headers.push_back(parse_header(header, "--header"));
  if (!options.header_file.empty())
    for (const std::string& line : lines_of("--header-file", options.header_file))
      s.headers_by_client.push_back(parse_header(line, "--header-file " + options.header_file + ":"));
  if (!options.cookie_file.empty()) s.cookies_by_client = lines_of("--cookie-file", options.cookie_file);
  if (s.cookies.find_first_of("\r\n") != std::string::npos)
    throw BadInput("--cookie: a line break would begin another header; give one line");
  if (s.tls.certificate_file.empty() != s.tls.key_file.empty())
    throw BadInput("--cert and --key go together");
  target::Profile profile = target::with_overrides(target::load_profile(options.profile), options.overrides);
  validate(s, profile);
  return profile;
}

}  // namespace roomcheck::loadgen
