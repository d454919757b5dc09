#pragma once
#include <string>

#include "reference_server/node.h"

namespace CLI {  // not its header: see libs/program/program.h
class App;
}

namespace roomcheck::reference_server {

// What the command line asks for.
struct Options {
  NodeOptions node;
  bool list_mutants = false;
  bool self_test = false;
  std::string json;  // with --list-mutants: where to, "-" is stdout

  std::string listen = "127.0.0.1:8801";
  std::string control = "127.0.0.1:8802";
  std::string layer = "memory";
  std::string consumer = "async";
  std::uint64_t max_message_size = 16u << 20;
  std::uint64_t max_control_body = 1u << 20;
  std::uint64_t send_buffer_limit = 4u << 20;
  std::vector<std::string> channel_capacity;
  std::string session_secret;  // file
  std::chrono::nanoseconds session_age = std::chrono::hours(14 * 24);
  std::vector<std::string> redis_urls;
  std::string encryption_key_file;
  std::string serializer = "msgpack";
  std::string redis_members = "per-connection";
};

// Ties the options to the app.
void add_options(CLI::App& app, Options& options);

// Checks what the parser cannot, and fills options.node. Throws BadInput.
void complete(Options& options);

}  // namespace roomcheck::reference_server
