#include "ci/house/documents.h"

#include <algorithm>
#include <sstream>

#include "libs/base/regex.h"

namespace roomcheck::house {
namespace {

std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> out;
  std::istringstream in(line.substr(1));
  for (std::string cell; std::getline(in, cell, '|');) {
    cell.erase(0, cell.find_first_not_of(' '));
    cell.erase(cell.find_last_not_of(' ') + 1);
    out.push_back(cell);
  }
  return out;
}

bool has(const std::string& text, const std::string& word) { return text.find(word) != text.npos; }

// layer_dropped_total is `dropped` in the tests of the layer itself.
std::string bare(std::string counter) {
  if (counter.rfind("layer_", 0) == 0) counter.erase(0, 6);
  if (const std::size_t at = counter.find("_total"); at != counter.npos) counter.erase(at);
  return counter;
}

}  // namespace

std::vector<std::vector<std::string>> table(std::string_view markdown, const std::string& first) {
  std::vector<std::vector<std::string>> out;
  std::istringstream in{std::string(markdown)};
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (inside && line.substr(0, 1) != "|") return out;
    if (inside && line.substr(0, 4) != "|---") out.push_back(cells(line));
    inside = inside || line.rfind("| " + first + " |", 0) == 0;
  }
  return out;
}

std::vector<std::string> code_words(const std::string& cell) {
  static const Regex kCode("`([^`]+)`");
  std::vector<std::string> out;
  for (const Regex::Match& code : kCode.all(cell)) out.push_back(code[1]);
  return out;
}

std::map<std::string, std::string> tests_in(const std::string& source) {
  static const Regex kTest(R"((?:^|\n)(?:TYPED_)?TEST(?:_[FP])?\((\w+),\s*(\w+)\))");
  std::map<std::string, std::string> out;
  std::string* text = nullptr;
  std::size_t begin = 0;
  for (const Regex::Match& test : kTest.all(source)) {
    if (text != nullptr) *text = source.substr(begin, test.at - begin);
    text = &out[test[1] + "." + test[2]];
    begin = test.at;
  }
  if (text != nullptr) *text = source.substr(begin);
  return out;
}

std::vector<std::string> wrong_limits(std::string_view security, const std::string& help,
                                      const std::string& metrics,
                                      const std::map<std::string, std::string>& tests) {
  std::vector<std::string> out;
  std::string options;
  for (const std::vector<std::string>& row : table(security, "limit")) {
    const auto wrong = [&](const std::string& what) { out.push_back("\"" + row[0] + "\" " + what); };
    if (row.size() != 5) {
      wrong("has not five cells");
      continue;
    }
    for (const std::string& word : code_words(row[1])) {
      options += word + " ";
      if (word.rfind("--", 0) == 0 && !has(help, word + " "))
        wrong("has an option that --help has not: " + word);
    }
    std::string texts;
    if (code_words(row[4]).empty()) wrong("is proved by no test");
    for (const std::string& name : code_words(row[4])) {
      const auto test = tests.find(name);
      if (test == tests.end())
        wrong("is proved by a test that is not there: " + name);
      else
        texts += test->second;
    }
    if (row[3].find_first_of("abcdefghijklmnopqrstuvwxyz") == std::string::npos)
      wrong("has no counter, and does not say why");
    for (const std::string& counter : code_words(row[3])) {
      if (!has(metrics, "\"" + counter + "\"")) wrong("is counted nowhere as " + counter);
      if (!has(texts, counter) && !has(texts, "stats()." + bare(counter)))
        wrong("has a counter that its tests do not read: " + counter);
    }
  }
  static const Regex kOption(R"(\n  (--[a-z-]+))");
  const std::string limits = help.substr(std::min(help.find("\nLimits:"), help.size()));
  const std::string section = limits.substr(0, limits.find("\n\n\n"));
  for (const Regex::Match& option : kOption.all(section))
    if (!has(options, option[1] + " ")) out.push_back(option[1] + " of --help is in no row");
  return out;
}

}  // namespace roomcheck::house
