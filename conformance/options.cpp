#include "conformance/options.h"

namespace roomcheck::conformance {

void add_options(CLI::App& app, Options& o) {
  app.add_option("--target", o.targets, "The server to judge; repeatable: the nodes of a cluster")
      ->type_name("ws://HOST:PORT")
      ->group("Target");
  app.add_option("--profile", o.profile, "What it speaks: seed, channels-tutorial, or a file")
      ->capture_default_str()
      ->group("Target");
  app.add_option("--set", o.set, "Replace one field of the profile; repeatable")
      ->type_name("FIELD=VALUE")
      ->group("Target");
  app.add_option("--control", o.control,
                 "How to push and send directly from outside; without it the run is partial")
      ->type_name("http://..., redis://... or cmd:...")
      ->group("Target");
  app.add_option("--control-token", o.control_token, "Sent as 'Authorization: Bearer TOKEN'")
      ->type_name("TOKEN")
      ->group("Target");
  app.add_option("--ca", o.ca, "Trust this CA (wss://)")->type_name("PEM")->group("Target");
  app.add_flag("--insecure", o.insecure, "Trust any certificate (wss://)")->group("Target");

  app.add_option("--filter", o.filter, "Only cases whose id matches, '*' and '?' as in a shell; repeatable")
      ->type_name("PATTERN")
      ->group("Cases");
  app.add_flag("--list", o.list, "Print the cases and end")->group("Cases");
  app.add_flag("--print-profile", o.print_profile, "Print the effective profile and end")->group("Cases");
  app.add_option("--timeout-scale", o.timeout_scale, "Multiply every time limit")
      ->check(CLI::Range(0.1, 100.0))
      ->capture_default_str()
      ->group("Cases");
  app.add_option("--seed", o.seed, "Makes room names and texts repeatable; 0 picks one")
      ->capture_default_str()
      ->group("Cases");

  app.add_flag("--strict", o.strict, "A failed SHOULD fails the run")->group("Verdict");
  app.add_flag("--require-complete", o.require_complete, "A partial run exits 4")->group("Verdict");
  app.add_option("--json", o.json, "Write roomcheck.conformance/1 (- is stdout)")
      ->type_name("FILE")
      ->group("Verdict");
  app.add_option("--junit", o.junit, "Write JUnit XML (- is stdout)")->type_name("FILE")->group("Verdict");
}

}  // namespace roomcheck::conformance
