#pragma once
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/result.h"

namespace roomcheck::target {

// How many single-letter changes lie between two words.
std::size_t edit_distance(std::string_view a, std::string_view b);

// JSON that people write: comments allowed. Throws BadInput with `where` and the line of what is no JSON.
nlohmann::ordered_json parse_document(std::string_view text, const std::string& where);

// A place in such a document (a profile, a scenario): reads fields, and names itself by its JSON pointer when
// one is wrong. Every reader throws BadInput: the file, the pointer, what is wrong, the remedy.
//
// Ownership: the document and `where` outlive it.
class Field {
 public:
  Field(const nlohmann::ordered_json& value, const std::string& where, std::string pointer = "")
      : value_(value), where_(where), pointer_(std::move(pointer)) {}

  [[noreturn]] void fail(const std::string& why) const;

  // An object with no other keys than these; a misspelt one gets a suggestion.
  void only(std::initializer_list<std::string_view> known) const;
  bool has(const std::string& key) const { return value_.contains(key); }
  Field at(const std::string& key) const;
  std::vector<Field> items() const;  // of a list

  std::string text() const;
  std::string one_of(std::initializer_list<std::string_view> words) const;
  std::vector<std::string> texts() const;
  std::string regex() const;
  double number(double from, double to) const;
  std::uint64_t whole(std::uint64_t from, std::uint64_t to) const;
  bool boolean() const;
  Nanoseconds duration() const;  // "30s"
  double fraction() const;       // 0.01 or "1%"

  const nlohmann::ordered_json& value() const { return value_; }

 private:
  const nlohmann::ordered_json& value_;
  const std::string& where_;
  std::string pointer_;
};

}  // namespace roomcheck::target
