#include "reports/render/markup.h"

#include <algorithm>
#include <cstdio>

#include "libs/base/units.h"

namespace roomcheck::reports {

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '\0':
        out += "\xEF\xBF\xBD";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string duration(std::int64_t ns) { return format_duration(Nanoseconds(ns)); }

std::string percent(double fraction) {
  char text[32];
  std::snprintf(text, sizeof text, fraction < 0.01 && fraction > 0 ? "%.2f %%" : "%.1f %%", fraction * 100);
  return text;
}

Cell count_cell(std::uint64_t count) { return {format_count(count), static_cast<std::int64_t>(count)}; }

Cell time_cell(std::int64_t ns) { return {duration(ns), ns}; }

std::string render(const Table& table) {
  std::string out = table.sortable ? "<div class=\"scroll tall\" tabindex=0><table class=sortable><thead><tr>"
                                   : "<div class=scroll tabindex=0><table><thead><tr>";
  for (std::size_t i = 0; i < table.heads.size(); ++i) {
    const bool number = !table.rows.empty() && i < table.rows[0].size() && table.rows[0][i].number;
    out += number ? "<th scope=col class=n>" : "<th scope=col>";
    out += table.sortable ? "<button type=button>" + table.heads[i] + "</button>" : table.heads[i];
    out += "</th>";
  }
  out += "</tr></thead><tbody>";
  for (const std::vector<Cell>& row : table.rows) {
    out += "<tr>";
    for (const Cell& cell : row) {
      out += cell.number ? "<td class=n" : "<td";
      if (table.sortable && !cell.sort.empty()) out += " data-sort=\"" + escape(cell.sort) + "\"";
      out += '>' + cell.html + "</td>";
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string definition_list(const std::map<std::string, std::string>& pairs) {
  if (pairs.empty()) return "<p class=quiet>The result says nothing.</p>\n";
  std::string out = "<dl>";
  for (const auto& [name, value] : pairs)
    out += "<dt>" + escape(name) + "</dt><dd>" + escape(value) + "</dd>";
  return out + "</dl>\n";
}

std::vector<std::string> short_names(const std::vector<std::string>& paths) {
  std::vector<std::string> out;
  for (const std::string& path : paths) out.push_back(path.substr(path.rfind('/') + 1));
  std::vector<std::string> sorted = out;
  std::sort(sorted.begin(), sorted.end());
  return std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end() ? out : paths;
}

std::string unfold(const std::string& summary_html, const std::string& body_html) {
  return "<details><summary>" + summary_html + "</summary>\n" + body_html + "</details>\n";
}

std::string list_of_text(const std::vector<std::string>& sentences) {
  std::string out = "<ul>";
  for (const std::string& sentence : sentences) out += "<li>" + escape(sentence) + "</li>";
  return out + "</ul>\n";
}

std::string code_block(std::string_view text) { return "<pre tabindex=0>" + escape(text) + "</pre>\n"; }

std::vector<Cell> percentile_cells(const stats::Histogram& h) {
  if (h.count() == 0) {
    std::vector<Cell> out{count_cell(0)};
    for (int i = 0; i < 5; ++i) out.push_back({"–", -1});
    return out;
  }
  std::vector<Cell> out{count_cell(h.count())};
  // A quantile is the upper end of its bucket; the greatest value is known more exactly than that.
  for (const double q : {.5, .9, .99, .999})
    out.push_back(time_cell(std::min(h.quantile(q), h.max()).count()));
  out.push_back(time_cell(h.max().count()));
  return out;
}

}  // namespace roomcheck::reports
