#pragma once
#include <optional>
#include <string>
#include <vector>

#include "reports/render/matrix.h"
#include "reports/render/verdicts.h"

namespace roomcheck::reports {

// What both forms of the matrix show. Points into the implementations it was made of.
struct MatrixRow {
  std::string requirement;
  std::string section;
  Level level = Level::must;
  std::string sentence;  // the SPEC's
  std::vector<std::vector<const CaseResult*>>
      cells;  // a list of cases for each implementation; empty: not asked

  // Of the cell of one implementation; nullopt when it was not asked.
  std::optional<Verdict> verdict(std::size_t implementation) const;
  bool same_everywhere() const;
};
std::vector<MatrixRow> matrix_rows(const std::vector<Implementation>& implementations);

// How many requirements of a level an implementation meets, of those that it was asked and that can be met
// (INFO and skipped ones cannot).
struct Met {
  std::size_t met = 0, of = 0;
};
Met requirements_met(const std::vector<MatrixRow>& rows, std::size_t implementation, Level level);
std::string share(const Met& met);  // "12 of 13"

// What kept a run from being complete, each once: the messages of its skipped cases.
std::vector<std::string> what_was_lacking(const ConformanceResult& result);

}  // namespace roomcheck::reports
