#pragma once

namespace roomcheck::conformance {

// The program: options, run, verdict. Returns the exit code.
int run(int argc, char** argv);

}  // namespace roomcheck::conformance
