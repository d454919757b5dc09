#include "libs/base/units.h"
#include "reports/render/markup.h"
#include "reports/render/matrix_table.h"
#include "reports/render/page.h"
#include "reports/render/sections.h"

namespace roomcheck::reports {
namespace {

std::string detail_id(std::size_t row, std::size_t implementation) {
  return "c" + std::to_string(row + 1) + "-" + std::to_string(implementation + 1);
}

std::string overview(const std::vector<Implementation>& all, const std::vector<MatrixRow>& rows) {
  Table table{
      {"Implementation", "Verdict", "MUST met", "SHOULD met", "Known deviations", "Target", "Started"},
      {},
      true};
  for (std::size_t i = 0; i < all.size(); ++i) {
    const ConformanceResult& r = all[i].result;
    const Met must = requirements_met(rows, i, Level::must),
              should = requirements_met(rows, i, Level::should);
    const auto summary = r.summary();
    const auto known = summary.find("known_deviation");
    std::string verdict = badge(headline(r));
    for (const std::string& lack : what_was_lacking(r))
      verdict += "<p class=message>not asked: " + escape(lack) + "</p>";
    table.rows.push_back({"<b>" + escape(all[i].name) + "</b>", verdict,
                          Cell(share(must), static_cast<std::int64_t>(must.met)),
                          Cell(share(should), static_cast<std::int64_t>(should.met)),
                          count_cell(known == summary.end() ? 0 : known->second),
                          "<code class=whole>" + escape(r.target) + "</code>", escape(r.started)});
  }
  return render(table);
}

std::string legend() {
  std::string out = "<p class=legend>";
  for (const Verdict verdict : kMostUrgentFirst) {
    const Shown s = shown(verdict);
    out += "<span><i class=\"sign " + std::string(s.tone) + "\">" + std::string(s.sign) + "</i> " +
           std::string(s.word) + "</span> ";
  }
  return out + "<span><i class=\"sign none\">·</i> not in this run</span></p>\n";
}

std::string cell(const MatrixRow& row, std::size_t number, std::size_t implementation,
                 const std::string& name) {
  const std::optional<Verdict> verdict = row.verdict(implementation);
  if (!verdict)
    return "<td class=\"m none\"><span title=\"" + escape(name) + ": not in this run\">·</span></td>";
  const Shown s = shown(*verdict);
  // A SHOULD that is not met is no failure of the run: the sign of one, in the colour of doubt.
  const bool mild = row.level != Level::must && *verdict == Verdict::fail;
  const std::string label = escape(name + ": " + std::string(s.word));
  const std::string head = "<td class=\"m " + std::string(mild ? "doubt" : s.tone) + "\">";
  const std::string text =
      "<span aria-hidden=true>" + std::string(s.sign) + "</span><span class=sr>" + label + "</span>";
  if (*verdict == Verdict::pass) return head + "<span title=\"" + label + "\">" + text + "</span></td>";
  return head + "<a href=\"#" + detail_id(number, implementation) + "\" title=\"" + label + "\">" + text +
         "</a></td>";
}

std::string matrix(const std::vector<Implementation>& all, const std::vector<MatrixRow>& rows) {
  std::string out =
      "<label class=script><input type=checkbox id=differ> only where they differ</label>\n"
      "<div class=\"scroll wide\" tabindex=0><table class=matrix><thead><tr><th scope=col>Requirement</th>"
      "<th scope=col>Level</th>";
  for (const Implementation& one : all) {
    out += "<th scope=col class=m>" + escape(one.name);
    if (one.result.verdict == "partial") out += " <span class=\"tag doubt\">partial</span>";
    out += "</th>";
  }
  out += "</tr></thead>";
  std::string section;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const MatrixRow& row = rows[i];
    if (row.section != section) {
      if (i > 0) out += "</tbody>";
      section = row.section;
      out += "<tbody><tr class=group><th scope=rowgroup colspan=" + std::to_string(all.size() + 2) + ">" +
             escape(section) + "</th></tr>\n";
    }
    out += row.same_everywhere() ? "<tr class=same>" : "<tr>";
    out += "<th scope=row><code>" + escape(row.requirement) + "</code>";
    if (!row.sentence.empty()) out += "<p class=message>" + escape(row.sentence) + "</p>";
    out += "</th><td>" + std::string(to_string(row.level)) + "</td>";
    for (std::size_t k = 0; k < all.size(); ++k) out += cell(row, i, k, all[k].name);
    out += "</tr>\n";
  }
  return out + (rows.empty() ? "" : "</tbody>") + "</table></div>\n";
}

std::string known_deviations(const std::vector<Implementation>& all) {
  Table table{{"Implementation", "Case", "Reason", "What it does"}, {}, false};
  for (const Implementation& one : all)
    for (const CaseResult& c : one.result.cases)
      if (c.verdict == Verdict::known_deviation)
        table.rows.push_back({escape(one.name), "<code>" + escape(c.id) + "</code>",
                              c.deviation.empty() ? "–" : escape(c.deviation), escape(c.message)});
  return table.rows.empty() ? "" : "<h3>Known deviations</h3>\n" + render(table);
}

// One block for each cell that is no pass; page.js moves it under the row whose cell was clicked.
std::string details(const std::vector<Implementation>& all, const std::vector<MatrixRow>& rows) {
  std::string out;
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t k = 0; k < all.size(); ++k) {
      const std::optional<Verdict> verdict = rows[i].verdict(k);
      if (!verdict || *verdict == Verdict::pass) continue;
      out += "<div class=home><details class=cell id=" + detail_id(i, k) + "><summary><b>" +
             escape(all[k].name) + "</b>: <code>" + escape(rows[i].requirement) + "</code> " +
             verdict_tag(*verdict) + "</summary>\n";
      for (const CaseResult* c : rows[i].cells[k]) {
        out += "<h4>" + verdict_tag(c->verdict) + " <code>" + escape(c->id) + "</code></h4>\n";
        if (!c->message.empty()) out += "<p>" + escape(c->message) + "</p>\n";
        if (c->verdict != Verdict::pass) out += what_happened(*c);
      }
      out += "</details></div>\n";
    }
  return out.empty() ? "" : "<h3>What happened</h3>\n<div class=cells>" + out + "</div>\n";
}

std::string reproduce(const std::vector<Implementation>& all) {
  std::string out = "<h3>How to reproduce</h3>\n";
  for (const Implementation& one : all)
    out += "<h4>" + escape(one.name) + "</h4>\n" + code_block(one.result.command);
  return out;
}

}  // namespace

std::string render_matrix_html(const std::vector<Implementation>& all) {
  const std::vector<MatrixRow> rows = matrix_rows(all);
  const std::string body = overview(all, rows) + "<h3>Requirements by implementation</h3>\n" + legend() +
                           matrix(all, rows) + known_deviations(all) + details(all, rows) + reproduce(all);
  return page("Roomcheck: conformance of " + std::to_string(all.size()) +
                  (all.size() == 1 ? " implementation" : " implementations"),
              "Who keeps the contract of a room server?", body, Charts::none);
}

}  // namespace roomcheck::reports
