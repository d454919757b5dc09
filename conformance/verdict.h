#pragma once
#include <string>

#include "libs/program/program.h"
#include "reports/model/conformance_result.h"

namespace roomcheck::conformance {

// Whether this case alone makes the run's verdict "fail": a MUST (or with --strict a SHOULD) that failed or
// crashed the target; a pass of what is known to fail always, whatever its level.
bool fails_the_run(const reports::CaseResult& result, bool strict);

// pass, fail, partial (something was skipped) or invalid (nothing was proved, or something stood in the way).
std::string verdict_of(const reports::ConformanceResult& result, bool strict);

// `lost`: the target died for good, so that not all could be asked.
ExitCode exit_code(const reports::ConformanceResult& result, bool require_complete, bool lost);

// Takes the result of another round (--repeat), or what the ledger found late, into `sum`: the worse of the
// two stays. True when it is the new one.
bool take_worse(reports::CaseResult& sum, const reports::CaseResult& more);

}  // namespace roomcheck::conformance
