#include "loadgen/progress.h"

#include "libs/base/units.h"

namespace roomcheck::loadgen {
namespace {

constexpr unsigned kQuietSeconds = 5;

}  // namespace

std::string to_line(const Standing& s) {
  std::string out(s.phase);
  out.resize(8, ' ');
  out += format_count(s.members) + "/" + format_count(s.clients) + " members";
  if (s.sent + s.delivered > 0) {
    out += "  " + format_count(s.sent) + " sent/s  " + format_count(s.delivered) + " delivered/s";
    if (s.max.count() > 0)  // warm-up is not timed
      out += "  p50 " + format_duration(s.p50) + "  p99 " + format_duration(s.p99) + "  max " +
             format_duration(s.max);
  }
  if (s.missing > 0) out += "  MISSING " + format_count(s.missing);
  if (s.remaining.count() >= 0)
    out += "  " + std::to_string((s.remaining + std::chrono::milliseconds(500)) / std::chrono::seconds(1)) +
           " s left";
  return out;
}

void Progress::show(const Standing& standing) {
  std::string line = to_line(standing);
  if (columns_ > 0) {
    if (line.size() >= columns_) line.resize(columns_ - 1);  // a wrapped line could not be redrawn
    out_ << "\r\x1b[K" << line << std::flush;
    drawn_ = true;
    return;
  }
  if (standing.phase == phase_ && ++quiet_ < kQuietSeconds) return;
  phase_ = standing.phase;
  quiet_ = 0;
  out_ << line << std::endl;
}

void Progress::clear() {
  if (drawn_) out_ << "\r\x1b[K" << std::flush;
  drawn_ = false;
}

}  // namespace roomcheck::loadgen
