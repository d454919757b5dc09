#include "conformance/schedule.h"

#include <algorithm>

#include "libs/program/memory.h"

namespace roomcheck::conformance {

using reports::CaseResult;
using reports::Verdict;

Schedule::Schedule(Runner& runner, Plan plan)
    : runner_(runner), plan_(std::move(plan)), begun_(steady_clock().now()) {
  for (const auto& [slot, c] : plan_.cases) entries_.push_back({slot, c, false, false, std::nullopt});
  conductor_ = std::thread([this] { conduct(); });
}

Schedule::~Schedule() { conductor_.join(); }

std::optional<CaseResult> Schedule::wait(const Case& c) {
  std::unique_lock lock(mu_);
  const auto entry =
      std::find_if(entries_.begin(), entries_.end(), [&c](const Entry& e) { return e.c == &c; });
  changed_.wait(lock, [&] { return entry->done; });
  return entry->result;
}

std::optional<std::string> Schedule::lost() const {
  const std::lock_guard lock(mu_);
  return lost_.empty() ? std::nullopt : std::optional(lost_);
}

// ---- the conductor's thread

void Schedule::conduct() {
  std::vector<std::thread> observers;
  for (Entry& entry : entries_)
    if (entry.c->how == How::observes) {
      entry.begun = true;
      observers.emplace_back([this, &entry] { observe(entry); });
    }
  const auto run = [this](Phase phase, int jobs) {
    do {
      std::vector<std::thread> workers;
      for (int i = 0; i < jobs; ++i) workers.emplace_back([this, phase] { work(phase); });
      for (std::thread& worker : workers) worker.join();
      judge_suspects();
      if (memory_ran_out()) give_up("memory ran out");
    } while (more(phase));
  };
  if (plan_.jobs == 1) {
    run(Phase::all, 1);
  } else {
    run(Phase::alone, 1);
    run(Phase::beside_others, plan_.jobs);
  }
  {
    const std::lock_guard lock(mu_);
    over_ = true;
  }
  changed_.notify_all();
  for (std::thread& observer : observers) observer.join();
  const std::lock_guard lock(mu_);
  for (Entry& entry : entries_) entry.done = true;  // what stop_when left out
  changed_.notify_all();
}

// The next case to begin, which is not yet marked as begun; null when there is none, or none may begin now.
Schedule::Entry* Schedule::next(Phase phase) {
  if (stopped_ || !lost_.empty() || !suspects_.empty() || memory_ran_out()) return nullptr;
  for (Entry& entry : entries_)
    if (!entry.begun && (phase == Phase::all || (phase == Phase::alone) == (entry.c->how == How::alone)))
      return &entry;
  return nullptr;
}

bool Schedule::more(Phase phase) {
  const std::lock_guard lock(mu_);
  return next(phase) != nullptr;
}

void Schedule::work(Phase phase) {
  for (;;) {
    Entry* entry = nullptr;
    {
      const std::lock_guard lock(mu_);
      entry = next(phase);
      if (entry == nullptr) return;
      entry->begun = true;
    }
    Outcome outcome = runner_.run(*entry->c, entry->slot);
    const bool skipped = outcome.context == nullptr;
    if (auto why = skipped ? std::nullopt : runner_.why_dead()) {
      const std::lock_guard lock(mu_);
      suspects_.push_back({entry, std::move(outcome), *why});
    } else {
      publish(*entry, std::move(outcome));
    }
  }
}

// ---- observers

bool Schedule::observing() const {
  const std::lock_guard lock(mu_);
  if (stopped_ || !lost_.empty()) return false;
  return !over_ || steady_clock().now() < begun_ + plan_.observe;
}

void Schedule::observe(Entry& entry) {
  Outcome outcome = runner_.run(*entry.c, entry.slot, [this] { return observing(); });
  // (Not of one that passed: asking brings back a node that a case beside it may have killed.)
  const bool died =
      outcome.context != nullptr && outcome.result.verdict != Verdict::pass && runner_.why_dead();
  {
    std::unique_lock lock(mu_);
    // Whoever finds the target dead first, it is charged to a case that acts, if one does.
    if (died) changed_.wait(lock, [this] { return deaths_ > 0 || over_; });
    if (deaths_ > 0 && outcome.context != nullptr) {
      outcome.result.verdict = Verdict::could_not_test;
      outcome.result.message = "the target died meanwhile, in another case";
    }
  }
  publish(entry, std::move(outcome));
}

// ---- death

void Schedule::crash(Suspect& suspect, const std::string& message) {
  CaseResult& result = suspect.outcome.result;
  if (result.verdict != Verdict::pass && !result.message.empty())
    result.actual = result.message + (result.actual.empty() ? "" : ": " + result.actual);
  else
    result.actual.clear();
  result.actual += (result.actual.empty() ? "" : "\n") + suspect.why;
  result.expected = "the target lives on: a new connection is accepted and hears itself";
  result.verdict = Verdict::crash;
  result.message = message;
  publish(*suspect.entry, std::move(suspect.outcome));
}

void Schedule::give_up(const std::string& why) {
  const std::lock_guard lock(mu_);
  lost_ = why;
  for (Entry& entry : entries_) {
    if (entry.done || (entry.begun && entry.c->how == How::observes)) continue;  // those end by themselves
    entry.begun = entry.done = true;
    CaseResult& result = entry.result.emplace();
    result.id = entry.c->id;
    result.requirement = entry.c->requirement;
    result.section = entry.c->section();
    result.level = entry.c->level;
    result.sentence = entry.c->sentence;
    result.verdict = Verdict::could_not_test;
    result.message = "not run: " + lost_;
  }
  changed_.notify_all();
}

void Schedule::judge_suspects() {
  std::vector<Suspect> suspects;
  {
    const std::lock_guard lock(mu_);
    suspects.swap(suspects_);
    deaths_ += suspects.empty() ? 0 : 1;
  }
  changed_.notify_all();
  if (suspects.empty()) return;
  std::string names;
  for (const Suspect& suspect : suspects) names += (names.empty() ? "" : ", ") + suspect.entry->c->id;

  bool lives = runner_.revive();
  if (suspects.size() == 1 || !lives) {
    for (Suspect& suspect : suspects)
      crash(suspect, suspects.size() == 1 ? "the target died during this case"
                                          : "the target died during this case or one that ran beside it (" +
                                                names + "); --jobs 1 or --start tells which");
    if (!lives) give_up("the target died during " + names + " and could not be brought back");
    return;
  }
  bool found = false;
  for (Suspect& suspect : suspects) {
    suspect.outcome = runner_.run(*suspect.entry->c, suspect.entry->slot);
    if (auto why = runner_.why_dead()) {
      found = true;
      suspect.why = *why;
      crash(suspect, "the target died during this case, also when it ran alone");
      lives = runner_.revive();
      if (!lives)
        return give_up("the target died during " + suspect.entry->c->id + " and could not be brought back");
    } else if (found || &suspect != &suspects.back()) {
      publish(*suspect.entry, std::move(suspect.outcome));
    } else {
      crash(suspect, "the target died while these cases ran side by side (" + names +
                         "), and none of them alone brings it about again");
    }
  }
}

void Schedule::publish(Entry& entry, Outcome outcome) {
  CaseResult& result = outcome.result;
  if (outcome.context != nullptr) {
    if (plan_.trace) plan_.trace(*entry.c, *outcome.context);
    if (result.verdict != Verdict::pass && result.verdict != Verdict::informational)
      result.transcript = outcome.context->transcript();
  }
  if (plan_.judge) plan_.judge(result);
  const std::lock_guard lock(mu_);
  stopped_ = stopped_ || (plan_.stop_when && plan_.stop_when(result));
  entry.result = std::move(result);
  entry.done = true;
  changed_.notify_all();
}

}  // namespace roomcheck::conformance
