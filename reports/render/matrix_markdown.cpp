#include "libs/base/units.h"
#include "reports/render/markdown.h"
#include "reports/render/matrix_table.h"
#include "reports/render/sections.h"

namespace roomcheck::reports {
namespace {

template <class CellOf>
std::string line(const std::vector<Implementation>& all, const std::string& first, const std::string& second,
                 CellOf cell_of) {
  std::string out = "| " + first + " | " + second + " |";
  for (std::size_t i = 0; i < all.size(); ++i) out += " " + cell_of(i) + " |";
  return out + "\n";
}

}  // namespace

std::string render_matrix_markdown(const std::vector<Implementation>& all) {
  const std::vector<MatrixRow> rows = matrix_rows(all);
  std::string out =
      line(all, "Requirement", "Level", [&](std::size_t i) { return escape_markdown(all[i].name); });
  out += line(all, "---", "---", [](std::size_t) { return std::string(":-:"); });
  out += line(all, "**verdict**", "",
              [&](std::size_t i) { return "**" + std::string(headline(all[i].result).word) + "**"; });
  for (const Level level : {Level::must, Level::should})
    out += line(all, std::string(to_string(level)) + " met", "",
                [&](std::size_t i) { return share(requirements_met(rows, i, level)); });
  bool used[std::size(kMostUrgentFirst)] = {}, absent = false;
  for (const MatrixRow& row : rows)
    out += line(all, markdown_code(row.requirement), std::string(to_string(row.level)),
                [&](std::size_t i) -> std::string {
                  const std::optional<Verdict> verdict = row.verdict(i);
                  absent = absent || !verdict;
                  if (!verdict) return "·";
                  used[static_cast<std::size_t>(*verdict)] = true;
                  return std::string(shown(*verdict).emoji);
                });
  out += "\n";
  std::string legend;
  for (const Verdict verdict : kMostUrgentFirst)
    if (used[static_cast<std::size_t>(verdict)])
      legend += (legend.empty() ? "" : " · ") + std::string(shown(verdict).emoji) + " " +
                std::string(shown(verdict).word);
  if (absent) legend += " · `·` not in this run";
  out += legend + "\n";

  std::string deviations, lacking;
  for (const Implementation& one : all) {
    for (const CaseResult& c : one.result.cases)
      if (c.verdict == Verdict::known_deviation)
        deviations += "- " + escape_markdown(one.name) + ", " + markdown_code(c.id) + ": " +
                      escape_markdown(c.deviation.empty() ? c.message : c.deviation) + "\n";
    if (one.result.verdict == "partial")
      for (const std::string& lack : what_was_lacking(one.result))
        lacking += "- " + escape_markdown(one.name) + ": " + escape_markdown(lack) + "\n";
  }
  if (!deviations.empty()) out += "\nKnown deviations:\n\n" + deviations;
  if (!lacking.empty()) out += "\nPartial runs, and what they lacked:\n\n" + lacking;
  return out;
}

}  // namespace roomcheck::reports
