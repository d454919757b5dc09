#include "conformance/launcher.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "libs/base/units.h"

namespace roomcheck::conformance {
namespace {

using std::chrono::milliseconds;
constexpr off_t kMostOutput = 1 << 20;
constexpr std::size_t kLastWords = 4096, kLastLines = 10;
constexpr milliseconds kLook{10};  // how often a child or its port is looked at
constexpr Nanoseconds kGrace = std::chrono::seconds(5);

// Process groups to take along when a signal ends us. Written by launch() and reap() only.
std::array<std::atomic<pid_t>, 64> groups{};

extern "C" void end_groups(int signal_number) {
  for (const auto& group : groups)
    if (const pid_t id = group.load(); id > 0) ::kill(-id, SIGTERM);
  ::signal(signal_number, SIG_DFL);
  ::raise(signal_number);
}

void remember(pid_t group) {
  for (auto& slot : groups)
    if (pid_t none = 0; slot.compare_exchange_strong(none, group)) return;
}
void forget(pid_t group) {
  for (auto& slot : groups)
    if (pid_t same = group; slot.compare_exchange_strong(same, 0)) return;
}

bool listens(websocket::Url url) {
  url.scheme = "ws";  // TCP is enough
  return RawClient::connect(url, steady_clock().now() + std::chrono::seconds(1)).ok();
}

std::string with_port(std::string command, std::uint16_t port) {
  for (std::size_t at; (at = command.find("{port}")) != command.npos;)
    command.replace(at, 6, std::to_string(port));
  return command;
}

off_t size_of(int fd) {
  struct stat about {};
  return ::fstat(fd, &about) == 0 ? about.st_size : 0;
}

int unnamed_file() {
  std::string name = std::filesystem::temp_directory_path().string() + "/roomcheck-target-XXXXXX";
  const int fd = ::mkostemp(name.data(), O_APPEND | O_CLOEXEC);
  if (fd >= 0) ::unlink(name.c_str());
  return fd;
}

}  // namespace

Launcher::Launcher(std::vector<std::string> commands, std::vector<websocket::Url> nodes, Nanoseconds limit)
    : limit_(limit) {
  for (std::size_t i = 0; i < nodes.size(); ++i)
    nodes_.push_back({with_port(commands.at(i), nodes[i].port), nodes[i], 0, unnamed_file(), "", false});
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::signal(number, end_groups);
}

Launcher::~Launcher() {
  for (const Node& node : nodes_)
    if (node.pid > 0) ::kill(-node.pid, SIGTERM);
  const Nanoseconds end = steady_clock().now() + kGrace;
  for (Node& node : nodes_) {
    while (!reap(node) && steady_clock().now() < end) std::this_thread::sleep_for(kLook);
    if (node.pid > 0) ::kill(-node.pid, SIGKILL);
    while (!reap(node)) std::this_thread::sleep_for(kLook);
    ::close(node.output);
  }
}

void Launcher::launch(Node& node) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, node.output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, node.output, STDERR_FILENO);
  posix_spawnattr_t how;
  posix_spawnattr_init(&how);
  posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&how, 0);
  sigset_t usual;
  sigemptyset(&usual);
  for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) sigaddset(&usual, number);
  posix_spawnattr_setsigdefault(&how, &usual);
  std::string shell = "sh", flag = "-c";
  char* argv[] = {shell.data(), flag.data(), node.command.data(), nullptr};
  node.ended.clear();
  const int code = ::posix_spawn(&node.pid, "/bin/sh", &files, &how, argv, environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&how);
  if (code != 0) {
    node.pid = 0;
    throw StartFailure("--start: cannot run /bin/sh: " + std::string(std::strerror(code)));
  }
  remember(node.pid);
}

bool Launcher::reap(Node& node) {
  if (node.pid == 0) return true;
  int status = 0;
  if (::waitpid(node.pid, &status, WNOHANG) != node.pid) return false;
  ::kill(-node.pid, SIGKILL);  // what it left behind
  forget(node.pid);
  node.pid = 0;
  node.ended = WIFSIGNALED(status)
                   ? "signal " + std::to_string(WTERMSIG(status)) + " (" + ::strsignal(WTERMSIG(status)) + ")"
                   : "exit status " + std::to_string(WEXITSTATUS(status));
  return true;
}

void Launcher::start() {
  start([](const Node&) { return true; });
}
void Launcher::start_killed() {
  start([](const Node& node) { return node.killed; });
}

void Launcher::start(bool (*wanted)(const Node& node)) {
  const std::lock_guard lock(mu_);
  std::vector<Node*> begun;
  for (Node& node : nodes_) {
    if (!wanted(node) || !reap(node)) continue;
    node.killed = false;
    if (listens(node.url))
      throw StartFailure(
          "something listens on " + node.url.host_header() +
          " already, so what --start starts is not what would be judged: end it, or choose another port");
    launch(node);
    begun.push_back(&node);
  }
  const Nanoseconds end = steady_clock().now() + limit_;
  for (Node* node : begun) {
    const auto fail = [&](const std::string& why) {
      const std::string words = last_words(static_cast<std::size_t>(node - nodes_.data()));
      throw StartFailure("--start '" + node->command + "' " + why + " " + node->url.host_header() +
                         (words.empty() ? "; it printed nothing" : "; its last lines:\n" + words));
    };
    while (!listens(node->url)) {
      if (reap(*node)) fail("ended (" + node->ended + ") before it listened on");
      if (steady_clock().now() >= end) fail("does not listen after " + format_duration(limit_) + " on");
      std::this_thread::sleep_for(kLook);
    }
  }
}

std::optional<std::string> Launcher::how_it_ended(std::size_t number) {
  const std::lock_guard lock(mu_);
  Node& node = nodes_.at(number);
  if (!reap(node)) {
    if (size_of(node.output) > kMostOutput)
      (void)!::ftruncate(node.output, 0);  // it appends: it goes on at the start
    return std::nullopt;
  }
  return node.ended;
}

std::string Launcher::last_words(std::size_t number) const {
  const int fd = nodes_.at(number).output;  // constant after construction
  const off_t size = size_of(fd);
  std::string text(static_cast<std::size_t>(std::min<off_t>(size, kLastWords)), '\0');
  const ssize_t n = ::pread(fd, text.data(), text.size(), size - static_cast<off_t>(text.size()));
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::size_t from = text.size(), lines = 0;
  while (from > 0 && (from = text.rfind('\n', from - 1)) != text.npos)
    if (++lines == kLastLines) return text.substr(from + 1);
  return text;
}

void Launcher::kill(std::size_t number) {
  const std::lock_guard lock(mu_);
  Node& node = nodes_.at(number);
  node.killed = true;
  if (node.pid > 0) ::kill(-node.pid, SIGKILL);
  while (!reap(node)) std::this_thread::sleep_for(kLook);
}

// The sum of all processes of the group: the command is often a shell with a server below it.
std::uint64_t Launcher::resident_bytes(std::size_t number) const {
  const std::lock_guard lock(mu_);
  const pid_t group = nodes_.at(number).pid;
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  std::uint64_t sum = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    std::ifstream in(entry.path() / "stat");
    std::string line;
    if (group == 0 || !std::getline(in, line)) continue;
    std::istringstream fields(
        line.substr(std::min(line.size(), line.rfind(')') + 1)));  // the name may hold spaces
    std::string state;
    pid_t parent = 0, process_group = 0;
    fields >> state >> parent >> process_group;
    if (process_group != group) continue;
    std::string skipped;
    for (int i = 0; i < 18; ++i) fields >> skipped;  // field 6 to 23 of proc(5)
    std::uint64_t pages = 0;
    fields >> pages;
    sum += pages * page;
  }
  return sum;
}

}  // namespace roomcheck::conformance
