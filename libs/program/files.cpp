#include "libs/program/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
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
  const std::string temporary = path + ".tmp" + std::to_string(::getpid());
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) fail(path, errno);
  int code = write_all(fd, content);
  if (::close(fd) != 0 && code == 0) code = errno;
  if (code == 0 && std::rename(temporary.c_str(), path.c_str()) != 0) code = errno;
  if (code == 0) return;
  ::unlink(temporary.c_str());
  fail(path, code);
}

}  // namespace roomcheck
