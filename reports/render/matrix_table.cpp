#include "reports/render/matrix_table.h"

#include <algorithm>

#include "libs/base/units.h"

namespace roomcheck::reports {

std::optional<Verdict> MatrixRow::verdict(std::size_t implementation) const {
  const auto& cases = cells[implementation];
  return cases.empty() ? std::nullopt : std::optional(most_urgent(cases));
}

bool MatrixRow::same_everywhere() const {
  for (std::size_t i = 1; i < cells.size(); ++i)
    if (verdict(i) != verdict(0)) return false;
  return true;
}

std::vector<MatrixRow> matrix_rows(const std::vector<Implementation>& implementations) {
  std::vector<std::string> sections;  // in the order of their first case, so that a section stays together
  std::vector<MatrixRow> rows;
  for (std::size_t i = 0; i < implementations.size(); ++i)
    for (const CaseResult& c : implementations[i].result.cases) {
      if (std::find(sections.begin(), sections.end(), c.section) == sections.end())
        sections.push_back(c.section);
      auto row = std::find_if(rows.begin(), rows.end(),
                              [&](const MatrixRow& r) { return r.requirement == c.requirement; });
      if (row == rows.end()) {
        rows.push_back({c.requirement, c.section, c.level, "", {}});
        row = std::prev(rows.end());
        row->cells.resize(implementations.size());
      }
      if (row->sentence.empty()) row->sentence = c.sentence;
      row->level = std::min(row->level, c.level);
      row->cells[i].push_back(&c);
    }
  std::stable_sort(rows.begin(), rows.end(), [&](const MatrixRow& a, const MatrixRow& b) {
    const auto place = [&](const MatrixRow& row) {
      return std::find(sections.begin(), sections.end(), row.section);
    };
    return place(a) < place(b);
  });
  return rows;
}

Met requirements_met(const std::vector<MatrixRow>& rows, std::size_t implementation, Level level) {
  Met out;
  for (const MatrixRow& row : rows) {
    const std::optional<Verdict> verdict = row.verdict(implementation);
    if (row.level != level || !verdict || *verdict == Verdict::skipped || *verdict == Verdict::informational)
      continue;
    ++out.of;
    if (*verdict == Verdict::pass) ++out.met;
  }
  return out;
}

std::string share(const Met& met) {
  return met.of == 0 ? "–" : format_count(met.met) + " of " + format_count(met.of);
}

std::vector<std::string> what_was_lacking(const ConformanceResult& result) {
  std::vector<std::string> out;
  for (const CaseResult& c : result.cases)
    if (c.verdict == Verdict::skipped && std::find(out.begin(), out.end(), c.message) == out.end())
      out.push_back(c.message);
  return out;
}

}  // namespace roomcheck::reports
