#include "libs/program/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "libs/base/result.h"

namespace roomcheck {
namespace {

[[noreturn]] void fail(const std::string& path, int code) {
  throw StartFailure("cannot write " + path + ": " + std::strerror(code));
}

// Writes everything or returns the error; the descriptor stays the caller's.
int write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

// What a rename may replace: nothing yet, or a regular file.
bool is_replaceable(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) != 0 || S_ISREG(found.st_mode);
}

// Where a link leads, so that the rename replaces the file and not the link.
std::string behind_links(const std::string& path) {
  std::error_code missing;
  const std::filesystem::path real = std::filesystem::canonical(path, missing);
  return missing ? path : real.string();
}

std::string temporary_beside(const std::string& path) { return path + ".tmp" + std::to_string(::getpid()); }

}  // namespace

std::string read_file(const std::string& path) {
  if (path == "-") return {std::istreambuf_iterator<char>(std::cin), {}};
  std::ifstream in(path, std::ios::binary);
  if (!in) throw BadInput("cannot read " + path + ": " + std::strerror(errno));
  std::string out{std::istreambuf_iterator<char>(in), {}};
  if (in.bad()) throw BadInput("cannot read " + path + ": it is not a readable file");
  return out;
}

void write_file(const std::string& path, std::string_view content) {
  if (path == "-") {
    std::cout << std::flush;
    if (const int code = write_all(STDOUT_FILENO, content)) fail("standard output", code);
    return;
  }
  if (!is_replaceable(path)) {
    const int device = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    int failed = device < 0 ? errno : write_all(device, content);
    if (device >= 0 && ::close(device) != 0 && failed == 0) failed = errno;
    if (failed != 0) fail(path, failed);
    return;
  }
  const std::string target = behind_links(path);
  const std::string temporary = temporary_beside(target);
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) fail(path, errno);
  int code = write_all(fd, content);
  if (::close(fd) != 0 && code == 0) code = errno;
  if (code == 0 && std::rename(temporary.c_str(), target.c_str()) != 0) code = errno;
  if (code == 0) return;
  ::unlink(temporary.c_str());
  fail(path, code);
}

void require_writable(const std::string& option, const std::string& path) {
  if (path.empty() || path == "-") return;
  const bool in_place = !is_replaceable(path);
  const std::string probe = in_place ? path : temporary_beside(behind_links(path));
  const int fd = ::open(probe.c_str(), O_WRONLY | O_CLOEXEC | (in_place ? 0 : O_CREAT), 0644);
  if (fd < 0)
    throw BadInput(option + " " + path + ": cannot be written: " + std::strerror(errno) +
                   "; name a file in a directory that you may write to");
  ::close(fd);
  if (!in_place) ::unlink(probe.c_str());
}

}  // namespace roomcheck
