#pragma once
#include <string>
#include <string_view>

namespace roomcheck::testkit {

// A directory of its own, removed with everything in it at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string path(std::string_view name = "") const;  // of a file in it
  std::string write(std::string_view name, std::string_view content) const;

 private:
  std::string path_;
};

// Compares with the golden file (a path in the source tree); returns an empty string, or how they
// differ. With ROOMCHECK_UPDATE_GOLDEN=1 in the environment the file is written instead: look at the diff
// before you commit it.
std::string differs_from_golden(std::string_view golden, std::string_view actual);

std::string slurp(const std::string& path);

}  // namespace roomcheck::testkit
