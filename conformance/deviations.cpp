#include "conformance/deviations.h"

#include <fnmatch.h>

#include <algorithm>
#include <sstream>

#include "libs/base/result.h"
#include "libs/program/files.h"

namespace roomcheck::conformance {

using reports::CaseResult;
using reports::Verdict;

Deviations::Deviations(const std::vector<std::string>& files, const std::vector<Case>& catalog) {
  for (const std::string& file : files) read(read_file(file), file, catalog);
}

void Deviations::read(std::string_view text, const std::string& where, const std::vector<Case>& catalog) {
  std::istringstream in{std::string(text)};
  std::string row;
  for (int number = 1; std::getline(in, row); ++number) {
    std::istringstream words(row);
    Line line{where + ":" + std::to_string(number), "", true, ""};
    std::string expectation;
    if (!(words >> line.pattern) || line.pattern.front() == '#') continue;
    words >> expectation >> std::ws;
    std::getline(words, line.reason);
    while (!line.reason.empty() && std::isspace(static_cast<unsigned char>(line.reason.back())) != 0)
      line.reason.pop_back();
    if (expectation != "always" && expectation != "sometimes")
      throw BadInput(line.where + ": after the case must come \"always\" or \"sometimes\", not \"" +
                     expectation + "\"");
    if (line.reason.empty())
      throw BadInput(line.where + ": the reason is missing: say why " + line.pattern + " deviates");
    line.always = expectation == "always";
    bool matches = false, taken = false;
    for (const Case& c : catalog) {
      if (::fnmatch(line.pattern.c_str(), c.id.c_str(), 0) != 0) continue;
      (line_for(c.id) == nullptr ? matches : taken) = true;
    }
    if (!matches && taken)
      throw BadInput(line.where + ": every case that " + line.pattern +
                     " matches is taken by an earlier line: delete one of them");
    if (!matches)
      throw BadInput(line.where + ": " + line.pattern +
                     " matches no case (--list names them): correct or delete the line");
    lines_.push_back(std::move(line));
  }
}

const Deviations::Line* Deviations::line_for(const std::string& id) const {
  const auto found = std::find_if(lines_.begin(), lines_.end(), [&id](const Line& line) {
    return ::fnmatch(line.pattern.c_str(), id.c_str(), 0) == 0;
  });
  return found == lines_.end() ? nullptr : &*found;
}

void Deviations::judge(CaseResult& result) const {
  const Line* line = line_for(result.id);
  if (line == nullptr) return;
  if (result.verdict == Verdict::fail || result.verdict == Verdict::crash) {
    result.verdict = Verdict::known_deviation;
    result.deviation = line->reason;
  } else if (result.verdict == Verdict::pass && line->always) {
    result.verdict = Verdict::unexpected_pass;
    result.deviation = line->reason;
    result.message = "passes, though " + line->where + " says that it always deviates (" + line->reason +
                     "): delete the line, or describe the race and call it sometimes";
  }
}

}  // namespace roomcheck::conformance
