#pragma once
#include <cstdint>
#include <optional>

#include "libs/base/clock.h"

namespace roomcheck::loadgen {

// The processor time that a process of this machine has used so far, all of its threads, in nanoseconds'
// resolution; nullopt when there is no such process (any more). Independent of how much of the machine it was
// given, and so what can be compared on a machine that others use, too.
std::optional<Nanoseconds> cpu_time_of(int pid);

// The memory that it holds (resident), in octets; 0 when there is no such process.
std::uint64_t memory_of(int pid);

}  // namespace roomcheck::loadgen
