#include "libs/testkit/files.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

#include "libs/testkit/paths.h"

namespace roomcheck::testkit {

namespace fs = std::filesystem;

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (fs::temp_directory_path() / "roomcheck-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a temporary directory");
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string TemporaryDirectory::path(std::string_view name) const {
  return (fs::path(path_) / name).string();
}

std::string TemporaryDirectory::write(std::string_view name, std::string_view content) const {
  std::ofstream(path(name), std::ios::binary) << content;
  return path(name);
}

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string differs_from_golden(std::string_view golden, std::string_view actual) {
  const std::string path = (fs::path(source_dir()) / golden).string();
  if (const char* update = std::getenv("ROOMCHECK_UPDATE_GOLDEN"); update != nullptr && *update != '\0') {
    std::ofstream(path, std::ios::binary) << actual;
    return {};
  }
  const std::string expected = slurp(path);
  if (expected == actual) return {};
  std::istringstream want(expected), got{std::string(actual)};
  std::string a, b;
  for (int line = 1;; ++line) {
    const bool more_a = static_cast<bool>(std::getline(want, a));
    const bool more_b = static_cast<bool>(std::getline(got, b));
    if (more_a && more_b && a == b) continue;
    return path + ":" + std::to_string(line) + " differs\n  golden: " + (more_a ? a : "(end)") +
           "\n  actual: " + (more_b ? b : "(end)") + "\nROOMCHECK_UPDATE_GOLDEN=1 writes the file anew.";
  }
}

}  // namespace roomcheck::testkit
