#include "loadgen/capacity.h"

#include <algorithm>
#include <cmath>

namespace roomcheck::loadgen {
namespace {

constexpr std::size_t kMostSteps = 60;
constexpr double kLowestShare = 1.0 / 64;  // of `from`: below, the target cannot do it at all

class Searcher {
 public:
  Searcher(const Search& search, const std::function<Step(double, std::chrono::nanoseconds)>& measure)
      : search_(search), measure_(measure) {}

  Capacity run() {
    ramp();
    while (low_ > 0 && high_ > 0 && room_left()) {
      const double middle = tidy((low_ + high_) / 2);
      if (middle <= low_ || middle >= high_ || high_ <= low_ * (1 + search_.precision)) break;
      note(middle, try_twice(middle, search_.step));
    }
    confirm();
    return std::move(out_);
  }

 private:
  double tidy(double load) const { return search_.whole ? std::floor(load) : load; }
  bool room_left() const { return out_.steps.size() < kMostSteps; }

  // Up until it is not met, or down until it is.
  void ramp() {
    double load = search_.from;
    while (room_left()) {
      const bool met = try_twice(load, search_.step);
      note(load, met);
      if (met) {
        if (high_ > 0 || (search_.to > 0 && load >= search_.to)) return;
        load = search_.to > 0 ? std::min(load * 2, search_.to) : load * 2;
      } else {
        if (low_ > 0) return;
        load = tidy(load / 2);
        if (load < search_.from * kLowestShare || load <= 0) return;
      }
    }
  }

  void note(double load, bool met) { (met ? low_ : high_) = load; }

  // A machine has bad moments; a load that is too high is so twice.
  bool try_twice(double load, std::chrono::nanoseconds duration) {
    return try_once(load, duration) || (room_left() && try_once(load, duration));
  }

  bool try_once(double load, std::chrono::nanoseconds duration) {
    Step step = measure_(load, duration);
    step.load = load;
    step.duration = duration;
    const bool met = step.verdict == Step::Verdict::met;
    if (!met && (out_.first_to_fail.load == 0 || load <= out_.first_to_fail.load)) out_.first_to_fail = step;
    out_.steps.push_back(std::move(step));
    return met;
  }

  void confirm() {
    for (double load = low_; load > 0 && room_left(); load = tidy(load * (1 - search_.precision))) {
      if (!try_twice(load, search_.step * 2)) continue;
      out_.load = load;
      out_.deliveries = out_.steps.back().deliveries;
      return;
    }
  }

  const Search& search_;
  const std::function<Step(double, std::chrono::nanoseconds)>& measure_;
  Capacity out_;
  double low_ = 0;   // met; 0: none yet
  double high_ = 0;  // not met
};

}  // namespace

Capacity search_capacity(const Search& search,
                         const std::function<Step(double, std::chrono::nanoseconds)>& measure) {
  return Searcher(search, measure).run();
}

}  // namespace roomcheck::loadgen
