#pragma once
#include <cstdint>
#include <memory>

namespace roomcheck::loadgen {

// The pattern in which messages come, in units of the mean gap: message n is due when position(n) messages
// are due on average. A pure function of n (and the seed): it never hears of the target, so a target that
// stalls does not slow it down (open loop). LoadCurve turns positions into times.
//
// Thread: one. Positions grow with n, or stay the same.
class Arrivals {
 public:
  virtual ~Arrivals() = default;
  virtual long double position(std::uint64_t n) = 0;
};

// One message every gap: position(n) = n.
std::unique_ptr<Arrivals> make_constant();
// Independent of each other: gaps are exponential, -ln(u) with u from (seed, i). Position n is the sum of the
// first n gaps; going on from the last n asked for is one step, going back begins at 0.
std::unique_ptr<Arrivals> make_poisson(std::uint64_t seed);
// `size` at once, then a gap for as many: position(n) = n - n % size. REQUIRES: size >= 1.
std::unique_ptr<Arrivals> make_burst(std::uint64_t size);

}  // namespace roomcheck::loadgen
