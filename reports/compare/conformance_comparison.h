#pragma once
#include <optional>
#include <string>
#include <vector>

#include "reports/model/conformance_result.h"

namespace roomcheck::reports {

// One case whose verdict is another on the other side. Where a side has several runs it is the most urgent of
// them: a case that failed once fails.
struct CaseChange {
  enum class Kind { newly_failing, newly_passing, changed };
  std::string id;
  Level level = Level::must;
  std::optional<Verdict> before, after;  // nullopt: the side does not have the case
  std::string message;                   // of NEW
  Kind kind = Kind::changed;
};

struct ConformanceComparison {
  std::vector<CaseChange> changes;  // newly failing first
  std::size_t cases = 0;            // of both sides together
  std::vector<std::string> unfit;   // runs of NEW that say of themselves that they proved nothing

  // Newly failing at a level that counts: MUST, with `strict` also SHOULD.
  bool regression(bool strict) const;
};

// REQUIRES: both sides have a result.
ConformanceComparison compare(const std::vector<ConformanceResult>& base,
                              const std::vector<ConformanceResult>& fresh);

}  // namespace roomcheck::reports
