#pragma once
#include <string_view>

// What is put into the page as it is; the definitions are generated at build time (reports/web/embed.cmake).
namespace roomcheck::reports::assets {

extern const std::string_view uplot_js;
extern const std::string_view uplot_css;
extern const std::string_view uplot_license;
extern const std::string_view page_js;
extern const std::string_view page_css;

}  // namespace roomcheck::reports::assets
