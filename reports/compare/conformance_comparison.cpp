#include "reports/compare/conformance_comparison.h"

#include <algorithm>

#include "reports/render/verdicts.h"

namespace roomcheck::reports {
namespace {

bool fails(std::optional<Verdict> verdict) {
  return verdict == Verdict::fail || verdict == Verdict::crash || verdict == Verdict::unexpected_pass;
}

// The cases of a side by id, in the order of their first appearance.
struct Side {
  std::vector<std::string> ids;
  std::vector<std::vector<const CaseResult*>> cases;

  explicit Side(const std::vector<ConformanceResult>& results) {
    for (const ConformanceResult& result : results)
      for (const CaseResult& c : result.cases) {
        const auto found = std::find(ids.begin(), ids.end(), c.id);
        const auto at = static_cast<std::size_t>(found - ids.begin());
        if (found == ids.end()) {
          ids.push_back(c.id);
          cases.emplace_back();
        }
        cases[at].push_back(&c);
      }
  }
  const std::vector<const CaseResult*>* find(const std::string& id) const {
    const auto found = std::find(ids.begin(), ids.end(), id);
    return found == ids.end() ? nullptr : &cases[static_cast<std::size_t>(found - ids.begin())];
  }
};

CaseChange change(const std::string& id, const std::vector<const CaseResult*>* before,
                  const std::vector<const CaseResult*>* after) {
  CaseChange out;
  out.id = id;
  out.level = (after != nullptr ? after : before)->front()->level;
  if (before != nullptr) out.before = most_urgent(*before);
  if (after != nullptr) {
    out.after = most_urgent(*after);
    for (const CaseResult* c : *after)
      if (c->verdict == *out.after && out.message.empty()) out.message = c->message;
  }
  if (fails(out.after) && !fails(out.before))
    out.kind = CaseChange::Kind::newly_failing;
  else if (out.after == Verdict::pass && fails(out.before))
    out.kind = CaseChange::Kind::newly_passing;
  return out;
}

}  // namespace

bool ConformanceComparison::regression(bool strict) const {
  return std::any_of(changes.begin(), changes.end(), [&](const CaseChange& c) {
    return c.kind == CaseChange::Kind::newly_failing &&
           (c.level == Level::must || (strict && c.level == Level::should));
  });
}

ConformanceComparison compare(const std::vector<ConformanceResult>& base,
                              const std::vector<ConformanceResult>& fresh) {
  const Side before(base), after(fresh);
  ConformanceComparison out;
  std::vector<std::string> ids = after.ids;
  for (const std::string& id : before.ids)
    if (after.find(id) == nullptr) ids.push_back(id);
  out.cases = ids.size();
  for (const std::string& id : ids) {
    CaseChange c = change(id, before.find(id), after.find(id));
    if (c.before != c.after) out.changes.push_back(std::move(c));
  }
  std::stable_sort(out.changes.begin(), out.changes.end(),
                   [](const CaseChange& a, const CaseChange& b) { return a.kind < b.kind; });
  for (const ConformanceResult& result : fresh)
    if (result.verdict == "invalid") out.unfit.push_back(result.target);
  return out;
}

}  // namespace roomcheck::reports
