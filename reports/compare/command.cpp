#include "reports/compare/command.h"

#include <unistd.h>
#include <CLI/CLI.hpp>

#include <iostream>

#include "libs/base/result.h"
#include "libs/base/units.h"
#include "libs/program/files.h"
#include "reports/compare/render.h"
#include "reports/model/read.h"

namespace roomcheck::reports {
namespace {

constexpr const char* kExamples = R"(Examples:
  report compare main.json branch.json                        one run a side: conformance, or a first look
  report compare --base main-*.json --new branch-*.json --max-regression 5% --html compare.html
  report compare --base main-*.json --new branch-*.json --max-regression 5% --max-regression fan_out.p99=10%
  report compare --paired --base main-*.json --new branch-*.json    runs made in turns: what the machine did counts less

Exit codes: 0 nothing is worse than allowed, 1 a regression, 2 bad input, 4 too few believable runs to tell anything.)";

struct Arguments {
  std::vector<std::string> pair, base, fresh;
  std::vector<std::string> limits;
  CompareOptions compare;
  std::string html, markdown, json;
};

void take_sides(Arguments& a) {
  if (!a.pair.empty() && (!a.base.empty() || !a.fresh.empty()))
    throw BadInput(a.pair.front() + ": BASE or NEW? write --base FILE... --new FILE... and nothing else");
  if (a.pair.size() > 2)
    throw BadInput("which of the " + std::to_string(a.pair.size()) +
                   " files are BASE? write --base FILE... --new FILE...");
  if (a.pair.size() == 2) {
    a.base = {a.pair[0]};
    a.fresh = {a.pair[1]};
  }
  if (a.base.empty() || a.fresh.empty())
    throw BadInput(std::string(a.base.empty() ? "BASE" : "NEW") +
                   " has no file: write BASE NEW, or --base FILE... --new FILE...");
}

// "5%", or "fan_out.p99=10%".
void take_limits(Arguments& a) {
  for (const std::string& limit : a.limits) {
    const std::size_t equals = limit.find('=');
    try {
      if (equals == limit.npos)
        a.compare.max_regression = parse_fraction(limit);
      else
        a.compare.max_regression_of[limit.substr(0, equals)] = parse_fraction(limit.substr(equals + 1));
    } catch (const BadInput& e) {
      throw BadInput("--max-regression " + limit + ": " + e.what());
    }
  }
}

struct Sides {
  std::vector<LoadRun> load_base, load_fresh;
  std::vector<ConformanceResult> suite_base, suite_fresh;
};

Sides read_sides(const Arguments& a) {
  Sides out;
  std::string first_load, first_suite;
  const auto read = [&](const std::string& path, std::vector<LoadRun>& load,
                        std::vector<ConformanceResult>& suite) {
    AnyResult result = parse_result(read_file(path), path);
    if (auto* run = std::get_if<LoadResult>(&result)) {
      load.push_back({path, std::move(*run)});
      first_load = first_load.empty() ? path : first_load;
    } else {
      suite.push_back(std::get<ConformanceResult>(std::move(result)));
      first_suite = first_suite.empty() ? path : first_suite;
    }
    if (!first_load.empty() && !first_suite.empty())
      throw BadInput(first_load + " is of loadgen and " + first_suite +
                     " of conformance: only results of one kind can be compared");
  };
  for (const std::string& path : a.base) read(path, out.load_base, out.suite_base);
  for (const std::string& path : a.fresh) read(path, out.load_fresh, out.suite_fresh);
  return out;
}

template <class Comparison, class... Strict>
void write(const Arguments& a, const Comparison& comparison, Strict... strict) {
  if (a.html != "-" && a.markdown != "-" && a.json != "-")
    std::cout << to_text(comparison, strict...) << std::flush;
  if (!a.html.empty()) write_file(a.html, to_html(comparison, strict...));
  if (!a.markdown.empty()) write_file(a.markdown, to_markdown(comparison, strict...));
  if (!a.json.empty()) write_file(a.json, to_json_text(comparison, strict...));
}

ExitCode run(Arguments& a) {
  take_sides(a);
  take_limits(a);
  Sides sides = read_sides(a);
  if (sides.load_base.empty()) {
    const ConformanceComparison comparison = compare(sides.suite_base, sides.suite_fresh);
    write(a, comparison, a.compare.strict);
    if (comparison.regression(a.compare.strict)) return ExitCode::verdict_bad;
    return comparison.unfit.empty() ? ExitCode::good : ExitCode::not_believable;
  }
  const LoadComparison comparison =
      compare(std::move(sides.load_base), std::move(sides.load_fresh), a.compare);
  write(a, comparison);
  if (comparison.regression()) return ExitCode::verdict_bad;
  return comparison.can_tell() ? ExitCode::good : ExitCode::not_believable;
}

}  // namespace

std::function<ExitCode()> add_compare(CLI::App& app, CLI::App*& command) {
  command =
      app.add_subcommand("compare", "Is NEW worse than BASE? Repeated runs a side; exit 1 on a regression");
  command->footer(kExamples);
  const auto a = std::make_shared<Arguments>();
  command->add_option("BASE_NEW", a->pair, "BASE and NEW, one result file each")->type_name("BASE NEW");
  command->add_option("--base", a->base, "The runs of BASE")->type_name("FILE");
  command->add_option("--new", a->fresh, "The runs of NEW")->type_name("FILE");
  command
      ->add_option(
          "--max-regression", a->limits,
          "A regression is what is proved to be worse by more than this; all metrics or one; repeatable")
      ->type_name("[METRIC=]FRACTION")
      ->default_str("5%");
  command
      ->add_option(
          "--metric", a->compare.metrics,
          "What is judged, a path as in a threshold; repeatable. From the start p50 and p99 of each kind "
          "of delivery and of the last member")
      ->type_name("PATH");
  add_fraction(*command, "--level", a->compare.level,
               "Significance: how often equal sides may be said to differ, all metrics together");
  command->add_flag(
      "--paired", a->compare.paired,
      "Each run of --base was made in turns, or at once, with the one of --new in the same place: "
      "compare pair by pair");
  command->add_option("--seed", a->compare.seed, "Of the bootstrap")->capture_default_str();
  command->add_flag("--strict", a->compare.strict,
                    "Conformance: a newly failing SHOULD is a regression, too");
  command->add_option("--html", a->html, "Write a page, too (- is stdout)")->type_name("FILE");
  command->add_option("--markdown", a->markdown, "Write Markdown for a pull request, too (- is stdout)")
      ->type_name("FILE");
  command->add_option("--json", a->json, "Write roomcheck.comparison/1, too (- is stdout)")
      ->type_name("FILE");
  return [a] { return run(*a); };
}

}  // namespace roomcheck::reports
