#include "reports/render/html.h"

#include <algorithm>

#include "libs/program/program.h"
#include "reports/render/assets.h"
#include "reports/render/markup.h"
#include "reports/render/sections.h"

namespace roomcheck::reports {
namespace {

// Even a mistake of ours cannot make the page reach out.
constexpr const char* kPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; form-action "
    "'none'; "
    "base-uri 'none'";

Headline headline_of(const AnyResult& result) {
  return std::visit([](const auto& r) { return headline(r); }, result);
}

std::string kind_of(const AnyResult& result) {
  return std::holds_alternative<LoadResult>(result) ? "Load run" : "Conformance run";
}

std::string target_of(const AnyResult& result) {
  return std::visit([](const auto& r) { return r.target; }, result);
}

std::string started_of(const AnyResult& result) {
  return std::visit([](const auto& r) { return r.started; }, result);
}

std::string badge(const Headline& h) {
  return "<span class=\"tag " + std::string(h.tone) + "\">" + std::string(h.word) + "</span>";
}

std::string contents(const std::vector<NamedResult>& results) {
  std::string out = "<nav aria-label=Contents><ol>";
  for (std::size_t i = 0; i < results.size(); ++i)
    out += "<li><a href=\"#r" + std::to_string(i + 1) + "\">" + kind_of(results[i].result) + "</a> " +
           badge(headline_of(results[i].result)) + " <span class=quiet>" + escape(results[i].source) +
           "</span></li>";
  return out + "</ol></nav>\n";
}

std::string section(const NamedResult& named, const std::string& id) {
  const Headline h = headline_of(named.result);
  const std::string body = std::holds_alternative<LoadResult>(named.result)
                               ? load_section(std::get<LoadResult>(named.result), id)
                               : conformance_section(std::get<ConformanceResult>(named.result), id);
  return "<section id=" + id + ">\n<header class=\"verdict " + std::string(h.tone) + "\"><p class=kind>" +
         kind_of(named.result) + " of <code>" + escape(target_of(named.result)) + "</code> <span>" +
         escape(started_of(named.result)) + "</span></p><h2>" + std::string(h.word) + "</h2><p>" +
         escape(h.sentence) + "</p></header>\n" + body + "</section>\n";
}

}  // namespace

std::string render_html(const std::vector<NamedResult>& results) {
  const std::string title = results.size() == 1
                                ? "Roomcheck: " + std::string(headline_of(results[0].result).word) + ", " +
                                      target_of(results[0].result)
                                : "Roomcheck: " + std::to_string(results.size()) + " results";
  const bool draws = std::any_of(results.begin(), results.end(), [](const NamedResult& named) {
    return std::holds_alternative<LoadResult>(named.result);
  });
  std::string out =
      "<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"";
  out += kPolicy;
  out += "\">\n<meta name=viewport content=\"width=device-width, initial-scale=1\">\n";
  out += "<meta name=color-scheme content=\"light dark\">\n<link rel=icon href=\"data:,\">\n<title>" +
         escape(title) + "</title>\n<style>\n";
  if (draws) out += assets::uplot_css;
  out += assets::page_css;
  out += "</style>\n</head>\n<body>\n<main>\n<h1>Roomcheck report</h1>\n";
  if (results.size() > 1) out += contents(results);
  for (std::size_t i = 0; i < results.size(); ++i) out += section(results[i], "r" + std::to_string(i + 1));
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
