#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <optional>

#include "libs/target/control_kinds.h"

namespace roomcheck::target {
namespace {

using std::chrono::steady_clock;

// A program that a shell starts; requests go to its stdin, answers come from its stdout, a line each. It
// leads a process group of its own, so that what the shell started ends with it.
class Program {
 public:
  explicit Program(const std::string& command) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return;
    pid_ = ::fork();
    if (pid_ == 0) {
      ::setpgid(0, 0);
      ::dup2(ends[1], STDIN_FILENO);
      ::dup2(ends[1], STDOUT_FILENO);
      ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    fd_ = ends[0];
  }
  ~Program() {
    if (fd_ >= 0) ::close(fd_);  // the program sees the end of its input
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGTERM);
    for (int i = 0; i < 100 && ::waitpid(pid_, nullptr, WNOHANG) == 0; ++i) ::poll(nullptr, 0, 10);
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // One line there, one line back, within the limit. Error timeout, or closed when the program ended.
  Result<std::string> ask(const std::string& line, steady_clock::time_point limit) {
    const std::string request = line + "\n";
    for (std::size_t sent = 0; sent < request.size();) {
      if (!ready(POLLOUT, limit)) return Error{Error::Kind::timeout, "did not take its request in time"};
      const ssize_t n =
          ::send(fd_, request.data() + sent, request.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n < 0 && errno != EAGAIN && errno != EINTR) return Error{Error::Kind::closed, "has ended"};
      if (n > 0) sent += static_cast<std::size_t>(n);
    }
    for (std::size_t end; (end = read_.find('\n')) == std::string::npos;) {
      if (!ready(POLLIN, limit)) return Error{Error::Kind::timeout, "did not answer in time"};
      char some[4096];
      const ssize_t n = ::recv(fd_, some, sizeof some, MSG_DONTWAIT);
      if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        return Error{Error::Kind::closed, "ended without an answer"};
      if (n > 0) read_.append(some, static_cast<std::size_t>(n));
      if (read_.size() > kMostAnswer)
        return Error{Error::Kind::system, "answered more than 16 MiB in one line"};
    }
    const std::size_t end = read_.find('\n');
    std::string answer = read_.substr(0, end);
    read_.erase(0, end + 1);
    return answer;
  }

 private:
  static constexpr std::size_t kMostAnswer = 16 << 20;

  bool ready(short what, steady_clock::time_point limit) const {
    for (;;) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(limit - steady_clock::now()).count();
      if (left <= 0) return false;
      pollfd one{fd_, what, 0};
      if (::poll(&one, 1, static_cast<int>(left)) > 0) return true;
    }
  }

  pid_t pid_ = -1;
  int fd_ = -1;
  std::string read_;
};

// A program of the user's own, started at the first call and kept: starting Python with Django anew for each
// push would cost a second each. One that ended or fell silent is ended and started again at the next call.
class CommandControl final : public Control {
 public:
  CommandControl(std::string command, std::chrono::nanoseconds limit)
      : command_(std::move(command)), limit_(limit) {}

  Result<void> group_send(const std::string& group, const event::Event& event) override {
    return without_answer(ask({{"do", "group-send"}, {"group", group}, {"event", event}}));
  }
  Result<void> channel_send(const std::string& channel, const event::Event& event) override {
    return without_answer(ask({{"do", "channel-send"}, {"channel", channel}, {"event", event}}));
  }
  Result<std::vector<std::string>> members(const std::string& group) override {
    const Result<event::Event> answer = ask({{"do", "members"}, {"group", group}});
    if (!answer.ok()) return answer.error();
    try {
      return answer->at("channels").get<std::vector<std::string>>();
    } catch (const nlohmann::json::exception&) {
      return Error{Error::Kind::system, describe() + " answered members without a list \"channels\""};
    }
  }
  // Asked once; a control that is broken says so again at the first real call.
  bool knows_members() override {
    if (!knows_members_) {
      const auto answer = members("roomcheck");
      knows_members_ = answer.ok() || answer.error().kind != Error::Kind::unsupported;
    }
    return *knows_members_;
  }
  std::string describe() const override { return "cmd:" + command_.substr(0, command_.find(' ')); }

 private:
  static Result<void> without_answer(const Result<event::Event>& result) {
    return result.ok() ? Result<void>() : Result<void>(result.error());
  }

  static constexpr auto kReplace = event::Event::error_handler_t::replace;  // names need not be UTF-8

  Result<event::Event> ask(const event::Event& request) {
    const std::lock_guard lock(mu_);
    if (!program_) program_ = std::make_unique<Program>(command_);
    const Result<std::string> line =
        program_->ask(request.dump(-1, ' ', false, kReplace), steady_clock::now() + limit_);
    if (!line.ok()) {
      program_.reset();
      return Error{line.error().kind, "the control " + describe() + " " + line.error().message +
                                          " (docs/PROFILES.md has the protocol)"};
    }
    const event::Event answer = event::Event::parse(*line, nullptr, false);
    if (!answer.is_object())
      return Error{Error::Kind::system,
                   "the control " + describe() + " answered no JSON object but: " + line->substr(0, 200)};
    if (!answer.contains("error")) return answer;
    return refusal(answer);
  }

  // {"error": "a sentence", "kind": "bad_input" (when left out) | "unsupported" | "full"}
  static Error refusal(const event::Event& answer) {
    const event::Event sentence = answer["error"], kind = answer.value("kind", event::Event("bad_input"));
    Error out{Error::Kind::system, sentence.is_string() ? sentence.get<std::string>() : sentence.dump()};
    if (kind == "bad_input") out.kind = Error::Kind::bad_input;
    if (kind == "unsupported") out.kind = Error::Kind::unsupported;
    if (kind == "full") out.kind = Error::Kind::full;
    return out;
  }

  const std::string command_;
  const std::chrono::nanoseconds limit_;
  std::mutex mu_;
  std::unique_ptr<Program> program_;  // guarded by mu_
  std::optional<bool> knows_members_;
};

}  // namespace

std::unique_ptr<Control> make_command_control(const std::string& address, std::chrono::nanoseconds limit) {
  const std::string command = address.substr(std::string("cmd:").size());
  if (command.find_first_not_of(' ') == std::string::npos)
    throw BadInput("--control " + address + ": the command is missing, for example cmd:'python3 control.py'");
  return std::make_unique<CommandControl>(command, limit);
}

}  // namespace roomcheck::target
