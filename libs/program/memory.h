#pragma once
#include <string>

namespace roomcheck {

// What happens when operator new finds no memory (ulimit -v, a container's limit on address space; where
// memory is overcommitted the kernel kills instead, and nobody can say anything).
//
// At first a reserve is given back and `end` is called, once, on the thread that ran out, in the middle of
// whatever it was doing: it only asks the program to end in order, with what it has (a signal to ourselves, a
// flag), and neither allocates nor locks. When even the reserve is used up, or without keep_memory_reserve(),
// the program ends at once with exit code 3. Both say so in one sentence on stderr.
void watch_memory(const std::string& program);  // run_program does
void keep_memory_reserve(void (*end)());        // 64 MiB of address space, none of it resident; once
// From then on the exit code is 3, whatever else was found.
bool memory_ran_out();

}  // namespace roomcheck
