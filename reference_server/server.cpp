#include "reference_server/server.h"

#include <spdlog/spdlog.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "libs/base/result.h"
#include "libs/program/files.h"
#include "libs/program/memory.h"
#include "libs/program/program.h"
#include "libs/websocket/url.h"
#include "reference_server/options.h"

namespace roomcheck::reference_server {
namespace {

constexpr const char* kExamples = R"(Examples:
  reference_server                                  rooms at ws://127.0.0.1:8801/ws/chat/<room>/
  reference_server --listen 0.0.0.0:8801 --threads 2
  reference_server --tls-cert cert.pem --tls-key key.pem
  reference_server --mutant lose=100                drop every hundredth delivery on purpose

Push into a room from outside:
  curl -d '{"type": "chat_push_message", "message": "hello"}' http://127.0.0.1:8802/groups/lobby/send)";

ExitCode list_mutants(const std::string& json_file) {
  if (json_file.empty()) {
    for (const Mutant& m : all_mutants()) {
      std::string name(m.name);
      if (!m.value.empty()) name += "=" + std::string(m.value);
      name.resize(std::max<std::size_t>(26, name.size()), ' ');
      std::string requirement = m.requirements.empty() ? "-" : std::string(m.requirements.front());
      requirement.resize(std::max<std::size_t>(32, requirement.size()), ' ');
      std::string kind(to_string(m.kind));
      kind.resize(8, ' ');
      std::cout << name << kind << requirement << m.sentence << '\n';
    }
    return ExitCode::good;
  }
  auto out = nlohmann::ordered_json::array();
  for (const Mutant& m : all_mutants())
    out.push_back({{"name", m.name},
                   {"kind", to_string(m.kind)},
                   {"requirements", m.requirements},
                   {"sentence", m.sentence},
                   {"value", m.value}});
  write_file(json_file, out.dump(2) + "\n");
  return ExitCode::good;
}

// The judge and the defendant meet only as processes: the suite's program beside this one takes over.
ExitCode self_test() {
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe");
  for (const char* name : {"conformance", "roomcheck-conformance"}) {
    const std::string program = (self.parent_path() / name).string();
    ::execl(program.c_str(), program.c_str(), "--self-test", "--reference-server", self.c_str(), nullptr);
  }
  throw StartFailure("there is no conformance in " + self.parent_path().string() +
                     ", which would run the self-test");
}

ExitCode serve(const NodeOptions& options) {
  Node node(options);
  boost::asio::signal_set signals(node.first_loop(), SIGINT, SIGTERM);
  keep_memory_reserve([] { ::kill(::getpid(), SIGTERM); });
  signals.async_wait([&node](const boost::system::error_code& code, int) {
    if (code) return;
    spdlog::info("closing every connection");
    node.stop();
  });
  const std::string scheme = options.server.tls.enabled() ? "wss://" : "ws://";
  std::cout << "reference_server: listening on " << scheme
            << websocket::join_host_port(options.server.host, node.port()) << "/ws/chat/<room>/";
  if (node.control_port() != 0)
    std::cout << ", control on http://"
              << websocket::join_host_port(options.control.host, node.control_port());
  std::cout << std::endl;
  for (const std::string& mutant : options.mutants) spdlog::warn("broken on purpose: --mutant {}", mutant);
  node.run();
  return ExitCode::good;
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App app("Serves rooms in the manner of Django Channels: what one member sends reaches every member.",
               "reference_server");
  app.footer(kExamples);
  Options options;
  add_options(app, options);
  return run_program(app, argc, argv, [&] {
    if (options.list_mutants) return list_mutants(options.json);
    if (options.self_test) return self_test();
    complete(options);
    return serve(options.node);
  });
}

}  // namespace roomcheck::reference_server
