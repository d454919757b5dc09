#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "libs/base/clock.h"
#include "loadgen/schedule/arrivals.h"

namespace roomcheck::loadgen {

// How many messages a second are wanted when: stages one after the other, in each the rate goes from `from`
// to `to` in a straight line.
//
//   rate      ______
//            /      \         the area under it up to t is how many are due before t
//      _____/        \__
//                       -> t
//
// Thread: any; immutable.
class LoadCurve {
 public:
  struct Stage {
    Nanoseconds duration{0};
    double from = 0;  // messages per second
    double to = 0;
  };
  // REQUIRES: durations and rates are not negative.
  explicit LoadCurve(const std::vector<Stage>& stages);

  // When the area reaches `messages`; Nanoseconds::max() if it does not before the end.
  Nanoseconds time_of(long double messages) const;
  Nanoseconds end() const { return end_; }
  long double total() const { return total_; }

 private:
  struct Piece {
    long double before;    // area
    long double begin;     // seconds
    long double duration;  // seconds
    long double from;
    long double slope;
  };
  std::vector<Piece> pieces_;
  long double total_ = 0;
  Nanoseconds end_{0};
};

// due(n) of the n-th message after the start: arrivals along a load curve.
//
// Thread: one.
class Schedule {
 public:
  Schedule(std::unique_ptr<Arrivals> arrivals, LoadCurve curve)
      : arrivals_(std::move(arrivals)), curve_(std::move(curve)) {}
  // Nanoseconds::max() past the last one.
  Nanoseconds due(std::uint64_t n) { return curve_.time_of(arrivals_->position(n)); }

 private:
  std::unique_ptr<Arrivals> arrivals_;
  LoadCurve curve_;
};

}  // namespace roomcheck::loadgen
