#include "conformance/runner.h"

#include <algorithm>

#include "libs/base/result.h"

namespace roomcheck::conformance {
namespace {

using reports::CaseResult;
using reports::Verdict;
using std::chrono::milliseconds;

constexpr Nanoseconds kQuiet = milliseconds(300);  // once a run, for what leaks late
constexpr std::size_t kKeptOpen = 64;              // cases whose connections stay open for the ledger

std::string missing(const Case& c, const Run& run) {
  for (const std::string& need : c.needs) {
    if (need == "control" || need == "members") {
      if (run.control == nullptr) return "no control given (--control)";
      if (need == "members" && !run.control->knows_members())
        return "this control cannot list the members of a group";
    } else if (need == "cluster") {
      if (run.targets.size() < 2) return "only one node given (a second --target makes a cluster)";
    } else if (need == "start") {
      if (run.started == nullptr) return "the target was not started by this program (--start)";
    } else if (!run.profile.has(need)) {
      return "the profile lacks the capability \"" + need + "\"";
    }
  }
  return {};
}

}  // namespace

void Runner::calibrate(double scale) {
  Context context(run_, "calibration", ++number_);
  Nanoseconds slowest{0};
  try {
    const MemberPtr member = context.join(context.fresh_room());
    for (int i = 0; i < 20; ++i) {
      const Nanoseconds before = steady_clock().now();
      context.fence(member);
      slowest = std::max(slowest, steady_clock().now() - before);
    }
    context.leave(member);
  } catch (const Lost& e) {
    throw StartFailure("the target " + run_.targets.front().to_string() + " cannot be judged: " + e.what() +
                       " (expected " + e.expected + ", got " + e.actual +
                       "); is it started, and is --profile " + run_.profile.name + " what it speaks?");
  } catch (const Failed&) {  // it talks, and wrongly: that is for the cases to say
  }
  const Nanoseconds limit =
      std::clamp<Nanoseconds>(50 * slowest, std::chrono::seconds(2), std::chrono::seconds(30));
  run_.limit = Nanoseconds(static_cast<std::int64_t>(static_cast<double>(limit.count()) * scale));
}

// True when the case is decided; false when it is to be tried once more.
bool Runner::attempt(const Case& c, CaseResult& result, bool last) {
  const auto context = std::make_shared<Context>(run_, c.id, ++number_);
  const auto explain = [&](Verdict verdict, const std::string& message) {
    result.verdict = verdict;
    result.message = message;
    result.transcript = context->transcript();
  };
  try {
    c.steps(*context);
    result.verdict = Verdict::pass;
    result.message = context->reported();
  } catch (const Lost& e) {
    if (!last) return false;
    explain(Verdict::fail, std::string(e.what()) + ", twice in fresh rooms");
    result.expected = e.expected;
    result.actual = e.actual;
  } catch (const Failed& e) {
    explain(Verdict::fail, e.what());
    result.expected = e.expected;
    result.actual = e.actual;
  } catch (const CouldNotTest& e) {
    explain(Verdict::could_not_test, e.what());
  } catch (const NotApplicable& e) {
    result.verdict = Verdict::skipped;
    result.message = e.what();
  } catch (const HarnessError& e) {
    explain(Verdict::harness_error, e.what());
  } catch (const Observed& e) {
    result.verdict = Verdict::informational;
    result.message = e.what();
  }
  // What a case that failed leaves open could hold up the target (a member that never reads blocks every sync
  // consumer of a Channels process): only those that may still be charged with something late stay.
  if (result.verdict != Verdict::pass && result.verdict != Verdict::informational) return true;
  kept_.push_back({results_, context});
  if (kept_.size() > kKeptOpen) kept_.erase(kept_.begin());
  return true;
}

CaseResult Runner::run(const Case& c) {
  CaseResult result;
  result.id = c.id;
  result.requirement = c.requirement;
  result.section = c.section();
  result.level = c.level;
  result.sentence = c.sentence;
  const Nanoseconds start = steady_clock().now();
  if (const std::string why = missing(c, run_); !why.empty()) {
    result.verdict = Verdict::skipped;
    result.message = why;
  } else if (!attempt(c, result, false)) {
    attempt(c, result, true);
  }
  result.duration_ns = (steady_clock().now() - start).count();
  ++results_;
  return result;
}

void Runner::settle(std::vector<CaseResult>& results) {
  const Nanoseconds quiet_until = steady_clock().now() + kQuiet;
  for (const Kept& kept : kept_) {
    for (const MemberPtr& member : kept.context->members()) {
      if (member->gone || !member->client || !member->client->is_open()) continue;
      for (;;) {
        const Received got = kept.context->next(member, quiet_until);
        if (got.kind != Received::Kind::text) break;
        const bool twice = member->arrivals[got.payload] > 1;
        if (member->allowed.count(got.payload) != 0 && !twice) continue;
        CaseResult& result = results[kept.result];
        if (result.verdict != Verdict::pass && result.verdict != Verdict::informational) continue;
        result.verdict = Verdict::fail;
        result.message = twice ? "a message came twice, the second time late"
                               : "a message came late to a member it was not for";
        result.expected = "nothing more for member " + member->name;
        result.actual = shown(got.payload);
        result.transcript = kept.context->transcript();
      }
    }
  }
}

}  // namespace roomcheck::conformance
