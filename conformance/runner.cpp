#include "conformance/runner.h"

#include <algorithm>
#include <ctime>
#include <thread>

#include "conformance/check.h"
#include "libs/base/result.h"
#include "libs/base/units.h"

namespace roomcheck::conformance {
namespace {

using reports::CaseResult;
using reports::Verdict;
using std::chrono::milliseconds;

constexpr Nanoseconds kQuiet = milliseconds(300);  // once a run, for what leaks late
constexpr std::size_t kKeptOpen = 64;              // cases whose connections stay open for the ledger
constexpr int kNoisy =
    10;  // a limit should be 50 round trips; below 10 nothing can be said about what did not come
constexpr double kBusy = 3;  // neither when a thread that wants to run gets less than a third of a core
constexpr Nanoseconds kBurn = milliseconds(30);  // longer than a time slice
constexpr int kMostAttempts = 4, kMustAttempts = 2;

constexpr int kFewest = 5;  // round trips that are measured even when they take long
constexpr Nanoseconds kLeastLimit = std::chrono::seconds(2), kMostLimit = std::chrono::seconds(30);
constexpr Nanoseconds kFirstLimit = std::chrono::seconds(10);  // until the round trip is known
constexpr Nanoseconds kEnding = std::chrono::seconds(1);
constexpr int kTries = 3;  // for a sign of life, each with a time limit of its own

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

std::string with_details(const Failed& e) {
  const std::string what = e.what();
  if (what.find(e.actual) != what.npos) return what;
  return what + " (expected " + e.expected + ", got " + e.actual + ")";
}

}  // namespace

double slowdown() {
  const auto burnt = [] {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + Nanoseconds(time.tv_nsec);
  };
  const Nanoseconds begun = steady_clock().now(), until = burnt() + kBurn;
  while (burnt() < until) {
  }
  return static_cast<double>((steady_clock().now() - begun).count()) / static_cast<double>(kBurn.count());
}

Runner::Runner(Run run, Launcher* launcher, double scale, std::function<double()> slowdown)
    : run_(std::move(run)),
      launcher_(launcher),
      scale_(scale),
      slowdown_(std::move(slowdown)),
      limit_ns_(static_cast<std::int64_t>(static_cast<double>(kFirstLimit.count()) * scale)) {}

Run Runner::with_limit() const {
  Run out = run_;
  out.limit = Nanoseconds(limit_ns_);
  return out;
}

std::int64_t Runner::limit_for(Nanoseconds round_trip) const {
  const Nanoseconds limit = std::clamp<Nanoseconds>(50 * round_trip, std::chrono::seconds(2), kMostLimit);
  return static_cast<std::int64_t>(static_cast<double>(limit.count()) * scale_);
}

Nanoseconds Runner::measure(int rounds) {
  Context context(with_limit(), "calibration", ++number_);
  Nanoseconds slowest{0};
  const MemberPtr member = context.join(context.fresh_room());
  const Nanoseconds long_enough = steady_clock().now() + std::chrono::seconds(1);
  for (int i = 0; i < rounds && (i < kFewest || steady_clock().now() < long_enough); ++i) {
    const Nanoseconds before = steady_clock().now();
    context.fence(member);
    slowest = std::max(slowest, steady_clock().now() - before);
  }
  context.leave(member);
  for (std::int64_t now = limit_ns_, wanted = limit_for(slowest);
       now < wanted && !limit_ns_.compare_exchange_weak(now, wanted);) {
  }
  return slowest;
}

Nanoseconds Runner::remeasure() {
  try {
    return measure(kFewest);
  } catch (const std::exception&) {
    return Nanoseconds(0);
  }
}

void Runner::calibrate() {
  try {
    measure(1);
  } catch (const std::runtime_error& e) {  // not even one member hears itself: no case could say more
    const auto* failed = dynamic_cast<const Failed*>(&e);
    throw StartFailure("the target " + run_.targets.front().to_string() +
                       " cannot be judged with --profile " + run_.profile.name + ":" +
                       what_is_wrong(failed != nullptr ? with_details(*failed) : e.what()) +
                       "\n--check tells more; docs/PROFILES.md says how to describe a target");
  }
  try {
    limit_ns_ = limit_for(measure(20));
  } catch (const std::runtime_error&) {  // it talks, and wrongly: that is for the cases to say
    limit_ns_ = limit_for(Nanoseconds(0));
  }
}

std::string Runner::what_is_wrong(const std::string& seen) const {
  Run run = run_;
  run.limit = Nanoseconds(limit_for(Nanoseconds(0)));
  std::string out;
  for (const Finding& finding : check_profile(run))
    if (finding.kind == Finding::Kind::wrong) out += "\n  " + finding.field + ": " + finding.text;
  return out.empty() ? " " + seen : out;
}

Nanoseconds Runner::scaled(Nanoseconds limit) const {
  return Nanoseconds(static_cast<std::int64_t>(static_cast<double>(limit.count()) * scale_));
}

Runner::Wait Runner::needed(Nanoseconds round_trip) const {
  Wait out{round_trip * kNoisy, "a round trip takes " + format_duration(round_trip) + " now"};
  const double times = slowdown_();
  const auto busy =
      Nanoseconds(static_cast<std::int64_t>(static_cast<double>(scaled(kLeastLimit).count()) * times));
  if (times >= kBusy && out.limit < std::min(busy, scaled(kMostLimit)))
    out = {std::min(busy, scaled(kMostLimit)), "the machine is busy: what takes a second alone takes " +
                                                   std::to_string(static_cast<int>(times)) + " now"};
  return out;
}

// True when the case is decided; false when it is to be tried once more.
bool Runner::attempt(const Case& c, std::size_t slot, Outcome& outcome, Nanoseconds least,
                     const std::function<bool()>& observing) {
  CaseResult& result = outcome.result;
  result.expected.clear();
  result.actual.clear();
  Run run = with_limit();
  run.limit = std::max(run.limit, least);
  const auto context = std::make_shared<Context>(run, c.id, ++number_, observing);
  outcome.context = context;
  const auto explain = [&result](Verdict verdict, const Failed& e, const std::string& message) {
    result.verdict = verdict;
    result.message = message;
    result.expected = e.expected;
    result.actual = e.actual;
  };
  try {
    c.steps(*context);
    result.verdict = Verdict::pass;
    result.message = context->reported();
  } catch (const Lost& e) {
    explain(Verdict::fail, e, e.what());
    return false;
  } catch (const Failed& e) {
    explain(Verdict::fail, e, e.what());
  } catch (const CouldNotTest& e) {
    result.verdict = Verdict::could_not_test;
    result.message = e.what();
    return false;
  } catch (const NotApplicable& e) {
    result.verdict = Verdict::skipped;
    result.message = e.what();
  } catch (const HarnessError& e) {
    result.verdict = Verdict::harness_error;
    result.message = e.what();
  } catch (const Observed& e) {
    result.verdict = Verdict::informational;
    result.message = e.what();
  } catch (const std::exception& e) {
    result.verdict = Verdict::harness_error;
    result.message = std::string("this is a bug in roomcheck, please report it: ") + e.what();
  }
  // What a case that failed leaves open could hold up the target (a member that never reads blocks every sync
  // consumer of a Channels process): only those that may still be charged with something late stay.
  if (result.verdict != Verdict::pass && result.verdict != Verdict::informational) {
    context->close_all();
    return true;
  }
  const std::lock_guard lock(mu_);
  kept_.push_back({slot, context});
  if (kept_.size() > kKeptOpen) kept_.pop_front();
  return true;
}

Outcome Runner::run(const Case& c, std::size_t slot, const std::function<bool()>& observing) {
  Outcome out;
  CaseResult& result = out.result;
  result.id = c.id;
  result.requirement = c.requirement;
  result.section = c.section();
  result.level = c.level;
  result.sentence = c.sentence;
  const Nanoseconds start = steady_clock().now();
  if (const std::string lacks = missing(c, run_); !lacks.empty()) {
    result.verdict = Verdict::skipped;
    result.message = lacks;
  } else {
    Nanoseconds round_trip{0}, limit{0};
    std::string lost;  // by the first attempt, if there was another
    for (int attempts = 1; !attempt(c, slot, out, limit, observing); ++attempts) {
      limit = out.context->run().limit;
      out.context->close_all();  // as above
      // A target in which nothing came back is broken rather than slow; then measuring again only costs time.
      if (attempts == 1 || round_trip > Nanoseconds(0)) round_trip = remeasure();
      const Wait wait = needed(round_trip);
      const bool too_short = limit < wait.limit;
      if (attempts < kMustAttempts || (too_short && limit < scaled(kMostLimit) && attempts < kMostAttempts)) {
        // Twice what is needed now: a machine that gets a little busier still is no reason to try once more.
        limit = std::min(std::max(limit, 2 * wait.limit), scaled(kMostLimit));
        if (attempts == 1) lost = result.message;
        continue;
      }
      if (too_short) {
        result.verdict = Verdict::could_not_test;
        result.message += ", but " + wait.why + ", too much for the limit of " + format_duration(limit) +
                          ": give the machine rest, or --timeout-scale";
      } else if (result.verdict == Verdict::fail) {
        result.message += attempts == 2 ? ", twice in fresh rooms"
                                        : ", " + std::to_string(attempts) + " times in fresh rooms";
      }
      break;
    }
    if (result.verdict == Verdict::pass && !lost.empty())
      result.message += (result.message.empty() ? "" : "; ") +
                        std::string("when tried again in fresh rooms; at first ") + lost;
  }
  result.duration_ns = (steady_clock().now() - start).count();
  return out;
}

// ---- life and death

std::optional<std::string> Runner::why_dead() {
  try {
    if (launcher_ != nullptr) launcher_->start_killed();
  } catch (const StartFailure& e) {
    return std::string("a node that the case killed does not start again: ") + e.what();
  }
  const auto ended = [this]() -> std::optional<std::string> {
    for (std::size_t node = 0; launcher_ != nullptr && node < run_.targets.size(); ++node)
      if (const auto how = launcher_->how_it_ended(node)) {
        const std::string words = launcher_->last_words(node);
        return *how + (words.empty() ? ", it printed nothing" : ", its last lines:\n" + words);
      }
    return std::nullopt;
  };
  for (int tries = 1;; ++tries) {
    try {
      Run run = with_limit();
      if (tries > kTries) run.limit = std::max(run.limit, scaled(kMostLimit));
      Context context(run, "sign of life", ++number_);
      for (std::size_t node = 0; node < run_.targets.size(); ++node) {
        const MemberPtr member = context.join(context.fresh_room(), on_node(node));
        context.fence(member);
        (void)member->client->send_close(1000, "", context.soon());
      }
      return std::nullopt;
    } catch (const Lost& e) {
      // Nobody listens: what once did is gone, even if something brings it back. A loss may be a loss.
      const bool nobody = e.actual.find("Connection refused") != std::string::npos;
      if (!nobody && (tries < kTries || (tries == kTries && slowdown_() >= kBusy))) continue;
      // A process of ours that no longer listens is about to end, and its exit status is what people want to
      // know.
      const Nanoseconds end =
          steady_clock().now() + (nobody && launcher_ != nullptr ? kEnding : Nanoseconds(0));
      for (;;) {
        if (auto how = ended()) return how;
        if (steady_clock().now() >= end) return with_details(e);
        std::this_thread::sleep_for(milliseconds(5));
      }
    } catch (const std::runtime_error&) {
      return std::nullopt;  // it answers, and wrongly: that is for the cases to say
    }
  }
}

bool Runner::revive() {
  try {
    for (std::size_t node = 0; launcher_ != nullptr && node < run_.targets.size(); ++node)
      launcher_->kill(node);  // one that hangs, too
    if (launcher_ != nullptr) launcher_->start();
    return !why_dead();
  } catch (const StartFailure&) {
    return false;
  }
}

// ---- the ledger

std::vector<Runner::Late> Runner::settle() {
  std::vector<Late> out;
  const Nanoseconds quiet_until = steady_clock().now() + kQuiet;
  for (const Kept& kept : kept_) {
    for (const MemberPtr& member : kept.context->members()) {
      if (member->gone || !member->client || !member->client->is_open()) continue;
      for (;;) {
        const Received got = kept.context->next(member, quiet_until);
        if (got.kind != Received::Kind::text) break;
        const bool twice = member->arrivals[got.payload] > 1;
        if (member->allowed.count(got.payload) != 0 && !twice) continue;
        CaseResult late;
        late.verdict = Verdict::fail;
        late.message = twice ? "a message came twice, the second time late"
                             : "a message came late to a member it was not for";
        late.expected = "nothing more for member " + member->name;
        late.actual = shown(got.payload);
        late.transcript = kept.context->transcript();
        out.push_back({kept.slot, std::move(late)});
      }
    }
  }
  for (const Kept& kept : kept_) kept.context->close_all();  // the result's files may need their descriptors
  return out;
}

}  // namespace roomcheck::conformance
