#include "reports/model/thresholds.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <utility>

#include "libs/base/result.h"
#include "libs/base/units.h"

namespace roomcheck::reports {
namespace {

using Json = nlohmann::ordered_json;
using Comparison = Requirement::Comparison;

constexpr std::array<std::pair<std::string_view, Comparison>, 6> kComparisons{
    {{"<=", Comparison::less_equal},
     {">=", Comparison::greater_equal},
     {"==", Comparison::equal},
     {"!=", Comparison::not_equal},
     {"<", Comparison::less},
     {">", Comparison::greater}}};

const Json* number_at(const Json& object, std::string_view path) {
  const Json* at = &object;
  while (true) {
    const std::size_t dot = path.find('.');
    const auto member = at->is_object() ? at->find(std::string(path.substr(0, dot))) : at->end();
    if (member == at->end()) return nullptr;
    at = &*member;
    if (dot == path.npos) return at->is_number() ? at : nullptr;
    path.remove_prefix(dot + 1);
  }
}

bool is_time(std::string_view path) { return path.size() > 3 && path.substr(path.size() - 3) == "_ns"; }

// As a person would write it.
std::string shorten(std::string path) {
  constexpr std::string_view kLatency = "latency.";
  constexpr std::string_view kCorrected = ".corrected.";
  if (path.compare(0, kLatency.size(), kLatency) == 0) path.erase(0, kLatency.size());
  if (const std::size_t at = path.find(kCorrected); at != path.npos) path.erase(at, kCorrected.size() - 1);
  if (is_time(path)) path.resize(path.size() - 3);
  return path;
}

void collect(const Json& object, const std::string& prefix, std::vector<std::string>& out) {
  for (const auto& [key, value] : object.items()) {
    const std::string path = prefix.empty() ? key : prefix + "." + key;
    if (value.is_object()) collect(value, path, out);
    if (value.is_number()) out.push_back(shorten(path));
  }
}

std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, change}));
    }
  }
  return row.back();
}

std::string trimmed(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  return text;
}

double parse_limit(const std::string& expression, const std::string& text, bool time) {
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool number = code == std::errc() && end == text.data() + text.size();
  if (!time) {
    if (number) return value;
    throw BadInput("--threshold '" + expression + "': \"" + text + "\" is not a number without a unit");
  }
  if (number && value != 0)
    throw BadInput("--threshold '" + expression + "': a time needs a unit: " + text + "ns, us, ms or s");
  try {
    return static_cast<double>(parse_duration(text).count());
  } catch (const BadInput& e) {
    throw BadInput("--threshold '" + expression + "': " + e.what());
  }
}

Requirement parse(const std::string& expression, const Json& shape) {
  const std::size_t at = expression.find_first_of("<>=!");
  for (const auto& [sign, comparison] : kComparisons) {
    if (at == expression.npos || expression.compare(at, sign.size(), sign) != 0) continue;
    const std::string path = trimmed(expression.substr(0, at));
    Requirement out{expression, full_path(path, shape), comparison, 0};
    if (out.path.empty())
      throw BadInput("--threshold '" + expression + "': a result has no number \"" + path +
                     "\"; did you mean " + nearest_path(path, shape) + "?");
    out.limit = parse_limit(expression, trimmed(expression.substr(at + sign.size())), is_time(out.path));
    return out;
  }
  throw BadInput("--threshold '" + expression +
                 "': write PATH COMPARISON NUMBER, such as fan_out.p99<50ms or delivery.lost==0");
}

bool holds(double value, Comparison comparison, double limit) {
  switch (comparison) {
    case Comparison::less:
      return value < limit;
    case Comparison::less_equal:
      return value <= limit;
    case Comparison::greater:
      return value > limit;
    case Comparison::greater_equal:
      return value >= limit;
    case Comparison::equal:
      return value == limit;
    case Comparison::not_equal:
      return value != limit;
  }
  return false;
}

}  // namespace

std::string full_path(const std::string& path, const Json& shape) {
  const std::size_t dot = path.find('.');
  std::vector<std::string> candidates{path, "latency." + path};
  if (dot != path.npos)
    candidates.push_back("latency." + path.substr(0, dot) + ".corrected" + path.substr(dot));
  for (const std::string& candidate : candidates)
    for (const char* suffix : {"", "_ns"})
      if (number_at(shape, candidate + suffix) != nullptr) return candidate + suffix;
  return "";
}

std::string nearest_path(const std::string& path, const Json& shape) {
  std::vector<std::string> all;
  collect(shape, "", all);
  if (all.empty()) return "delivery.lost";
  return *std::min_element(all.begin(), all.end(), [&](const std::string& a, const std::string& b) {
    return edit_distance(path, a) < edit_distance(path, b);
  });
}

std::vector<Requirement> parse_requirements(const std::vector<std::string>& expressions, const Json& shape) {
  std::vector<Requirement> out;
  for (const std::string& expression : expressions) out.push_back(parse(expression, shape));
  return out;
}

std::vector<Requirement> with_defaults(std::vector<Requirement> given) {
  std::vector<Requirement> out;
  for (const char* path : {"delivery.lost", "delivery.duplicated", "delivery.foreign", "delivery.corrupt"}) {
    const bool replaced =
        std::any_of(given.begin(), given.end(), [&](const Requirement& r) { return r.path == path; });
    if (!replaced) out.push_back({std::string(path) + "==0", path, Comparison::equal, 0});
  }
  std::move(given.begin(), given.end(), std::back_inserter(out));
  return out;
}

double number_at_path(const Json& result, const std::string& path) {
  const Json* number = number_at(result, path);
  assert(number != nullptr);
  return number->get<double>();
}

std::string format_measured(const Threshold& t) {
  const std::size_t sign = t.expression.find_last_of("<>=");
  const std::string limit = sign == std::string::npos ? "" : t.expression.substr(sign + 1);
  if (!limit.empty() && std::isalpha(static_cast<unsigned char>(limit.back())) != 0)
    return format_duration(Nanoseconds(std::llround(std::clamp(t.value, -9e18, 9e18))));
  if (t.value >= 0 && t.value < 1e18 && std::floor(t.value) == t.value)
    return format_count(static_cast<std::uint64_t>(t.value));
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", t.value);
  return text;
}

Threshold judge(const Requirement& requirement, const Json& result) {
  const Json* number = number_at(result, requirement.path);
  if (number == nullptr) return {requirement.expression, 0, false};  // a result always has it: see `shape`
  const double value = number->get<double>();
  return {requirement.expression, value, holds(value, requirement.comparison, requirement.limit)};
}

}  // namespace roomcheck::reports
