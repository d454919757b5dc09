#pragma once
#include <string>
#include <vector>

#include "reports/model/read.h"

namespace roomcheck::reports {

struct NamedResult {
  std::string source;  // the file it came from, as the user wrote it
  AnyResult result;
};

// One HTML page of all results, in this order. It needs nothing but itself: scripts and styles are inside,
// and its content security policy forbids it the network. Whatever stands in a result is text, never markup.
std::string render_html(const std::vector<NamedResult>& results);

}  // namespace roomcheck::reports
