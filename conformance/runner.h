#pragma once
#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "conformance/context.h"
#include "conformance/launcher.h"
#include "reports/model/conformance_result.h"

namespace roomcheck::conformance {

// How many times longer than alone a thread needs now for what it computes; takes 30 ms of CPU to find out.
double slowdown();

// A case that was run, and the connections that it used.
struct Outcome {
  reports::CaseResult result;
  std::shared_ptr<Context> context;  // null: it was skipped
};

// Runs single cases against one target and keeps what every connection hears until the end.
//
// Verdicts are asymmetric, as the channel layer's promise is: a duplicate, a leak or a wrong order fails at
// first sight; what was Lost is tried once more in fresh rooms, with the round trip measured anew, and fails
// when it is lost again. On a machine that is too busy to tell lost from slow, the limits grow and it is
// tried up to four times in all before it could not be tested.
//
// Thread: any; several cases may run at once.
class Runner {
 public:
  // `launcher` is null where the target was there before us. Every limit is multiplied by `scale`. `slowdown`
  // tells how busy the machine is.
  Runner(Run run, Launcher* launcher, double scale, std::function<double()> slowdown = conformance::slowdown);

  // Measures the round trip and sets the time limits: clamp(50 x the slowest of 20 (5, where they take long),
  // 2 s, 30 s) x scale. Throws StartFailure when the target cannot be reached or nobody can talk in it.
  void calibrate();

  // `slot` is handed back by settle(); `observing` is for How::observes.
  Outcome run(const Case& c, std::size_t slot, const std::function<bool()>& observing = nullptr);

  // On every node a new connection joins a fresh room and hears itself. Otherwise says why not: how the
  // process ended, or what the connection met. Three tries, and a long one on a busy machine, unless
  // nobody listens.
  std::optional<std::string> why_dead();
  // Starts again what has ended, where that is in our hands. True when it lives.
  bool revive();

  // The run's ledger: after one quiet period, whatever arrived late at any connection, with the case that
  // sent it.
  struct Late {
    std::size_t slot;
    reports::CaseResult result;  // verdict, message, expected, actual, transcript
  };
  std::vector<Late> settle();

 private:
  // True when the case is decided; false when it is to be tried once more, its result being what was seen.
  bool attempt(const Case& c, std::size_t slot, Outcome& outcome, Nanoseconds least_limit,
               const std::function<bool()>& observing);
  Run with_limit() const;
  std::int64_t limit_for(Nanoseconds round_trip) const;  // ns
  void raise_limit(std::int64_t wanted);                 // never lowers it
  // Raises the limits when the round trip asks for it, and tells the slowest of so many.
  Nanoseconds measure(int rounds);
  Nanoseconds remeasure();  // of a few; 0 when nothing came back
  // The limit within which what does not come is lost rather than slow, and why so long: of a few round
  // trips, and of what else runs on this machine.
  struct Wait {
    Nanoseconds limit;
    std::string why;
  };
  Wait needed(Nanoseconds round_trip) const;
  Nanoseconds scaled(Nanoseconds limit) const;
  std::string what_is_wrong(const std::string& seen) const;  // the parts of the profile, else what was seen

  // ---- constant after construction
  const Run run_;
  Launcher* const launcher_;
  const double scale_;
  const std::function<double()> slowdown_;
  // ---- any thread
  std::atomic<std::int64_t> limit_ns_;
  std::atomic<int> number_{0};
  std::mutex mu_;
  struct Kept {
    std::size_t slot;
    std::shared_ptr<Context> context;
  };
  std::deque<Kept> kept_;  // guarded by mu_
};

}  // namespace roomcheck::conformance
