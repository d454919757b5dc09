#include "libs/testkit/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "libs/base/regex.h"

namespace roomcheck::testkit {
namespace {

using std::chrono::steady_clock;
constexpr auto kPoll =
    std::chrono::milliseconds(5);  // how often a child is looked at; not a wait for anything

}  // namespace

Process::Process(const std::vector<std::string>& command,
                 const std::map<std::string, std::string>& environment) {
  std::vector<std::string> words = command;
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string out = directory_.path("out"), err = directory_.path("err");
  // The kernel signals the child when the thread that forked it ends; the main thread's end is the test's.
  const pid_t parent = ::getpid();
  const bool with_us = ::syscall(SYS_gettid) == parent;
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("cannot fork");
  if (pid_ > 0) return;
  if (with_us) ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(127);  // it ended meanwhile
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, STDIN_FILENO);
  ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600), STDOUT_FILENO);
  ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600), STDERR_FILENO);
  for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
  ::execvp(argv[0], argv.data());
  ::_exit(127);
}

Process::~Process() {
  if (exit_code_) return;
  signal(SIGTERM);
  if (wait(std::chrono::seconds(5))) return;
  signal(SIGKILL);
  wait();
}

std::string Process::out() const { return slurp(directory_.path("out")); }
std::string Process::err() const { return slurp(directory_.path("err")); }

std::string Process::wait_for(const std::string& regex) {
  const Regex pattern(regex);
  const auto limit = steady_clock::now() + std::chrono::seconds(20);
  for (;;) {
    const bool ended = wait(std::chrono::seconds(0)).has_value();
    const std::string text = out();
    if (const auto match = pattern.find(text)) return (*match)[match->groups.size() > 1 ? 1 : 0];
    if (ended || steady_clock::now() > limit)
      throw std::runtime_error("no output that matches " + regex + "\nstdout: " + text +
                               "\nstderr: " + err());
    std::this_thread::sleep_for(kPoll);
  }
}

void Process::signal(int number) const {
  if (!exit_code_) ::kill(pid_, number);
}

std::optional<int> Process::wait(std::chrono::seconds limit) {
  const auto end = steady_clock::now() + limit;
  while (!exit_code_) {
    int status = 0;
    const pid_t done = ::waitpid(pid_, &status, WNOHANG);
    if (done == pid_) exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (exit_code_ || steady_clock::now() >= end) break;
    std::this_thread::sleep_for(kPoll);
  }
  return exit_code_;
}

Outcome run(const std::vector<std::string>& command, const std::map<std::string, std::string>& environment,
            std::chrono::seconds limit) {
  Process process(command, environment);
  const std::optional<int> code = process.wait(limit);
  if (!code)
    throw std::runtime_error(command.front() + " did not end within its limit\nstdout: " + process.out() +
                             "\nstderr: " + process.err());
  return {*code, process.out(), process.err()};
}

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (fd < 0 || ::bind(fd, generic, size) != 0 || ::getsockname(fd, generic, &size) != 0)
    throw std::runtime_error("cannot find a free port");
  ::close(fd);
  return ntohs(address.sin_port);
}

}  // namespace roomcheck::testkit
