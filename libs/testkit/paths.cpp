#include "libs/testkit/paths.h"

namespace roomcheck::testkit {

std::string source_dir() { return ROOMCHECK_SOURCE_DIR; }
std::string bin_dir() { return ROOMCHECK_BIN_DIR; }

}  // namespace roomcheck::testkit
