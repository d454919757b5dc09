#include "reports/render/page.h"

#include "libs/program/program.h"
#include "reports/render/assets.h"
#include "reports/render/markup.h"

namespace roomcheck::reports {
namespace {

// Even a mistake of ours cannot make the page reach out.
constexpr const char* kPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; form-action "
    "'none'; "
    "base-uri 'none'";

}  // namespace

std::string page(const std::string& title, const std::string& heading, const std::string& body,
                 Charts charts) {
  const bool draws = charts == Charts::drawn;
  std::string out =
      "<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"";
  out += kPolicy;
  out += "\">\n<meta name=viewport content=\"width=device-width, initial-scale=1\">\n";
  out += "<meta name=color-scheme content=\"light dark\">\n<link rel=icon href=\"data:,\">\n<title>" +
         escape(title) + "</title>\n<style>\n";
  if (draws) out += assets::uplot_css;
  out += assets::page_css;
  out += "</style>\n</head>\n<body>\n<main>\n<h1>" + escape(heading) + "</h1>\n" + body;
  out += "<footer class=quiet>Made by roomcheck ";
  out += escape(version());
  out += ". This page is complete in itself and asks the network for nothing.</footer>\n</main>\n<script>\n";
  if (draws) {
    out += "/* uPlot. ";
    out += assets::uplot_license;
    out += "*/\n";
    out += assets::uplot_js;
  }
  out += "\n";
  out += assets::page_js;
  return out + "</script>\n</body>\n</html>\n";
}

}  // namespace roomcheck::reports
