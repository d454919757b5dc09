#include "conformance/written.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include "conformance/output.h"
#include "libs/base/result.h"
#include "libs/program/files.h"
#include "libs/program/program.h"
#include "reports/model/junit.h"

namespace roomcheck::conformance {
namespace {

namespace fs = std::filesystem;

// `report`, or `roomcheck-report` where we are installed as roomcheck-conformance.
std::string report_program() {
  std::error_code ignored;
  const fs::path self = fs::read_symlink("/proc/self/exe", ignored);
  for (const char* name : {"report", "roomcheck-report"})
    if (const fs::path beside = self.parent_path() / name; ::access(beside.c_str(), X_OK) == 0)
      return beside.string();
  throw BadInput("--html: the program report does not lie beside this one in " + self.parent_path().string() +
                 ": put it there, or take --json FILE and `report html FILE`");
}

// The page comes from the report program, for its renderer is no part of this one.
void write_page(const std::string& report, const std::string& path, const std::string& result) {
  std::string words[] = {report, "html", "-", "-o", path};
  std::array<char*, 5> argv{};
  for (std::size_t i = 0; i < argv.size(); ++i) argv[i] = words[i].data();
  FILE* pipe = ::popen(command_line(argv.size(), argv.data()).c_str(), "we");
  const bool written = pipe != nullptr && std::fwrite(result.data(), 1, result.size(), pipe) == result.size();
  if (pipe == nullptr || ::pclose(pipe) != 0 || !written)
    throw StartFailure("--html " + path + ": " + report + " failed");
}

}  // namespace

Written::Written(std::string json, std::string junit, std::string html, std::string annotate, bool strict)
    : json_(std::move(json)),
      junit_(std::move(junit)),
      html_(std::move(html)),
      annotate_(std::move(annotate)),
      strict_(strict) {
  const int on_stdout = (json_ == "-") + (junit_ == "-") + (html_ == "-") + !annotate_.empty();
  if ((json_ == "-" || junit_ == "-" || html_ == "-") && on_stdout > 1)
    throw BadInput(
        "--json, --junit, --html and --annotate: only one of them can go to stdout; give the others a file");
  require_writable("--json", json_);
  require_writable("--junit", junit_);
  require_writable("--html", html_);
  if (!html_.empty()) report_ = report_program();
}

void Written::write(const reports::ConformanceResult& result) const {
  const std::string json = to_json(result).dump(2) + "\n";
  if (!json_.empty()) write_file(json_, json);
  if (!junit_.empty()) write_file(junit_, reports::to_junit(result));
  std::cout << std::flush;
  if (!html_.empty()) write_page(report_, html_, json);
  if (!annotate_.empty()) std::cout << github_annotations(result, strict_);
}

TraceDirectory::TraceDirectory(std::string path) : path_(std::move(path)) {
  std::error_code code;
  fs::create_directories(path_, code);
  if (code || ::access(path_.c_str(), W_OK) != 0)
    throw BadInput("--trace " + path_ + ": no directory that can be written to" +
                   (code ? ": " + code.message() : ""));
}

void TraceDirectory::keep(const Case& c, const Context& context) {
  std::string text;
  for (const std::string& line : context.transcript(Context::kWhole)) text += line + "\n";
  try {
    const fs::path file = fs::path(path_) / (c.id + ".txt");
    fs::create_directories(file.parent_path());
    write_file(file.string(), text);
  } catch (const std::exception& e) {  // no exception leaves a worker
    const std::lock_guard lock(mu_);
    if (failure_.empty()) failure_ = e.what();
  }
}

void TraceDirectory::check() {
  const std::lock_guard lock(mu_);
  if (!failure_.empty()) throw StartFailure("--trace: " + failure_);
}

}  // namespace roomcheck::conformance
