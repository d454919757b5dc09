#pragma once
#include <string>

#include "libs/program/program.h"

namespace roomcheck::conformance {

struct SelfTest {
  enum class Extent {
    full,   // every case against every mutant: caught, and by no unrelated MUST
    caught  // only the cases of the requirement that a mutant is for
  };
  Extent extent = Extent::full;
  std::string reference_server;  // the program; empty: the one beside us
  std::string self;              // this program
  int jobs = 4;                  // mutants at a time
};

// The suite's proof about itself: it runs against the reference server (every case passes), against every
// mutant of it (`reference_server --list-mutants`), and against two servers that break nearly everything.
// Prints the table requirement x mutant x caught by. verdict_bad: a case fails on the right server, a mutant
// survives, an unrelated MUST catches one (related are the requirements that the mutant declares), a MUST has
// no mutant. Requirements whose cases the right server has to skip are listed as not asked.
//
// Each run is a process of its own with a server of its own. Time limits are a quarter of the usual; what
// then speaks against the suite is tried again with the usual ones before it counts.
//
// Throws StartFailure when the reference server cannot be run or has no mutants.
ExitCode self_test(const SelfTest& what);

}  // namespace roomcheck::conformance
