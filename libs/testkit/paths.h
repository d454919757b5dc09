#pragma once
#include <string>

namespace roomcheck::testkit {

// The source tree, and the folder that the programs under test were built into. Functions of one source file,
// not macros of every test: a compiler cache then serves the same object to every checkout.
std::string source_dir();
std::string bin_dir();

}  // namespace roomcheck::testkit
