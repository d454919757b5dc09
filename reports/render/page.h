#pragma once
#include <string>

namespace roomcheck::reports {

enum class Charts { none, drawn };

// A whole HTML document around a body. It needs nothing but itself: scripts and styles are inside, and its
// content security policy forbids it the network. `title` and `heading` are text, `body` is markup; uPlot is
// carried only where charts are drawn.
std::string page(const std::string& title, const std::string& heading, const std::string& body,
                 Charts charts);

}  // namespace roomcheck::reports
