#pragma once
#include <functional>
#include <string>
#include <vector>

#include "conformance/context.h"
#include "reports/model/conformance_result.h"

namespace roomcheck::conformance {

// Runs cases against one target and keeps what every connection hears until the end.
//
// Verdicts are asymmetric, as the channel layer's promise is: a duplicate, a leak or a wrong order fails at
// first sight; what was Lost is tried once more in fresh rooms and fails when it is lost again.
class Runner {
 public:
  explicit Runner(Run run) : run_(std::move(run)) {}

  // Measures the round trip and sets the time limits: clamp(50 x the slowest of 20, 2 s, 30 s) x scale.
  // Throws StartFailure when the target cannot be reached or nobody can talk in it.
  void calibrate(double scale);

  reports::CaseResult run(const Case& c);

  // The run's ledger: after one quiet period, whatever arrived late at any connection is charged to the case
  // that sent it. Changes the verdicts in `results`.
  void settle(std::vector<reports::CaseResult>& results);

 private:
  bool attempt(const Case& c, reports::CaseResult& result, bool last);

  Run run_;
  int number_ = 0;
  struct Kept {
    std::size_t result;
    std::shared_ptr<Context> context;
  };
  std::vector<Kept> kept_;
  std::size_t results_ = 0;
};

}  // namespace roomcheck::conformance
