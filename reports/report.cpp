#include "reports/report.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/result.h"
#include "libs/program/files.h"
#include "libs/program/program.h"
#include "reports/compare/command.h"
#include "reports/merge/merge.h"
#include "reports/model/junit.h"
#include "reports/model/plain.h"
#include "reports/model/read.h"
#include "reports/render/annotations.h"
#include "reports/render/html.h"
#include "reports/render/markdown.h"
#include "reports/render/matrix.h"

namespace roomcheck::reports {
namespace {

constexpr const char* kExamples = R"(Examples:
  report html load.json conformance.json -o report.html      one page, in this order
  report matrix django=django.json node=node.json -o matrix.html
  report markdown load.json conformance.json                 for a pull-request comment or a job summary
  report junit conformance.json -o junit.xml
  report compare --base main-*.json --new branch-*.json --max-regression 5%
  report merge shard-*.json -o all.json
  report csv load.json --table rooms
  report hgrm load.json --latency last)";

struct Options {
  std::vector<std::string> results;
  std::string output;
  bool markdown = false;
  std::string table;
  std::string latency = "fan_out";
  bool uncorrected = false;
};

AnyResult read_result(const std::string& path) { return parse_result(read_file(path), path); }

std::vector<NamedResult> read_all(const Options& options) {
  std::vector<NamedResult> out;
  for (const std::string& path : options.results) out.push_back({path, read_result(path)});
  return out;
}

// "django=results/django.json", or a file alone, which is then called by its name without the ending.
std::pair<std::string, std::string> name_and_path(const std::string& argument) {
  const std::size_t equals = argument.find('=');
  if (equals != argument.npos && equals > 0 && !std::filesystem::exists(argument))
    return {argument.substr(0, equals), argument.substr(equals + 1)};
  return {std::filesystem::path(argument).stem().string(), argument};
}

std::string matrix(const Options& options) {
  std::vector<Implementation> all;
  for (const std::string& argument : options.results) {
    const auto [name, path] = name_and_path(argument);
    AnyResult result = read_result(path);
    if (!std::holds_alternative<ConformanceResult>(result))
      throw BadInput(path + ": a load result; the matrix takes results of conformance");
    all.push_back({name, std::get<ConformanceResult>(std::move(result))});
  }
  return options.markdown ? render_matrix_markdown(all) : render_matrix_html(all);
}

std::string junit(const Options& options) {
  return std::visit([](const auto& r) { return to_junit(r); }, read_result(options.results.at(0)));
}

std::string hgrm(const Options& options) {
  const std::string& path = options.results.at(0);
  const AnyResult result = read_result(path);
  const auto* load = std::get_if<LoadResult>(&result);
  if (load == nullptr) throw BadInput(path + ": a conformance result has no latency; give one of loadgen");
  const auto found = load->latency.find(options.latency);
  if (found != load->latency.end())
    return to_hgrm(options.uncorrected ? found->second.uncorrected : found->second.corrected);
  std::string names;
  for (const auto& [name, latency] : load->latency) names += (names.empty() ? "" : ", ") + name;
  throw BadInput("--latency " + options.latency + ": " + path + " has " + (names.empty() ? "none" : names));
}

std::string merged(const Options& options) {
  std::vector<Shard> shards;
  for (const std::string& path : options.results) {
    AnyResult result = read_result(path);
    if (!std::holds_alternative<LoadResult>(result))
      throw BadInput(path + ": a conformance result; merge takes the shards of a load run");
    shards.push_back({path, std::get<LoadResult>(std::move(result))});
  }
  return to_json(merge(std::move(shards))).dump(2) + "\n";
}

CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& description,
                      Options& options, const std::string& output, const std::string& results, bool several) {
  CLI::App* command = app.add_subcommand(name, description);
  CLI::Option* files = command->add_option("RESULT", options.results, results)->required();
  if (!several) files->expected(1);
  command->add_option("-o,--output", options.output, "Where it goes (- is stdout)")
      ->type_name("FILE")
      ->default_str(output);
  command->preparse_callback([&options, output](std::size_t) { options.output = output; });
  return command;
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App app("Turns the results of loadgen and conformance into what people read.", "report");
  app.footer(kExamples);
  app.require_subcommand(1);
  Options options;
  std::vector<std::pair<CLI::App*, std::function<std::string()>>> commands;

  commands.emplace_back(
      add_command(app, "html", "One self-contained HTML page: no network, light and dark, screen and paper",
                  options, "report.html", "Result files of loadgen or conformance (- is stdin)", true),
      [&] { return render_html(read_all(options)); });

  CLI::App* const matrix_command = add_command(
      app, "matrix", "Requirements by implementations: an HTML page, or Markdown for a README", options,
      "matrix.html", "Result files of conformance, one an implementation; NAME=FILE names the column", true);
  matrix_command->add_flag("--markdown", options.markdown, "Markdown, on stdout unless -o says otherwise");
  commands.emplace_back(matrix_command, [&] { return matrix(options); });

  commands.emplace_back(
      add_command(app, "markdown", "For a pull-request comment or a job summary, 60,000 characters at most",
                  options, "-", "Result files of loadgen or conformance (- is stdin)", true),
      [&] { return render_markdown(read_all(options)); });

  commands.emplace_back(
      add_command(app, "annotations", "Workflow commands of GitHub: what failed, as errors and warnings",
                  options, "-", "Result files of loadgen or conformance (- is stdin)", true),
      [&] {
        std::string out;
        for (const NamedResult& named : read_all(options)) out += to_annotations(named.result);
        return out;
      });

  commands.emplace_back(add_command(app, "junit", "JUnit XML; red is what makes the exit code bad", options,
                                    "-", "A result file of loadgen or conformance (- is stdin)", false),
                        [&] { return junit(options); });

  CLI::App* const csv_command =
      add_command(app, "csv", "One table as comma-separated values; times in nanoseconds", options, "-",
                  "A result file of loadgen or conformance (- is stdin)", false);
  csv_command
      ->add_option("--table", options.table,
                   "Of a load run series, latency or rooms, of a conformance run cases")
      ->type_name("NAME")
      ->default_str("series or cases");
  commands.emplace_back(csv_command,
                        [&] { return to_csv(read_result(options.results.at(0)), options.table); });

  CLI::App* const hgrm_command = add_command(
      app, "hgrm", "A latency's percentiles as HdrHistogram's plotter reads them, in milliseconds", options,
      "-", "A result file of loadgen (- is stdin)", false);
  hgrm_command
      ->add_option("--latency", options.latency, "Which one: fan_out, first, median, last, connect ...")
      ->type_name("NAME")
      ->capture_default_str();
  hgrm_command->add_flag("--uncorrected", options.uncorrected, "From the send, not from the intended time");
  commands.emplace_back(hgrm_command, [&] { return hgrm(options); });

  commands.emplace_back(
      add_command(app, "merge", "One result of a load run's shards: histograms and ledgers added exactly",
                  options, "-", "The result files of all shards of one run", true),
      [&] { return merged(options); });

  CLI::App* compare_command = nullptr;
  const std::function<ExitCode()> compare = add_compare(app, compare_command);

  return run_program(app, argc, argv, [&] {
    if (compare_command->parsed()) return compare();
    for (const auto& [command, render] : commands) {
      if (!command->parsed()) continue;
      const std::string text = render();
      if (options.markdown && command->get_option("--output")->count() == 0) options.output = "-";
      write_file(options.output, text);
    }
    return ExitCode::good;
  });
}

}  // namespace roomcheck::reports
