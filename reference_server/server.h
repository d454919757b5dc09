#pragma once

namespace roomcheck::reference_server {

// The program: options, start, signals. Returns the exit code.
int run(int argc, char** argv);

}  // namespace roomcheck::reference_server
