#pragma once
#include <map>
#include <string>
#include <vector>

#include "conformance/selftest/selftest.h"

namespace roomcheck::conformance {

struct Output {
  int exit_code = -1;  // -1: it could not be run, or a signal ended it
  std::string out;
};
// Runs a command of /bin/sh to its end; what it says on stderr is thrown away.
Output run_program_for_output(const std::string& command);
std::string quoted(const std::string& word);  // for /bin/sh

// "roomcheck-" + name where this program is installed, name where it was built. Throws StartFailure.
std::string program_beside(const std::string& self, const std::string& name);

// One run of the suite against a reference server of its own, as a process of its own.
struct Trial {
  struct Verdict {
    std::string name, level;
  };
  int exit_code = -1;
  std::map<std::string, Verdict> verdicts;  // by case
  std::string trouble;                      // there is no result, and why
};
// `server_options`: of the shell. `filter`: ids or patterns of cases; empty: all.
// For cases of a cluster there are two nodes on a Redis of their own; "{peer}" in the options is then the
// address of the other node.
enum class Nodes { one, two };
bool can_have_two_nodes();  // redis-server and redis-cli are there
Trial run_suite(const SelfTest& what, const std::string& server_options,
                const std::vector<std::string>& filter, double timeout_scale, Nodes nodes = Nodes::one);

}  // namespace roomcheck::conformance
