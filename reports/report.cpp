#include "reports/report.h"

#include <string>
#include <vector>

#include "libs/program/files.h"
#include "libs/program/program.h"
#include "reports/model/read.h"
#include "reports/render/html.h"

namespace roomcheck::reports {
namespace {

constexpr const char* kExamples = R"(Examples:
  report html load.json -o report.html
  report html load.json conformance.json -o report.html      one page, in this order
  report html - -o - < load.json > report.html)";

struct Options {
  std::vector<std::string> results;
  std::string output = "report.html";
};

ExitCode write_html(const Options& options) {
  std::vector<NamedResult> results;
  for (const std::string& path : options.results) results.push_back({path, read_result(path)});
  write_file(options.output, render_html(results));
  return ExitCode::good;
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App app("Turns the results of loadgen and conformance into what people read.", "report");
  app.footer(kExamples);
  app.require_subcommand(1);
  Options options;
  CLI::App* html = app.add_subcommand(
      "html", "One self-contained HTML page: no network, light and dark, screen and paper");
  html->add_option("RESULT", options.results, "Result files of loadgen or conformance (- is stdin)")
      ->required();
  html->add_option("-o,--output", options.output, "Where the page goes (- is stdout)")
      ->type_name("FILE")
      ->capture_default_str();
  return run_program(app, argc, argv, [&] { return write_html(options); });
}

}  // namespace roomcheck::reports
