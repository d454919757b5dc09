#include "libs/base/regex.h"

#include <regex>
#include <stdexcept>

namespace roomcheck {
namespace {

Regex::Match match_of(const std::cmatch& found) {
  Regex::Match out{static_cast<std::size_t>(found.position()), {}};
  for (const auto& group : found) out.groups.push_back(group.str());
  return out;
}

}  // namespace

struct Regex::Compiled {
  std::regex regex;
};

Regex::Regex(const std::string& expression) {
  try {
    compiled_ = std::make_shared<Compiled>(Compiled{std::regex(expression)});
  } catch (const std::regex_error& e) {
    throw std::invalid_argument(expression + " is no valid regular expression: " + e.what());
  }
}

bool Regex::matches(std::string_view text) const {
  return std::regex_match(text.data(), text.data() + text.size(), compiled_->regex);
}

std::optional<Regex::Match> Regex::find(std::string_view text) const {
  std::cmatch found;
  if (!std::regex_search(text.data(), text.data() + text.size(), found, compiled_->regex))
    return std::nullopt;
  return match_of(found);
}

bool Regex::in_beginning_of(std::string_view text) const { return find(text.substr(0, 4096)).has_value(); }

std::vector<Regex::Match> Regex::all(std::string_view text) const {
  std::vector<Match> out;
  for (std::cregex_iterator it(text.data(), text.data() + text.size(), compiled_->regex), end; it != end;
       ++it)
    out.push_back(match_of(*it));
  return out;
}

}  // namespace roomcheck
