#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace roomcheck::house {

// The rows of the first Markdown table whose header begins with `| <first> |`: their cells, trimmed.
std::vector<std::vector<std::string>> table(std::string_view markdown, const std::string& first);
// What stands between backquotes.
std::vector<std::string> code_words(const std::string& cell);

// The tests of a source file by "Suite.Name", each with its text.
std::map<std::string, std::string> tests_in(const std::string& source);

// docs/SECURITY.md, "Every limit": a sentence for each row without a test that exists, with an option that
// --help does not know, or with a counter that /metrics has not or that none of its tests reads.
std::vector<std::string> wrong_limits(std::string_view security, const std::string& help,
                                      const std::string& metrics,
                                      const std::map<std::string, std::string>& tests);

}  // namespace roomcheck::house
