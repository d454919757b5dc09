#include "loadgen/run.h"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <map>
#include <optional>

#include "libs/base/result.h"
#include "libs/base/units.h"
#include "libs/program/limits.h"
#include "libs/program/memory.h"
#include "loadgen/events.h"
#include "loadgen/live.h"
#include "loadgen/report.h"
#include "loadgen/target_process.h"
#include "loadgen/worker.h"

namespace roomcheck::loadgen {
namespace {

using namespace std::chrono_literals;

// Brings the workers to a common start, adds up their seconds, passes on signals. The workers' callbacks post
// to io_; all else happens on the caller's thread.
class Conductor {
 public:
  Conductor(const Scenario& scenario, const target::Profile& profile, Progress& progress,
            const LiveOutputs& live, CommonStart* common_start)
      : scenario_(scenario),
        profile_(profile),
        progress_(progress),
        common_start_(common_start),
        live_(live.jsonl, live.prometheus, io_) {}

  void conduct() {
    signals_.async_wait([this](const boost::system::error_code& code, int) { on_signal(code); });
    keep_memory_reserve([] { ::kill(::getpid(), SIGTERM); });
    const std::uint32_t run = scenario_.run != 0
                                  ? scenario_.run
                                  : run_id(scenario_.seed, Nanoseconds(wall_now().time_since_epoch()));
    last_second_.resize(scenario_.threads);
    for (std::uint32_t i = 0; i < scenario_.threads; ++i)
      workers.push_back(std::make_unique<Worker>(scenario_, profile_, run, i, origin_, callbacks(i)));
    io_.run();
    for (const auto& worker : workers) worker->join();
    show_seconds_before(UINT64_MAX);
    progress_.clear();
    if (start_failure_) throw StartFailure(*start_failure_);
  }

  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<reports::Second> series;
  std::optional<Nanoseconds> target_cpu;  // used from the start of the warm-up to the end of the drain

  // What happened, in the order of time: the stages that began, who came and went, the target's closes.
  std::vector<reports::Event> take_events() {
    bool too_soon = false;
    for (const auto& worker : workers) too_soon = too_soon || worker->outcome().drained_too_soon;
    if (too_soon && !series.empty())
      events_.add(Nanoseconds(series.back().at_ns), "drain",
                  "deliveries still came during the drain, which ended after " +
                      format_duration(scenario_.drain) +
                      ": some of the lost ones may only be late, a longer --drain tells");
    std::vector<reports::Event> out = events_.take();
    const Nanoseconds end = start_ + scenario_.warmup + measured() - origin_;
    const auto unreached = [end](const reports::Event& e) {
      return e.kind == "stage" && e.at_ns >= end.count();
    };
    out.erase(std::remove_if(out.begin(), out.end(), unreached), out.end());
    return out;
  }

  // How long was measured: the planned duration, or less when the run was cut.
  Nanoseconds measured() const {
    if (start_.count() < 0) return 0ns;
    Nanoseconds end = ended_early_ ? *ended_early_ : start_ + scenario_.warmup + scenario_.duration();
    for (const auto& worker : workers)
      if (worker->outcome().deserted) end = std::min(end, worker->outcome().deserted_at);
    return std::max(0ns, end - start_ - scenario_.warmup);
  }

  std::vector<std::string> failed_because() const {
    std::vector<std::string> out;
    std::uint64_t deserted = 0;
    Nanoseconds at{0};
    bool cut_short = false;
    for (const auto& worker : workers) {
      const WorkerOutcome& outcome = worker->outcome();
      cut_short = cut_short || outcome.cut_short;
      if (!outcome.deserted) continue;
      deserted += outcome.connections.closed_by_target;
      at = std::max(at, outcome.deserted_at - std::max(start_, origin_));
    }
    if (deserted > 0)
      out.push_back("the target closed all " + format_count(deserted) + " connections" +
                    (scenario_.threads > 1 ? " of a thread" : "") + ", the last of them " +
                    format_duration(std::max(at, 0ns)) +
                    " after the start: it ended, or gave up under the load");
    if (cut_short)
      out.push_back((memory_ran_out() ? "out of memory, loadgen stopped" : "stopped by a second signal") +
                    std::string(" before the drain had ended: what was still in flight counts as lost"));
    return out;
  }

 private:
  struct Sum {
    Phase phase = Phase::close;
    std::uint64_t members = 0, missing = 0, sent = 0, delivered = 0, closed = 0, recovered = 0;
    stats::Histogram corrected;
  };

  Worker::Callbacks callbacks(std::uint32_t number) {
    Worker::Callbacks out;
    out.connected = [this](std::string failure) {
      boost::asio::post(io_, [this, failure = std::move(failure)] { on_connected(failure); });
    };
    out.second = [this, number](WorkerSecond second) {
      boost::asio::post(io_,
                        [this, number, second = std::move(second)]() mutable { on_second(number, second); });
    };
    out.done = [this] { boost::asio::post(io_, [this] { on_done(); }); };
    return out;
  }

  void on_connected(const std::string& failure) {
    if (!failure.empty() && !start_failure_) start_failure_ = failure;
    if (++connected_ < workers.size()) return;
    if (start_failure_) {
      for (const auto& worker : workers) worker->stop();
      return;
    }
    await_start();
  }

  // All workers begin together, and so do all shards.
  void await_start() {
    std::optional<Nanoseconds> start = steady_clock().now() + 20ms;
    try {
      if (common_start_ != nullptr) start = common_start_->poll(steady_clock().now());
    } catch (const StartFailure& e) {
      start_failure_ = e.what();
      for (const auto& worker : workers) worker->stop();
      return;
    }
    if (!start) {
      start_poll_.expires_after(10ms);
      start_poll_.async_wait([this](const boost::system::error_code& code) {
        if (!code && !ended_early_) await_start();
      });
      return;
    }
    target_cpu_before_ = cpu_time_of(scenario_.target_pid);
    start_ = *start;
    tell_plan();
    for (const auto& worker : workers) worker->begin(start_);
  }

  void on_second(std::uint32_t number, WorkerSecond& second) {
    Sum& sum = seconds_[second.number];
    sum.phase = std::min(sum.phase, second.phase);
    sum.members += second.members;
    sum.missing += second.missing;
    sum.closed += second.closed_by_target;
    sum.recovered += second.recovered;
    sum.sent += second.traffic.sent;
    sum.delivered += second.traffic.delivered;
    sum.corrected.merge(second.traffic.corrected);
    last_second_[number] = second.number;
    show_seconds_before(*std::min_element(last_second_.begin(), last_second_.end()) + 1);
  }

  void show_seconds_before(std::uint64_t end) {
    while (!seconds_.empty() && seconds_.begin()->first < end) {
      const auto& [number, sum] = *seconds_.begin();
      reports::Second second;
      second.at_ns = static_cast<std::int64_t>(number) * 1'000'000'000;
      second.phase = to_string(sum.phase);
      second.members = sum.members;
      second.sent = sum.sent;
      second.delivered = sum.delivered;
      second.p50_ns = sum.corrected.quantile(0.5).count();
      second.p99_ns = sum.corrected.quantile(0.99).count();
      second.max_ns = sum.corrected.max().count();
      if (sum.corrected.count() > 0) second.histogram = sum.corrected.encode();
      second.rss_bytes = memory_of(::getpid());
      second.target_rss_bytes = memory_of(scenario_.target_pid);
      events_.count(number, "closes", sum.closed);
      events_.count(number, "reconnect", sum.recovered);
      Standing standing;
      standing.phase = second.phase;
      standing.members = sum.members;
      standing.clients = clients_;
      standing.sent = sum.sent;
      standing.delivered = sum.delivered;
      standing.p50 = Nanoseconds(second.p50_ns);
      standing.p99 = Nanoseconds(second.p99_ns);
      standing.max = Nanoseconds(second.max_ns);
      standing.missing = sum.missing;
      if (start_.count() >= 0)
        standing.remaining =
            std::max(0ns, start_ + scenario_.warmup + scenario_.duration() - steady_clock().now());
      if (!start_failure_) progress_.show(standing);
      live_.second(second, standing);
      series.push_back(std::move(second));
      seconds_.erase(seconds_.begin());
    }
  }

  void on_signal(const boost::system::error_code& code) {
    if (code) return;
    const bool first = !ended_early_;
    if (first) {
      ended_early_ = steady_clock().now();
      events_.add(*ended_early_ - origin_, "signal", "ended early by a signal: nothing more is sent");
    }
    if (first && !memory_ran_out()) {  // a drain takes memory
      for (const auto& worker : workers) worker->end_early();
      signals_.async_wait([this](const boost::system::error_code& again, int) { on_signal(again); });
      return;
    }
    for (const auto& worker : workers) worker->stop();
  }

  void tell_plan() {
    const Nanoseconds from = start_ + scenario_.warmup;
    Nanoseconds at = from;
    for (const Stage& stage : scenario_.stages) {
      if (scenario_.stages.size() > 1) events_.add(at - origin_, "stage", to_line(stage));
      at += stage.duration;
    }
    for (const WorkloadPlan& plan : scenario_.workloads) {
      if (plan.workload->comes_and_goes())
        events_.add(start_ - origin_, "churn",
                    format_count(plan.clients) + " clients begin to come and go, each after " +
                        format_duration(plan.stay) + " on average");
      if (plan.workload->joins_in_the_run())
        events_.add(from - origin_, "join-storm",
                    format_count(plan.clients) + " clients begin to join, " +
                        format_count(static_cast<std::uint64_t>(scenario_.connect_rate)) + " a second");
    }
  }

  void on_done() {
    if (++done_ < workers.size()) return;
    if (const auto after = cpu_time_of(scenario_.target_pid); after && target_cpu_before_)
      target_cpu = *after - *target_cpu_before_;
    signals_.cancel();
    start_poll_.cancel();
    live_.stop();
    work_.reset();
  }

  const Scenario& scenario_;
  const target::Profile& profile_;
  Progress& progress_;
  CommonStart* const common_start_;
  const std::uint64_t clients_ = scenario_.clients_here();
  const Nanoseconds origin_ = steady_clock().now();
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
  Live live_;
  boost::asio::steady_timer start_poll_{io_};
  boost::asio::signal_set signals_{io_, SIGINT, SIGTERM};
  Events events_;
  std::map<std::uint64_t, Sum> seconds_;  // not yet told by every worker
  std::vector<std::uint64_t> last_second_;
  std::size_t connected_ = 0;
  std::size_t done_ = 0;
  Nanoseconds start_{-1};
  std::optional<Nanoseconds> ended_early_;
  std::optional<Nanoseconds> target_cpu_before_;
  std::optional<std::string> start_failure_;
};

}  // namespace

reports::LoadResult run(const Scenario& scenario, const target::Profile& profile,
                        const std::vector<reports::Requirement>& requirements, const std::string& command,
                        Progress& progress, const LiveOutputs& live, CommonStart* common_start) {
  if (scenario.target_pid != 0 && !cpu_time_of(scenario.target_pid))
    throw BadInput("--target-pid " + std::to_string(scenario.target_pid) +
                   ": there is no such process on this machine");
  require_open_files(scenario.clients_here(), std::to_string(scenario.clients_here()) + " clients");
  reports::LoadResult result = blank_result(scenario, profile, command);
  Conductor conductor(scenario, profile, progress, live, common_start);
  conductor.conduct();
  result.duration_ns = conductor.measured().count();
  result.events = conductor.take_events();
  result.series = std::move(conductor.series);
  result.failed_because = conductor.failed_because();
  if (conductor.target_cpu) {
    std::int64_t deliveries = 0;
    for (const reports::Second& second : result.series)
      deliveries += static_cast<std::int64_t>(second.delivered);
    const std::int64_t cpu = conductor.target_cpu->count();
    result.target_process = {cpu, cpu / std::max<std::int64_t>(deliveries, 1), 0, 0};
  }
  conclude(result, scenario, conductor.workers, requirements);
  return result;
}

}  // namespace roomcheck::loadgen
