#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "conformance/runner.h"

namespace roomcheck::conformance {

// One round of cases: starts at once, `jobs` at a time; results are taken in any order. After each case the
// target is asked for a sign of life. When it has died, the cases that were under way are the suspects:
//   - it can be started again: each suspect runs once more alone, and who kills it again is charged with the
//   crash; if
//     none does, the one that found it dead is;
//   - it cannot: all suspects are charged, and nothing else is run.
//
//   workers   ──case──case──╮            ╭──case──
//             ──case──case──┤ all stop,  ├──case──    observers (How::observes) run beside all of it, one
//             thread ──case────────╯ one judges ╰──case──    each, until the workers are done and `observe`
//             has passed
//
// Thread: results may be waited for from one thread. Ownership: runner and cases outlive it.
class Schedule {
 public:
  struct Plan {
    std::vector<std::pair<std::size_t, const Case*>> cases;  // slot (for the ledger) and case, in their order
    int jobs = 1;
    Nanoseconds observe{0};
    // The verdict in the light of what is known, before anybody sees it.
    std::function<void(reports::CaseResult&)> judge;
    std::function<bool(const reports::CaseResult&)> stop_when;  // --fail-fast; empty: never
    std::function<void(const Case&, const Context&)> trace;     // empty: no trace
  };
  Schedule(Runner& runner, Plan plan);
  ~Schedule();  // waits for all of it

  // The result of a case; nothing when it was not run because of stop_when. Waits until it is there.
  std::optional<reports::CaseResult> wait(const Case& c);

  // The sentence that says how the target died, or that our memory ran out; nothing while all is well, or
  // could be brought back.
  std::optional<std::string> lost() const;

 private:
  struct Entry {
    std::size_t slot;
    const Case* c;
    bool begun = false;
    bool done = false;
    std::optional<reports::CaseResult> result;  // stays empty when stop_when came first
  };
  struct Suspect {
    Entry* entry;
    Outcome outcome;
    std::string why;  // its sign of life failed
  };
  enum class Phase { all, alone, beside_others };

  void conduct();
  void work(Phase phase);
  void observe(Entry& entry);
  Entry* next(Phase phase);  // REQUIRES: mu_ is held
  bool more(Phase phase);
  bool observing() const;
  void judge_suspects();
  void give_up(const std::string& why);
  void crash(Suspect& suspect, const std::string& message);
  void publish(Entry& entry, Outcome outcome);

  // ---- constant after construction
  Runner& runner_;
  const Plan plan_;
  const Nanoseconds begun_;
  // ---- guarded by mu_
  mutable std::mutex mu_;
  std::condition_variable changed_;
  std::vector<Entry> entries_;
  std::vector<Suspect> suspects_;  // while there is one, no case is begun
  std::string lost_;
  int deaths_ = 0;
  bool stopped_ = false;
  bool over_ = false;  // all but the observers

  std::thread conductor_;
};

}  // namespace roomcheck::conformance
