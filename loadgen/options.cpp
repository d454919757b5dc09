#include "loadgen/options.h"

#include <random>

#include "libs/base/result.h"
#include "libs/program/program.h"

namespace roomcheck::loadgen {

void add_options(CLI::App& app, Options& options) {
  Scenario& s = options.scenario;
  s.seed = std::random_device{}();
  app.require_subcommand(1);
  CLI::App& run = *app.add_subcommand("run", "Load rooms: members talk, everyone is to get it once");
  const auto group = [](const char* name, CLI::Option* option) { option->group(name); };

  group("Target",
        run.add_option("--target", s.target, "The room server")->type_name("URL")->capture_default_str());
  group("Target",
        run.add_option("--profile", options.profile, "What it speaks: seed, channels-tutorial, or a file")
            ->type_name("NAME|FILE")
            ->capture_default_str());
  group("Target", run.add_option("--set", options.overrides, "Replace a field of the profile; repeatable")
                      ->type_name("FIELD=VALUE"));
  group("Target",
        run.add_option("--header", options.headers, "Send this header with each handshake; repeatable")
            ->type_name("'NAME: VALUE'"));
  group("Target", run.add_option("--cookie", s.cookies, "Send this Cookie header")->type_name("NAME=VALUE"));
  group("Target", run.add_option("--target-pid", s.target_pid,
                                 "Measure the CPU time of this process, the target on this machine")
                      ->type_name("PID"));

  group("Load", run.add_option("--clients", s.clients, "Connections, spread evenly over the rooms")
                    ->capture_default_str());
  group("Load", run.add_option("--rooms", s.rooms, "Rooms")->capture_default_str());
  group("Load", run.add_option("--senders", s.senders, "Members of each room that talk, in turns")
                    ->capture_default_str());
  group("Load", run.add_option("--rate", s.rate, "Messages per second, all rooms together")
                    ->type_name("PER_SECOND")
                    ->capture_default_str());
  group("Load", add_size(run, "--payload", s.payload, "Size of each text, 64 or more"));
  group("Load", run.add_option("--connect-rate", s.connect_rate, "Connections per second")
                    ->type_name("PER_SECOND")
                    ->capture_default_str());
  group("Load", run.add_option("--threads", s.threads, "Event loops; the members of one room share one")
                    ->capture_default_str());
  group("Load", run.add_option("--seed", s.seed, "Makes the run repeatable; stands in the result")
                    ->type_name("N")
                    ->default_str("random"));

  group("Time",
        add_duration(run, "--warmup", s.warmup, "Sent before the measurement, left out of the result"));
  group("Time", add_duration(run, "--duration", s.duration, "What is measured"));
  group("Time", add_duration(run, "--drain", s.drain, "Longest wait for what is still in flight at the end"));
  group("Time", add_duration(run, "--timeout", s.timeout, "For one connection to open and join"));

  group(
      "Verdict",
      run.add_option("--threshold", options.thresholds,
                     "A number of the result must be so, e.g. 'fan_out.p99<50ms'; repeatable. From the start "
                     "delivery.lost, .duplicated, .foreign and .corrupt must be 0")
          ->type_name("EXPR"));
  group("Verdict",
        run.add_option("--json", options.json, "Write the result (roomcheck.load/1) here; - is stdout")
            ->type_name("FILE"));

  run.footer(
      "Exit codes: 0 good, 1 a threshold was missed, 2 bad input, 3 the target failed or is not there,\n"
      "4 the generator was the bottleneck: the numbers are not to be believed.\n\n"
      "Examples:\n"
      "  loadgen run --clients 5000 --rooms 50 --rate 200 --duration 30s --json load.json\n"
      "  loadgen run --target ws://127.0.0.1:8000 --profile channels-tutorial --threshold "
      "'fan_out.p99<50ms'\n"
      "  loadgen run --clients 100 --rooms 1 --rate 10 --threshold 'delivery.lost<100'");
  app.footer(
      "Examples:\n  loadgen run --help\n  loadgen run --clients 5000 --rooms 50 --rate 200 --duration 30s "
      "--json load.json");
}

target::Profile complete(Options& options) {
  for (const std::string& header : options.headers) {
    const std::size_t colon = header.find(':');
    if (colon == header.npos || colon == 0 || header.find_first_of("\r\n") != header.npos)
      throw BadInput("--header '" + header + "': expected 'NAME: VALUE', on one line");
    const std::size_t value = header.find_first_not_of(' ', colon + 1);
    options.scenario.headers.emplace_back(header.substr(0, colon),
                                          value == header.npos ? "" : header.substr(value));
  }
  if (options.scenario.cookies.find_first_of("\r\n") != std::string::npos)
    throw BadInput("--cookie: a line break would begin another header; give one line");
  target::Profile profile = target::with_overrides(target::load_profile(options.profile), options.overrides);
  validate(options.scenario, profile);
  return profile;
}

}  // namespace roomcheck::loadgen
