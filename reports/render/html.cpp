#include "reports/render/html.h"

#include <algorithm>

#include "reports/render/markup.h"
#include "reports/render/page.h"
#include "reports/render/sections.h"
#include "reports/render/side_by_side.h"

namespace roomcheck::reports {
namespace {

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
  std::string body;
  if (results.size() > 1) body += contents(results);
  body += side_by_side(results);
  for (std::size_t i = 0; i < results.size(); ++i) body += section(results[i], "r" + std::to_string(i + 1));
  return page(title, "Roomcheck report", body, draws ? Charts::drawn : Charts::none);
}

}  // namespace roomcheck::reports
