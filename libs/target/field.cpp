#include "libs/target/field.h"

#include <algorithm>
#include <stdexcept>

#include "libs/base/regex.h"
#include "libs/base/units.h"

namespace roomcheck::target {

using json = nlohmann::ordered_json;

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t corner = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, corner + (a[i - 1] == b[j - 1] ? 0 : 1)});
      corner = above;
    }
  }
  return row[b.size()];
}

json parse_document(std::string_view text, const std::string& where) {
  try {
    return json::parse(text, nullptr, true, true);  // comments allowed
  } catch (const json::exception& e) {  // not only parse_error: a number may be too large for any type
    const std::string what = e.what();
    const std::size_t line = what.find("at line");
    throw BadInput(where + ": not JSON: " + what.substr(line == what.npos ? 0 : line));
  }
}

void Field::fail(const std::string& why) const {
  throw BadInput(where_ + ": " + (pointer_.empty() ? "the document" : pointer_) + " " + why);
}

void Field::only(std::initializer_list<std::string_view> known) const {
  if (!value_.is_object()) fail("must be a JSON object");
  for (const auto& [key, item] : value_.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    std::string_view nearest;
    for (const std::string_view candidate : known)
      if (edit_distance(key, candidate) <= 2 &&
          (nearest.empty() || edit_distance(key, candidate) < edit_distance(key, nearest)))
        nearest = candidate;
    std::string all;
    for (const std::string_view candidate : known) all += (all.empty() ? "" : ", ") + std::string(candidate);
    Field(item, where_, pointer_ + "/" + key)
        .fail(nearest.empty() ? "is not known here; known are " + all
                              : "is not known here; did you mean \"" + std::string(nearest) + "\"?");
  }
}

Field Field::at(const std::string& key) const {
  if (!has(key)) fail("lacks \"" + key + "\"");
  return {value_.at(key), where_, pointer_ + "/" + key};
}

std::vector<Field> Field::items() const {
  if (!value_.is_array()) fail("must be a list");
  std::vector<Field> out;
  for (std::size_t i = 0; i < value_.size(); ++i)
    out.emplace_back(value_[i], where_, pointer_ + "/" + std::to_string(i));
  return out;
}

std::string Field::text() const {
  if (!value_.is_string()) fail("must be a text, not " + std::string(value_.type_name()));
  return value_.get<std::string>();
}

std::string Field::one_of(std::initializer_list<std::string_view> words) const {
  const std::string out = text();
  if (std::find(words.begin(), words.end(), out) != words.end()) return out;
  std::string all;
  std::size_t left = words.size();
  for (const std::string_view word : words)
    all += "\"" + std::string(word) + "\"" + (--left == 0 ? "" : left == 1 ? " or " : ", ");
  fail("must be " + all);
}

std::vector<std::string> Field::texts() const {
  if (!value_.is_array()) fail("must be a list of texts");
  std::vector<std::string> out;
  for (const Field& item : items()) out.push_back(item.text());
  return out;
}

std::string Field::regex() const {
  const std::string out = text();
  try {
    (void)Regex(out);
    return out;
  } catch (const std::invalid_argument&) {
    fail("is no valid regular expression");
  }
}

double Field::number(double from, double to) const {
  const double out = value_.is_number() ? value_.get<double>() : from - 1;
  if (out >= from && out <= to) return out;
  fail("must be a number from " + json(from).dump() + " to " + json(to).dump());
}

std::uint64_t Field::whole(std::uint64_t from, std::uint64_t to) const {
  if (value_.is_number_unsigned()) {
    const auto out = value_.get<std::uint64_t>();
    if (out >= from && out <= to) return out;
  }
  fail("must be a whole number from " + std::to_string(from) + " to " + std::to_string(to));
}

bool Field::boolean() const {
  if (!value_.is_boolean()) fail("must be true or false");
  return value_.get<bool>();
}

Nanoseconds Field::duration() const {
  try {
    return parse_duration(text());
  } catch (const BadInput& e) {
    fail(std::string("is no duration: ") + e.what());
  }
}

double Field::fraction() const {
  try {
    return parse_fraction(value_.is_number() ? value_.dump() : text());
  } catch (const BadInput& e) {
    fail(std::string("is no fraction: ") + e.what());
  }
}

}  // namespace roomcheck::target
