#include "conformance/options.h"

#include <CLI/CLI.hpp>

#include "libs/program/program.h"

namespace roomcheck::conformance {
namespace {

void add_target(CLI::App& app, Options& o) {
  constexpr const char* kGroup = "Target";
  app.add_option("--target", o.targets, "The server to judge; repeatable: the nodes of a cluster")
      ->type_name("ws://HOST:PORT")
      ->group(kGroup);
  app.add_option("--profile", o.profile, "What it speaks: seed, channels-tutorial, or a file")
      ->capture_default_str()
      ->group(kGroup);
  app.add_option("--set", o.set, "Replace one field of the profile; repeatable")
      ->type_name("FIELD=VALUE")
      ->group(kGroup);
  app.add_option("--control", o.control,
                 "How to push and send directly from outside; without it the run is partial")
      ->type_name("http://..., redis://... or cmd:...")
      ->group(kGroup);
  app.add_option("--control-token", o.control_token, "Sent as 'Authorization: Bearer TOKEN'")
      ->type_name("TOKEN")
      ->group(kGroup);
  app.add_option("--ca", o.ca, "Trust this CA (wss://)")->type_name("PEM")->group(kGroup);
  app.add_flag("--insecure", o.insecure, "Trust any certificate (wss://)")->group(kGroup);
  app.add_option(
         "--start", o.start,
         "Start the target with this shell command, wait for its port, stop it after; {port} in it is "
         "the target's port; for a cluster once a --target")
      ->type_name("COMMAND")
      ->group(kGroup);
  add_duration(app, "--start-timeout", o.start_timeout, "How long it may take until it listens")
      ->group(kGroup);
  app.add_flag("--check", o.check,
               "Exchange a few messages, say which parts of the profile are wrong, and end")
      ->group(kGroup);
  app.add_flag("--print-profile", o.print_profile, "Print the effective profile and end")->group(kGroup);
}

void add_cases(CLI::App& app, Options& o) {
  constexpr const char* kGroup = "Cases";
  app.add_option("--filter", o.filter, "Only cases whose id matches, '*' and '?' as in a shell; repeatable")
      ->type_name("PATTERN")
      ->group(kGroup);
  app.add_flag("--list", o.list, "Print the cases and end")->group(kGroup);
  app.add_option("--jobs", o.jobs, "How many cases run at a time")
      ->check(CLI::Range(1, 64))
      ->capture_default_str()
      ->group(kGroup);
  app.add_option("--repeat", o.repeat, "Run every case this often; the worst verdict counts")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str()
      ->group(kGroup);
  app.add_option("--shard", o.shard, "Only every Nth case, from the Ith on")->type_name("I/N")->group(kGroup);
  app.add_flag("--fail-fast", o.fail_fast, "End after the first case that fails the run")->group(kGroup);
  add_duration(app, "--observe", o.observe,
               "Watch for at least this long what can only be seen by waiting (pings, slow handshakes)")
      ->group(kGroup);
  app.add_option("--timeout-scale", o.timeout_scale, "Multiply every time limit")
      ->check(CLI::Range(0.1, 100.0))
      ->capture_default_str()
      ->group(kGroup);
  app.add_option("--seed", o.seed, "Makes room names and texts repeatable; 0 picks one")
      ->capture_default_str()
      ->group(kGroup);
}

void add_verdict(CLI::App& app, Options& o) {
  constexpr const char* kGroup = "Verdict";
  app.add_flag("--strict", o.strict, "A failed SHOULD fails the run")->group(kGroup);
  app.add_flag("--require-complete", o.require_complete, "A partial run exits 4")->group(kGroup);
  app.add_option(
         "--known-deviations", o.known_deviations,
         "What the target is known to do otherwise: lines of CASE always|sometimes REASON; repeatable")
      ->type_name("FILE")
      ->group(kGroup);
  app.add_option("--json", o.json, "Write roomcheck.conformance/1 (- is stdout)")
      ->type_name("FILE")
      ->group(kGroup);
  app.add_option("--junit", o.junit, "Write JUnit XML (- is stdout)")->type_name("FILE")->group(kGroup);
  app.add_option("--html", o.html, "Write a page with the transcript folded under each failure")
      ->type_name("FILE")
      ->group(kGroup);
  app.add_option("--trace", o.trace, "Keep the transcript of every case in this directory")
      ->type_name("DIR")
      ->group(kGroup);
  app.add_option("--annotate", o.annotate, "Print the failures as annotations of this service, too")
      ->check(CLI::IsMember({"github"}))
      ->group(kGroup);
  app.add_option("--durations", o.durations, "List this many of the slowest cases")
      ->check(CLI::Range(0, 10000))
      ->capture_default_str()
      ->group(kGroup);
}

void add_self_test(CLI::App& app, Options& o) {
  constexpr const char* kGroup = "Self-test";
  app.add_flag("--self-test{full}", o.self_test,
               "Prove that each MUST's cases can fail, on the reference server and its mutants, and end; "
               "=caught leaves out that no unrelated MUST fails")
      ->group(kGroup);
  app.add_option("--reference-server", o.reference_server,
                 "The program to break (default: the one beside this)")
      ->type_name("FILE")
      ->group(kGroup);
}

}  // namespace

void add_options(CLI::App& app, Options& o) {
  add_target(app, o);
  add_cases(app, o);
  add_verdict(app, o);
  add_self_test(app, o);
}

}  // namespace roomcheck::conformance
