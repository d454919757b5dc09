#pragma once

namespace roomcheck::reports {

// The program `report`: turns result files into what people read. Bad input is exit code 2; the verdict
// inside a result does not change the exit code.
int run(int argc, char** argv);

}  // namespace roomcheck::reports
