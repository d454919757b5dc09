#include "conformance/selftest/trial.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "conformance/selftest/django_session.h"
#include "libs/base/result.h"

namespace roomcheck::conformance {
namespace {

// A port that nobody listens on, never the same twice.
std::uint16_t free_port() {
  static std::mutex mu;
  static std::set<std::uint16_t> given;
  const std::lock_guard lock(mu);
  for (;;) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                       ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    ::close(fd);
    if (!bound) throw StartFailure("no port is free on 127.0.0.1");
    if (given.insert(ntohs(address.sin_port)).second) return ntohs(address.sin_port);
  }
}

// What the reference server needs to be asked everything: a site's key, allowed origins, and a session.
struct Site {
  Site() {
    std::string name = std::filesystem::temp_directory_path().string() + "/roomcheck-selftest-XXXXXX";
    const int fd = ::mkstemp(name.data());
    const std::string key = "a key for the self-test";
    if (fd < 0 || ::write(fd, key.data(), key.size()) < 0)
      throw StartFailure("cannot write a temporary file in " +
                         std::filesystem::temp_directory_path().string());
    ::close(fd);
    key_file = name;
    environment = "ROOMCHECK_AUTH_USER=7 ROOMCHECK_AUTH_SESSION=" +
                  quoted(django_session(key, "7", std::time(nullptr))) +
                  " ROOMCHECK_AUTH_EXPIRED=" + quoted(django_session(key, "7", 1));
  }
  ~Site() { ::unlink(key_file.c_str()); }
  std::string key_file, environment;
};

const Site& site() {
  static const Site the_site;
  return the_site;
}

}  // namespace

Output run_program_for_output(const std::string& command) {
  Output out;
  FILE* pipe = ::popen((command + " 2>/dev/null").c_str(), "re");
  if (pipe == nullptr) return out;
  std::array<char, 65536> chunk{};
  for (std::size_t n; (n = std::fread(chunk.data(), 1, chunk.size(), pipe)) > 0;)
    out.out.append(chunk.data(), n);
  const int status = ::pclose(pipe);
  if (WIFEXITED(status)) out.exit_code = WEXITSTATUS(status);
  return out;
}

std::string quoted(const std::string& word) {
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string program_beside(const std::string& self, const std::string& name) {
  std::error_code ignored;
  const std::filesystem::path folder = std::filesystem::path(self).parent_path();
  for (const std::string& candidate : {name, "roomcheck-" + name})
    if (std::filesystem::exists(folder / candidate, ignored)) return (folder / candidate).string();
  throw StartFailure("there is no " + name + " in " + folder.string() + "; --reference-server names it");
}

bool can_have_two_nodes() {
  return run_program_for_output("command -v redis-server && command -v redis-cli").exit_code == 0;
}

Trial run_suite(const SelfTest& what, const std::string& server_options,
                const std::vector<std::string>& filter, double timeout_scale, Nodes nodes) {
  const std::string control = "127.0.0.1:" + std::to_string(free_port());
  std::string capabilities = R"("echo","push","direct","events","auth","origin")", before, wait, layer;
  std::vector<std::string> addresses{"127.0.0.1:" + std::to_string(free_port())};
  if (nodes == Nodes::two) {
    addresses.push_back("127.0.0.1:" + std::to_string(free_port()));
    const std::string port = std::to_string(free_port());
    // Redis belongs to the first node's process group, and ends with it.
    before = "redis-server --bind 127.0.0.1 --save '' --port " + port + " >/dev/null & ";
    wait = "until redis-cli -p " + port + " ping >/dev/null 2>&1; do sleep 0.02; done; exec ";
    capabilities += R"(,"cluster")";
    layer = " --layer redis --redis-url redis://127.0.0.1:" + port;
  }
  std::string command = "exec env " + site().environment + " " + quoted(what.self) + " --set " +
                        quoted("capabilities=[" + capabilities + "]") + " --json - --control http://" +
                        control + " --timeout-scale " + std::to_string(timeout_scale);
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    std::string options = server_options;
    if (const std::size_t at = options.find("{peer}"); at != options.npos)
      options.replace(at, 6, addresses[1 - i]);
    command +=
        " --target ws://" + addresses[i] + " --start " +
        quoted((i == 0 ? before : "") + (wait.empty() ? "exec " : wait) + quoted(what.reference_server) +
               " --listen " + addresses[i] + " --control " + (i == 0 ? control : "off") + layer +
               " --threads 2 --log-level error --allowed-origin example.com --session-secret " +
               quoted(site().key_file) + " " + options);
  }
  for (const std::string& pattern : filter) command += " --filter " + quoted(pattern);
  const Output output = run_program_for_output(command);

  Trial trial;
  trial.exit_code = output.exit_code;
  const nlohmann::json result = nlohmann::json::parse(output.out, nullptr, false);
  if (result.is_discarded() || !result.contains("cases")) {
    trial.trouble = "the suite ended with exit " + std::to_string(output.exit_code) + " and no result";
    return trial;
  }
  for (const auto& c : result["cases"]) trial.verdicts[c["id"]] = {c["verdict"], c["level"]};
  return trial;
}

}  // namespace roomcheck::conformance
