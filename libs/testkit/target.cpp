#include "libs/testkit/target.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>

#include "libs/testkit/paths.h"

namespace roomcheck::testkit {
namespace {

using Environment = std::map<std::string, std::string>;

bool accepts(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  const bool open = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return open;
}

std::vector<std::string> asgi_server(const std::string& server, const std::string& application,
                                     std::uint16_t port) {
  const std::string number = std::to_string(port);
  if (server == "daphne")
    return {python(), "-m",        "daphne", "--verbosity", "0",
            "--bind", "127.0.0.1", "--port", number,        application};
  for (const char* ws : {"websockets", "wsproto"})
    if (server == std::string("uvicorn-") + ws)
      return {python(), "-m",   "uvicorn", "--host",      "127.0.0.1", "--port",
              number,   "--ws", ws,        "--log-level", "warning",   application};
  throw std::logic_error("no ASGI server is called " + server);
}

Environment python_environment(const std::string& app, Environment environment) {
  environment["PYTHONPATH"] = source_dir() + "/conformance/targets/" + app;
  environment["PYTHONDONTWRITEBYTECODE"] = "1";
  return environment;
}

}  // namespace

std::string python() { return "/usr/bin/python3"; }

Environment django_environment(Environment more) { return python_environment("django", std::move(more)); }

void wait_for_port(Process& process, std::uint16_t port) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!accepts(port)) {
    const bool ended = process.wait(std::chrono::seconds(0)).has_value();
    if (ended || std::chrono::steady_clock::now() > limit)
      throw std::runtime_error("nothing listens on port " + std::to_string(port) +
                               "\nstdout: " + process.out() + "\nstderr: " + process.err());
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

Target::Target(const std::vector<std::string>& command, const Environment& environment, std::uint16_t port,
               std::uint16_t control_port)
    : port_(port), control_port_(control_port), process_(command, environment) {
  wait_for_port(process_, port_);
  if (control_port_ != 0) wait_for_port(process_, control_port_);
}

Target Target::django(const std::string& server, const Environment& environment) {
  const std::uint16_t port = free_port();
  return Target(asgi_server(server, "mychat.asgi:application", port), django_environment(environment), port);
}

Target Target::tutorial(const std::string& redis_url) {
  const std::uint16_t port = free_port();
  return Target(asgi_server("daphne", "mysite.asgi:application", port),
                python_environment("tutorial", {{"REDIS_URL", redis_url}}), port);
}

Target Target::node() {
  const std::uint16_t port = free_port(), control_port = free_port();
  return Target({"node", source_dir() + "/conformance/targets/node/server.js"},
                {{"PORT", std::to_string(port)},
                 {"CONTROL_PORT", std::to_string(control_port)},
                 {"NODE_PATH", bin_dir() + "/../conformance/targets/node/node_modules"}},
                port, control_port);
}

std::string Target::control() const {
  if (control_port_ == 0) throw std::logic_error("only node() has a control API");
  return "http://127.0.0.1:" + std::to_string(control_port_);
}

}  // namespace roomcheck::testkit
