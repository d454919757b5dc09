#pragma once
#include <string>
#include <string_view>

#include "reports/model/conformance_result.h"
#include "reports/model/load_result.h"

namespace roomcheck::reports {

// What a page says first of a result: the word, its colour (a class of page.css: good, bad, doubt) and one
// sentence.
struct Headline {
  std::string_view word;
  std::string_view tone;
  std::string sentence;
};
std::string badge(const Headline& headline);
Headline headline(const LoadResult& result);
Headline headline(const ConformanceResult& result);

// The body of a result's section; `id` is the section's, unique in the page, and starts every id inside.
std::string load_section(const LoadResult& result, const std::string& id);
std::string conformance_section(const ConformanceResult& result, const std::string& id);

}  // namespace roomcheck::reports
