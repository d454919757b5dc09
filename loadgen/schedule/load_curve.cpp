#include "loadgen/schedule/load_curve.h"

#include <algorithm>
#include <cmath>

namespace roomcheck::loadgen {

LoadCurve::LoadCurve(const std::vector<Stage>& stages) {
  for (const Stage& stage : stages) {
    const long double duration = static_cast<long double>(stage.duration.count()) / 1e9L;
    const long double begin = static_cast<long double>(end_.count()) / 1e9L;
    end_ += stage.duration;
    if (duration == 0) continue;
    const long double from = stage.from, to = stage.to;
    pieces_.push_back({total_, begin, duration, from, (to - from) / duration});
    total_ += (from + to) / 2 * duration;
  }
}

Nanoseconds LoadCurve::time_of(long double messages) const {
  if (messages >= total_) return Nanoseconds::max();
  const auto after = std::upper_bound(pieces_.begin(), pieces_.end(), messages,
                                      [](long double m, const Piece& piece) { return m < piece.before; });
  const Piece& piece = *std::prev(after);
  // area = from t + slope t^2 / 2, solved for t in the form that does not cancel.
  const long double area = messages - piece.before;
  const long double root = std::sqrt(std::max(0.0L, piece.from * piece.from + 2 * piece.slope * area));
  const long double t = area == 0 ? 0 : 2 * area / (piece.from + root);
  return Nanoseconds(std::llround((piece.begin + t) * 1e9L));
}

}  // namespace roomcheck::loadgen
