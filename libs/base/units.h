#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "libs/base/clock.h"

namespace roomcheck {

// What people write in options and files. Each parser throws BadInput with the accepted forms in the
// sentence.

// "250ms", "30s", "5m", "1h", "10us", "7ns"; "0" needs no unit.
Nanoseconds parse_duration(std::string_view text);
// "16MiB", "4KiB", "1GiB", "512" (bytes), "64B".
std::uint64_t parse_size(std::string_view text);
// "1%" or "0.01", from 0 to 1.
double parse_fraction(std::string_view text);

// For people: three significant digits and the unit that fits: "1.53 ms", "20.0 s", "3 ns".
std::string format_duration(Nanoseconds duration);
// "4.00 MiB", "512 B".
std::string format_size(std::uint64_t bytes);
// "1,234,567".
std::string format_count(std::uint64_t count);
// "2026-11-23T10:16:00Z".
std::string format_iso8601(std::chrono::system_clock::time_point time);

}  // namespace roomcheck
