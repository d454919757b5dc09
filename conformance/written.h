#pragma once
#include <mutex>
#include <string>

#include "conformance/context.h"
#include "reports/model/conformance_result.h"

namespace roomcheck::conformance {

// Where a run's result goes: --json, --junit, --html, --annotate.
class Written {
 public:
  // Empty: not asked for. Throws BadInput before the run when two of them want stdout, or when the program
  // that makes pages (report) does not lie beside this one.
  Written(std::string json, std::string junit, std::string html, std::string annotate, bool strict);
  // Throws StartFailure when something cannot be written.
  void write(const reports::ConformanceResult& result) const;

 private:
  const std::string json_, junit_, html_, annotate_;
  const bool strict_;
  std::string report_;  // the program
};

// --trace DIR: one file a case, named as the case is, with its whole transcript.
//
// Thread: any.
class TraceDirectory {
 public:
  explicit TraceDirectory(std::string path);  // made where it is missing; throws BadInput when that fails
  void keep(const Case& c, const Context& context);
  void check();  // throws StartFailure when one could not be written

 private:
  const std::string path_;
  std::mutex mu_;
  std::string failure_;  // guarded by mu_; the first
};

}  // namespace roomcheck::conformance
