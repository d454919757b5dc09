#include "libs/base/units.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <utility>

#include "libs/base/result.h"

namespace roomcheck {
namespace {

struct Number {
  double value;
  std::string_view unit;
};

Number split(std::string_view text, std::string_view forms) {
  Number out{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), out.value);
  if (code != std::errc() || !std::isfinite(out.value) || out.value < 0)
    throw BadInput("\"" + std::string(text) + "\" is not " + std::string(forms));
  out.unit = text.substr(static_cast<std::size_t>(end - text.data()));
  return out;
}

template <std::size_t N>
double scale(std::string_view text, std::string_view forms,
             const std::array<std::pair<std::string_view, double>, N>& units, double most) {
  const Number number = split(text, forms);
  for (const auto& [unit, factor] : units)
    if (number.unit == unit && number.value * factor <= most) return number.value * factor;
  throw BadInput("\"" + std::string(text) + "\" is not " + std::string(forms));
}

std::string three_digits(double value, const char* unit) {
  const int decimals = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  std::array<char, 48> out{};
  std::snprintf(out.data(), out.size(), "%.*f %s", decimals, value, unit);
  return out.data();
}

}  // namespace

Nanoseconds parse_duration(std::string_view text) {
  static constexpr std::string_view kForms = "a duration such as 250ms, 30s, 5m or 1h";
  static constexpr std::array<std::pair<std::string_view, double>, 6> kUnits{
      {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}}};
  if (text == "0") return Nanoseconds(0);
  return Nanoseconds(std::llround(scale(text, kForms, kUnits, 9e18)));
}

std::uint64_t parse_size(std::string_view text) {
  static constexpr std::string_view kForms = "a size such as 512, 64B, 4KiB, 16MiB or 1GiB";
  static constexpr std::array<std::pair<std::string_view, double>, 5> kUnits{
      {{"", 1}, {"B", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}}};
  return static_cast<std::uint64_t>(std::llround(scale(text, kForms, kUnits, 9e15)));
}

double parse_fraction(std::string_view text) {
  static constexpr std::string_view kForms = "a fraction such as 1% or 0.01, from 0 to 1";
  static constexpr std::array<std::pair<std::string_view, double>, 2> kUnits{{{"", 1}, {"%", 0.01}}};
  return scale(text, kForms, kUnits, 1.0);
}

std::string format_duration(Nanoseconds duration) {
  const double ns = static_cast<double>(duration.count());
  const double size = std::fabs(ns);
  if (size < 1e3) return std::to_string(duration.count()) + " ns";
  if (size < 1e6) return three_digits(ns / 1e3, "us");
  if (size < 1e9) return three_digits(ns / 1e6, "ms");
  return three_digits(ns / 1e9, "s");
}

std::string format_size(std::uint64_t bytes) {
  const double size = static_cast<double>(bytes);
  if (bytes < 1024) return std::to_string(bytes) + " B";
  if (bytes < 1048576) return three_digits(size / 1024, "KiB");
  if (bytes < 1073741824) return three_digits(size / 1048576, "MiB");
  return three_digits(size / 1073741824, "GiB");
}

std::string format_count(std::uint64_t count) {
  std::string out = std::to_string(count);
  for (int i = static_cast<int>(out.size()) - 3; i > 0; i -= 3) out.insert(static_cast<std::size_t>(i), ",");
  return out;
}

std::string format_iso8601(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> out{};
  std::strftime(out.data(), out.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return out.data();
}

}  // namespace roomcheck
