#include "conformance/selftest/selftest.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <iostream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "conformance/catalog.h"
#include "conformance/selftest/trial.h"
#include "libs/base/result.h"

namespace roomcheck::conformance {
namespace {

using nlohmann::json;
using Names = std::vector<std::string>;

struct Mutant {
  std::string name, kind;
  Names requirements;
  std::string value;  // "" or what stands behind the "="
};

// What a mutant's trial said.
struct Proof {
  Names caught_by;  // cases of the requirement that it is for
  Names unrelated;  // MUST cases of requirements that it does not declare
  Names failed;     // all
  std::string trouble;
};

std::vector<Mutant> mutants_of(const std::string& program) {
  const Output listed = run_program_for_output(quoted(program) + " --list-mutants --json -");
  if (listed.exit_code != 0)
    throw StartFailure("cannot ask " + program + " for its mutants: exit " +
                       std::to_string(listed.exit_code) + "; --reference-server names another program");
  std::vector<Mutant> out;
  for (const json& m : json::parse(listed.out))
    if (m["kind"] != "load") out.push_back({m["name"], m["kind"], m["requirements"], m["value"]});
  if (out.empty())
    throw StartFailure(program + " was built without mutants (configure with -DROOMCHECK_MUTANTS=ON)");
  return out;
}

std::string requirement_of(const std::string& id) { return id.substr(0, id.find('/')); }

bool is_of_cluster(const std::string& requirement) { return requirement.compare(0, 8, "cluster.") == 0; }

bool contains(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Proof judge(const Mutant& mutant, const Trial& trial) {
  Proof out;
  out.trouble = trial.trouble;
  for (const auto& [id, verdict] : trial.verdicts) {
    if (verdict.name != "fail" && verdict.name != "crash") continue;
    out.failed.push_back(id);
    const std::string requirement = requirement_of(id);
    if (requirement == mutant.requirements.front()) {
      out.caught_by.push_back(id);
    } else if (verdict.level == "MUST" && !contains(mutant.requirements, requirement)) {
      out.unrelated.push_back(id);
    }
  }
  return out;
}

Proof try_mutant(const SelfTest& what, const Mutant& mutant) {
  const bool cluster = is_of_cluster(mutant.requirements.front());
  const std::string target = "--mutant " + mutant.name + (mutant.value.empty() ? "" : "={peer}");
  const Names own{mutant.requirements.front() + "/*"}, all = cluster ? Names{"cluster.*"} : Names{};
  const auto run = [&](const Names& filter, double scale) {
    return judge(mutant, run_suite(what, target, filter, scale, cluster ? Nodes::two : Nodes::one));
  };
  Proof out = run(what.extent == SelfTest::Extent::full ? all : own, 0.25);
  for (int again = 0; again < 2 && out.caught_by.empty(); ++again) out.caught_by = run(own, 1).caught_by;
  if (!out.unrelated.empty()) out.unrelated = run(out.unrelated, 1).unrelated;
  return out;
}

// No suite may call such a server good, and hardly a case of what members hear.
std::string try_target(const SelfTest& what, const Mutant& mutant) {
  const Trial trial =
      run_suite(what, "--mutant " + mutant.name, {"echo.*", "broadcast.*", "messages.*"}, 0.25);
  if (!trial.trouble.empty()) return trial.exit_code == 3 ? "" : trial.trouble;
  for (const auto& [id, verdict] : trial.verdicts)
    if (verdict.level == "MUST" && verdict.name == "pass") return id + " passes";
  return trial.verdicts.empty() ? "no case ran" : "";
}

void print_row(const std::string& requirement, const std::string& mutant, const std::string& caught) {
  std::string a = requirement, b = mutant;
  a.resize(std::max<std::size_t>(a.size() + 1, 36), ' ');
  b.resize(std::max<std::size_t>(b.size() + 1, 26), ' ');
  std::cout << a << b << caught << '\n';
}

std::string joined(const Names& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

}  // namespace

ExitCode self_test(const SelfTest& asked) {
  SelfTest what = asked;
  if (what.reference_server.empty()) what.reference_server = program_beside(what.self, "reference_server");
  const std::vector<Mutant> mutants = mutants_of(what.reference_server);

  Names complaints;  // all stand below the table
  const auto complain = [&complaints](std::string text) { complaints.push_back(std::move(text)); };

  Trial right = run_suite(what, "", {}, 1);
  if (!right.trouble.empty()) throw StartFailure("against the right server: " + right.trouble);
  if (can_have_two_nodes()) {
    const Trial two = run_suite(what, "", {"cluster.*"}, 1, Nodes::two);
    if (!two.trouble.empty()) throw StartFailure("against two right servers on one Redis: " + two.trouble);
    for (const auto& [id, verdict] : two.verdicts) right.verdicts[id] = verdict;
  }
  std::set<std::string> asked_musts;
  Names not_asked;
  for (const auto& [id, verdict] : right.verdicts) {
    if (verdict.name == "fail" || verdict.name == "crash" || verdict.name == "could_not_test")
      complain(id + " does not pass against the right server: " + verdict.name);
    if (verdict.level == "MUST" && verdict.name != "skipped") asked_musts.insert(requirement_of(id));
  }
  for (const auto& [id, verdict] : right.verdicts)
    if (verdict.level == "MUST" && verdict.name == "skipped" && asked_musts.count(requirement_of(id)) == 0 &&
        !contains(not_asked, requirement_of(id)))
      not_asked.push_back(requirement_of(id));

  std::set<std::string> known;
  for (const Case& c : all_cases()) known.insert(c.requirement);
  for (const Mutant& mutant : mutants)
    for (const std::string& requirement : mutant.requirements)
      if (known.count(requirement) == 0)
        complain("mutant " + mutant.name + " names " + requirement + ", which has no case");

  // Most of a mutant's time is waiting for what does not come.
  std::vector<Proof> proofs(mutants.size());
  std::atomic<std::size_t> next{0}, done{0};
  std::mutex mu;
  const bool terminal = ::isatty(STDERR_FILENO) != 0;
  const auto work = [&] {
    for (std::size_t i; (i = next++) < mutants.size();) {
      if (mutants[i].kind == "target") {
        proofs[i].trouble = try_target(what, mutants[i]);
      } else if (!contains(not_asked, mutants[i].requirements.front())) {
        proofs[i] = try_mutant(what, mutants[i]);
      }
      const std::lock_guard lock(mu);
      ++done;
      if (terminal)
        std::cerr << "\r\x1b[K" << done << " of " << mutants.size() << "  " << mutants[i].name << std::flush;
    }
  };
  std::vector<std::thread> workers;
  for (int i = 0; i < what.jobs; ++i) workers.emplace_back(work);
  for (std::thread& worker : workers) worker.join();
  if (terminal) std::cerr << "\r\x1b[K" << std::flush;

  print_row("requirement", "mutant", "caught by");
  std::set<std::string> with_mutant, failed_once;
  for (std::size_t i = 0; i < mutants.size(); ++i) {
    const Mutant& mutant = mutants[i];
    const Proof& proof = proofs[i];
    if (mutant.kind == "target") {
      print_row("(nearly all)", mutant.name, proof.trouble.empty() ? "refused or failed" : "-");
      if (!proof.trouble.empty())
        complain("the server \"" + mutant.name + "\" is not seen through: " + proof.trouble);
      continue;
    }
    with_mutant.insert(mutant.requirements.front());
    if (contains(not_asked, mutant.requirements.front())) continue;
    print_row(mutant.requirements.front(), mutant.name,
              proof.caught_by.empty() ? "-" : joined(proof.caught_by));
    failed_once.insert(proof.failed.begin(), proof.failed.end());
    failed_once.insert(proof.caught_by.begin(), proof.caught_by.end());
    if (proof.caught_by.empty())
      complain("mutant " + mutant.name + " survives " + mutant.requirements.front() +
               (proof.trouble.empty() ? "" : ": " + proof.trouble));
    if (!proof.unrelated.empty())
      complain("mutant " + mutant.name +
               " is also caught by what it does not declare: " + joined(proof.unrelated));
  }
  for (const std::string& requirement : asked_musts)
    if (with_mutant.count(requirement) == 0) complain(requirement + " is a MUST without a mutant");

  for (const auto& [id, verdict] : right.verdicts)
    if (verdict.level == "MUST" && verdict.name == "pass" && failed_once.count(id) == 0)
      complain("no mutant made " + id + " fail");
  if (!not_asked.empty())
    std::cout << "Not asked, since the reference server was started without what they need: "
              << joined(not_asked) << '\n';
  for (const std::string& complaint : complaints) std::cout << "  NOT PROVED: " << complaint << '\n';
  std::cout << (complaints.empty() ? "PROVED" : "NOT PROVED") << ": " << asked_musts.size() << " MUSTs, "
            << mutants.size() << " mutants\n";
  return complaints.empty() ? ExitCode::good : ExitCode::verdict_bad;
}

}  // namespace roomcheck::conformance
