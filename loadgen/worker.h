#pragma once
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "libs/websocket/client.h"
#include "libs/websocket/reactor.h"
#include "loadgen/crowd.h"
#include "loadgen/scenario.h"

namespace roomcheck::loadgen {

enum class Phase { connect, warm_up, run, drain, close };
std::string_view to_string(Phase phase);

// One second of one worker.
struct WorkerSecond {
  std::uint64_t number = 0;  // since the origin
  Phase phase = Phase::connect;
  std::uint64_t members = 0;
  std::uint64_t missing = 0;           // so far
  std::uint64_t closed_by_target = 0;  // this second
  std::uint64_t recovered = 0;         // this second: opened again after that
  Traffic::Second traffic;             // of all workloads
};

// Samples of what the kernel holds of our connections, once a second, 64 of them.
struct QueueSamples {
  std::uint64_t samples = 0;
  std::uint64_t with_unread = 0;  // had arrived and waited for us
  std::uint64_t unread_max = 0;   // octets
  std::uint64_t unsent_max = 0;
};

// What a worker knows that its workloads do not. Read it after join().
struct WorkerOutcome {
  ConnectionSums connections;
  stats::Histogram loop_lag;
  QueueSamples queues;           // of the run
  std::uint64_t due_at_end = 0;  // deliveries that had not come when the last message was sent
  bool drained_too_soon =
      false;                // deliveries came after the first quarter of a drain that ended by its limit
  std::int64_t cpu_ns = 0;  // of the thread, from the end of the warm-up to the end of the drain
  double busiest = 0;       // share of one core, the busiest second of the run
  bool deserted = false;    // every connection was closed by the target before the end
  Nanoseconds deserted_at{0};
  bool cut_short = false;  // stop() came before the drain had ended
  std::string crash;       // a bug of ours; empty when all is well
};

// One thread = one io_context = one websocket::Client with its connections: of every workload the rooms that
// fall to this thread, with all their members. Connects at its share of the connect rate, then waits for
// begin(); sends, drains, closes, ends. Each step is bounded: connecting by the number of clients / rate +
// timeout, draining by --drain, closing by 2 s.
//
// Thread: construct, begin(), end_early(), stop() and join() belong to the thread that owns it; the callbacks
// are called on the worker's thread. Nothing else is shared; results are read after join().
class Worker final : private Crowd::Listener {
 public:
  struct Callbacks {
    // Every attempt has ended, and everything is ready (once); or why it cannot be (one sentence).
    std::function<void(std::string)> connected;
    std::function<void(WorkerSecond)> second;
    std::function<void()> done;  // the thread is about to end (once)
  };

  // Starts the thread. References must outlive it. `origin` is second 0 of the run.
  Worker(const Scenario& scenario, const target::Profile& profile, std::uint32_t run, std::uint32_t number,
         Nanoseconds origin, Callbacks callbacks);
  ~Worker() override;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void begin(Nanoseconds start);  // warm-up begins at `start`
  void end_early();               // send no more, drain, report
  void stop();                    // drop everything now
  void join();

  // One for each workload of the scenario.
  const std::vector<std::unique_ptr<Crowd>>& crowds() const { return crowds_; }
  const WorkerOutcome& outcome() const { return outcome_; }

 private:
  void attempt_ended() override;
  void one_gone() override;

  void run();
  void connect_due();
  Crowd* next_to_connect();
  void await_joins();
  void prepare();
  void report_connected(const std::string& failure);
  void loop();
  void drain();
  void close_all();
  void finish();
  void desert();
  void emit_second();
  void every_second();
  void measure_lag();
  std::uint64_t open() const;
  Nanoseconds cpu_of_thread() const;
  void arm(boost::asio::steady_timer& timer, Nanoseconds at, void (Worker::*then)());

  const Scenario& scenario_;
  const target::Profile& profile_;
  const Nanoseconds origin_;
  const Callbacks callbacks_;

  // Loop thread only, from here on.
  boost::asio::io_context io_{1};
  websocket::Reactor& reactor_{websocket::Reactor::of(io_)};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
  boost::asio::steady_timer steps_{io_};  // connecting, sending, draining, closing: one after the other
  boost::asio::steady_timer seconds_{io_};
  boost::asio::steady_timer lag_{io_};
  WorkerOutcome outcome_;
  std::unique_ptr<websocket::Client> client_;
  std::vector<std::unique_ptr<Crowd>> crowds_;
  std::size_t connecting_crowd_ = 0;
  Phase phase_ = Phase::connect;
  std::uint64_t connects_begun_ = 0;  // before the run
  std::uint64_t attempts_ended_ = 0;
  std::size_t prepared_ = 0;
  bool connected_reported_ = false;
  Nanoseconds pace_from_{0};
  Nanoseconds deadline_{0};
  Nanoseconds measured_from_ = Nanoseconds::max();
  Nanoseconds sends_end_{0};
  Nanoseconds lag_due_{0};
  std::uint64_t second_number_ = 0;
  Nanoseconds second_began_{0};
  Nanoseconds second_cpu_{0};
  std::optional<std::uint64_t> outstanding_at_quarter_;  // of the drain
  std::uint64_t closed_told_ = 0;                        // of the connections' sums: in earlier seconds
  std::uint64_t recovered_told_ = 0;
  Nanoseconds run_cpu_{-1};
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace roomcheck::loadgen
