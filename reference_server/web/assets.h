#pragma once
#include <string_view>
#include <vector>

namespace roomcheck::reference_server::web {

// A file of the built chat page: "index.html", "icon.svg", "assets/<name>-<hash>.js".
struct Asset {
  std::string_view path;
  std::string_view content;
};

// Empty when the program was built with -DROOMCHECK_WEB=OFF.
const std::vector<Asset>& assets();

}  // namespace roomcheck::reference_server::web
