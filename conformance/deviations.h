#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "conformance/case.h"

namespace roomcheck::conformance {

// What a target is known to do otherwise than the SPEC (--known-deviations FILE), one line each:
//
//   # a comment
//   messages.close-code/*                    always     uvicorn drops TCP without a close frame (uvicorn
//   0.17.6) groups.leave-on-fin/during-broadcast     sometimes  a delivery in flight to the leaver races its
//   disconnect
//
// An id or a pattern as in a shell; `always` (a pass is an unexpected pass, which fails) or `sometimes` (both
// are right; only for a deviation whose race is described); a reason. The first line that matches a case
// holds. Read from the files in their order.
class Deviations {
 public:
  Deviations() = default;
  // Throws BadInput with file:line: an unknown word, no reason, a pattern that matches no case of `catalog`
  // or only such that an earlier line took.
  Deviations(const std::vector<std::string>& files, const std::vector<Case>& catalog);

  // The verdict in the light of what is known: fail and crash become known_deviation, a pass of what is known
  // to fail always becomes unexpected_pass.
  void judge(reports::CaseResult& result) const;

  // The lines of one file; `where` names it.
  void read(std::string_view text, const std::string& where, const std::vector<Case>& catalog);

 private:
  struct Line {
    std::string where;  // "FILE:7"
    std::string pattern;
    bool always = true;
    std::string reason;
  };
  const Line* line_for(const std::string& id) const;

  std::vector<Line> lines_;
};

}  // namespace roomcheck::conformance
