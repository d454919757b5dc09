#include "loadgen/scale_out/common_start.h"

#include <charconv>
#include <ctime>
#include <nlohmann/json.hpp>
#include <set>

#include "libs/base/result.h"
#include "libs/base/units.h"
#include "libs/channel_layer/meeting.h"
#include "libs/program/program.h"
#include "loadgen/hash.h"

namespace roomcheck::loadgen {
namespace {

using namespace std::chrono_literals;
using WallTime = std::chrono::system_clock::time_point;

constexpr auto kRedisTimeout = 3s;
constexpr Nanoseconds kStartsIn = 20ms;  // after the last has come; the others see it within the poll's 10 ms

std::string of(const Shard& shard) {
  return "shard " + std::to_string(shard.index) + "/" + std::to_string(shard.count);
}

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t out = 0;
  for (const char c : text) out = hash(out, static_cast<unsigned char>(c));
  return out;
}

// Never 0, which stands for "to be made".
std::uint32_t run_of(std::uint64_t number) { return std::max(1u, static_cast<std::uint32_t>(number >> 32)); }

class Rendezvous final : public CommonStart {
 public:
  Rendezvous(const std::string& url, Shard shard, Nanoseconds timeout)
      : name_(url), shard_(shard), timeout_(timeout), meeting_(make(url)) {}

  // REQUIRES: nothing of the scenario changes afterwards.
  void agree(Scenario& scenario, const target::Profile& profile, bool seed_given) {
    if (!value(meeting_->arrive("here", std::to_string(shard_.index))))
      throw BadInput("--rendezvous " + name_ + ": a " + of(shard_) +
                     " is here already: give each process a rank of its own, and each run a key of its own");
    const std::uint64_t own =
        hash(scenario.seed, static_cast<std::uint64_t>(wall_now().time_since_epoch().count()));
    scenario.run = run_of(std::stoull(value(meeting_->agree("run", std::to_string(own)))));
    const std::string seed = std::to_string(scenario.seed);
    const std::string agreed = value(meeting_->agree("seed", seed));
    if (seed_given && agreed != seed)
      throw BadInput("--rendezvous " + name_ + ": the shard that came first has --seed " + agreed +
                     ", this one " + seed + ": start all with the same options");
    scenario.seed = std::stoull(agreed);
    nlohmann::ordered_json what = to_json(scenario);
    what.erase("targets");  // shards may reach the target by other ways
    what.erase("threads");
    const std::string same = std::to_string(shard_.count) + " shards, version " + std::string(version()) +
                             ", profile " + profile.name + ", scenario " +
                             std::to_string(hash_of(what.dump()));
    if (const std::string first = value(meeting_->agree("same", same)); first != same)
      throw BadInput("--rendezvous " + name_ + ": the shard that came first runs something else (" + first +
                     "; here " + same + "): start all with the same options");
  }

  std::optional<Nanoseconds> poll(Nanoseconds now) override {
    if (deadline_.count() < 0) {
      deadline_ = now + timeout_;
      value(meeting_->arrive("connected", std::to_string(shard_.index)));
    }
    const std::vector<std::string> names = value(meeting_->present("connected"));
    if (names.size() >= shard_.count) return now + kStartsIn;
    if (now < deadline_) return std::nullopt;
    const std::set<std::string> here(names.begin(), names.end());
    std::string missing;
    std::size_t others = 0;
    for (std::uint32_t i = 0; i < shard_.count; ++i) {
      if (here.count(std::to_string(i)) > 0) continue;
      if (missing.size() < 60)
        missing += (missing.empty() ? "" : ", ") + std::to_string(i);
      else
        ++others;
    }
    throw StartFailure("--rendezvous " + name_ + ": " + std::to_string(here.size()) + " of " +
                       std::to_string(shard_.count) + " shards came within " + format_duration(timeout_) +
                       "; missing: " + missing +
                       (others > 0 ? " and " + std::to_string(others) + " more" : "") +
                       "; start all of them, or wait longer (--rendezvous-timeout)");
  }

 private:
  // redis://HOST[:PORT][/DB]/KEY: what Redis' own URL has, and a key behind it.
  static std::unique_ptr<channel_layer::Meeting> make(const std::string& url) {
    const std::size_t host = url.find("://");
    const std::size_t slash = url.rfind('/');
    if (host == url.npos || slash <= host + 2 || slash + 1 == url.size())
      throw BadInput("--rendezvous " + url +
                     ": expected redis://HOST[:PORT]/KEY, with a KEY of each run's own");
    try {
      return std::make_unique<channel_layer::Meeting>(channel_layer::parse_redis_url(url.substr(0, slash)),
                                                      url.substr(slash + 1), kRedisTimeout);
    } catch (const BadInput& e) {
      throw BadInput(std::string("--rendezvous: ") + e.what());
    }
  }

  template <class T>
  T value(Result<T> result) const {
    if (!result.ok()) throw StartFailure("--rendezvous: " + result.error().message);
    return std::move(result).value();
  }

  const std::string name_;
  const Shard shard_;
  const Nanoseconds timeout_;
  const std::unique_ptr<channel_layer::Meeting> meeting_;
  Nanoseconds deadline_{-1};
};

class StartAt final : public CommonStart {
 public:
  StartAt(std::string text, WallTime at) : text_(std::move(text)), at_(at) {}
  std::optional<Nanoseconds> poll(Nanoseconds now) override {
    const Nanoseconds left = at_ - wall_now();
    if (left.count() < 0)
      throw StartFailure("--start-at " + text_ + ": everything was connected only " + format_duration(-left) +
                         " after it; name a later moment, or raise --connect-rate");
    return now + left;
  }

 private:
  const std::string text_;
  const WallTime at_;
};

WallTime parse_moment(const std::string& text) {
  WallTime out;
  std::tm utc{};
  std::int64_t seconds = 0;
  const char* end = text.data() + text.size();
  if (!text.empty() && text.front() == '@') {
    const auto [stop, error] = std::from_chars(text.data() + 1, end, seconds);
    if (error != std::errc() || stop != end) seconds = -1;
  } else {
    const char* stop = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &utc);
    seconds = stop == end ? ::timegm(&utc) : -1;
  }
  if (seconds < 0 || seconds > std::int64_t{1} << 33)
    throw BadInput("--start-at " + text +
                   ": expected a moment such as 2026-11-23T10:16:00Z (UTC), or @SECONDS");
  out += std::chrono::seconds(seconds);
  const Nanoseconds left = out - wall_now();
  if (left.count() <= 0)
    throw BadInput("--start-at " + text + ": it is past; name a moment that all shards reach");
  if (left > 24h) throw BadInput("--start-at " + text + ": it is more than a day away");
  return out;
}

}  // namespace

std::unique_ptr<CommonStart> join_run(const ScaleOut& options, Scenario& scenario,
                                      const target::Profile& profile, bool seed_given) {
  const bool meets = !options.rendezvous.empty() || !options.start_at.empty();
  if (options.shard.empty() && !meets) return nullptr;
  if (!options.rendezvous.empty() && !options.start_at.empty())
    throw BadInput("--rendezvous and --start-at: give one of them, it says when all shards begin");
  scenario.shard = parse_shard(options.shard.empty() ? "rank" : options.shard, environment);
  if (!scenario.shard.whole() && !meets)
    throw BadInput("--shard " + options.shard +
                   ": the shards must begin together: add --rendezvous redis://HOST/KEY, or --start-at TIME");
  validate(scenario, profile);  // again: this shard has a part of the clients
  if (!options.start_at.empty()) {
    const WallTime at = parse_moment(options.start_at);
    const auto number = static_cast<std::uint64_t>(at.time_since_epoch().count());
    if (!seed_given) scenario.seed = hash(number, 0) >> 32;
    scenario.run = run_of(hash(scenario.seed, number));
    return std::make_unique<StartAt>(options.start_at, at);
  }
  auto out = std::make_unique<Rendezvous>(options.rendezvous, scenario.shard, options.rendezvous_timeout);
  out->agree(scenario, profile, seed_given);
  return out;
}

}  // namespace roomcheck::loadgen
