#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace roomcheck {

// A regular expression as profiles write it: ECMAScript's syntax, std::regex's matching, of octets.
// std::regex itself is named in regex.cpp only, for it takes every file that uses it two to four seconds to
// compile.
//
// Thread: any. Cost: construction compiles it; copies share it.
class Regex {
 public:
  struct Match {
    std::size_t at;                   // where in the text
    std::vector<std::string> groups;  // 0: all of it; a group that took no part is empty
    const std::string& operator[](std::size_t group) const { return groups[group]; }
  };

  // Throws std::invalid_argument when it is no regular expression.
  explicit Regex(const std::string& expression);

  bool matches(std::string_view text) const;  // the whole of it
  std::optional<Match> find(std::string_view text) const;
  // find() for what a peer wrote: looks at its first 4 KiB, because std::regex takes stack for each octet,
  // and a long text would take all.
  bool in_beginning_of(std::string_view text) const;
  std::vector<Match> all(std::string_view text) const;  // from left to right, none inside another

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace roomcheck
