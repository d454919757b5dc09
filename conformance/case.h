#pragma once
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "reports/model/conformance_result.h"

namespace roomcheck::conformance {

using reports::Level;
constexpr Level kMust = Level::must;

class Context;

// How a case runs when there are several jobs. After every case the runner asks the target for a sign of
// life, so that a case need not do so only to be charged with a crash.
enum class How {
  beside_others,  // in any order, in parallel
  alone,          // nothing else runs meanwhile: it kills a node, measures memory, fills the server
  observes        // in a thread of its own from the run's start on, beside all others, while c.observing()
};

// One thing that the suite checks. `id` is a path below its requirement, never an ordinal; it is stable for
// ever.
struct Case {
  std::string id;           // "broadcast.reaches-all/three-members"
  std::string requirement;  // "broadcast.reaches-all", as in docs/SPEC.md
  Level level;
  // Without one of these it is skipped and the run is partial: capabilities of the profile; "control"
  // (--control was given); "cluster" (several --target); "start" (--start began every node, so that it can be
  // killed and measured).
  std::vector<std::string> needs;
  std::string sentence;  // the requirement's sentence
  std::function<void(Context&)> steps;
  How how = How::beside_others;

  std::string section() const { return id.substr(0, id.find('.')); }
};

// How a case ends when it does not pass. Thrown by its steps, caught by the runner.
struct Failed : std::runtime_error {
  Failed(const std::string& message, std::string expected_text, std::string actual_text)
      : std::runtime_error(message), expected(std::move(expected_text)), actual(std::move(actual_text)) {}
  std::string expected;
  std::string actual;
};
// Something did not arrive in time: tried once more, in fresh rooms, before it counts (the channel layer
// promises at most once, not at least once).
struct Lost : Failed {
  using Failed::Failed;
};
struct CouldNotTest : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct NotApplicable : std::runtime_error {  // the requirement asks nothing of such a target: skipped
  using std::runtime_error::runtime_error;
};
struct HarnessError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct Observed : std::runtime_error {  // level INFO: what was seen
  using std::runtime_error::runtime_error;
};

}  // namespace roomcheck::conformance
