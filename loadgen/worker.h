#pragma once
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "libs/websocket/client.h"
#include "loadgen/scenario.h"
#include "loadgen/workload/fan_out.h"

namespace roomcheck::loadgen {

enum class Phase { connect, warm_up, run, drain, close };
std::string_view to_string(Phase phase);

// One second of one worker.
struct WorkerSecond {
  std::uint64_t number = 0;  // since the origin
  Phase phase = Phase::connect;
  std::uint64_t members = 0;
  std::uint64_t missing = 0;  // so far
  FanOut::Second traffic;
};

// What a worker knows that its workload does not. Read it after join().
struct WorkerOutcome {
  std::uint64_t attempted = 0, opened = 0, failed = 0, not_joined = 0, closed_by_target = 0;
  std::map<std::string, std::uint64_t> by_error;
  std::string first_failure;  // one sentence
  reports::Latency connect;
  stats::Histogram loop_lag;
  std::int64_t cpu_ns = 0;  // of the thread, from the end of the warm-up to the end of the drain
  double busiest = 0;       // share of one core, the busiest second of the run
  bool deserted = false;    // every connection was closed by the target before the end
  Nanoseconds deserted_at{0};
  bool cut_short = false;  // stop() came before the drain had ended
  std::string crash;       // a bug of ours; empty when all is well
};

// One thread = one io_context = one websocket::Client with its connections, all members of the rooms that
// fall to it. Connects at its share of the connect rate, then waits for begin(); sends, drains, closes, ends.
// Each step is bounded: connecting by the number of clients / rate + timeout, draining by --drain, closing by
// 2 s.
//
// Thread: construct, begin(), end_early(), stop() and join() belong to the thread that owns it; the callbacks
// are called on the worker's thread. Nothing else is shared; results are read after join().
class Worker {
 public:
  struct Callbacks {
    // Every attempt has ended (once): how many opened, and how the first failed (one sentence, or empty).
    std::function<void(std::uint64_t, std::string)> connected;
    std::function<void(WorkerSecond)> second;
    std::function<void()> done;  // the thread is about to end (once)
  };

  // Starts the thread. References must outlive it. `origin` is second 0 of the run.
  Worker(const Scenario& scenario, const target::Profile& profile, std::uint32_t run, std::uint32_t number,
         Nanoseconds origin, Callbacks callbacks);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void begin(Nanoseconds start);  // warm-up begins at `start`
  void end_early();               // send no more, drain, report
  void stop();                    // drop everything now
  void join();

  const FanOut& workload() const { return *workload_; }
  const WorkerOutcome& outcome() const { return outcome_; }

 private:
  class Member;
  class Connections;

  void run();
  void connect_due();
  void connect_one(Nanoseconds intended);
  void attempt_ended();
  void on_connected(std::uint32_t member, const websocket::ConnectTimes& times);
  void on_failed(std::uint32_t member, const websocket::ConnectFailure& failure);
  void on_message(std::uint32_t member, const websocket::Message& message);
  void on_close(std::uint32_t member, const websocket::CloseInfo& info);
  void await_joins();
  void report_connected();
  void send_loop();
  void drain();
  void close_all();
  void finish();
  void emit_second();
  void every_second();
  void measure_lag();
  Nanoseconds cpu_of_thread() const;
  void arm(boost::asio::steady_timer& timer, Nanoseconds at, void (Worker::*then)());

  const Scenario& scenario_;
  const target::Profile& profile_;
  const Nanoseconds origin_;
  const Callbacks callbacks_;

  // Loop thread only, from here on.
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
  boost::asio::steady_timer steps_{io_};  // connecting, sending, draining, closing: one after the other
  boost::asio::steady_timer seconds_{io_};
  boost::asio::steady_timer lag_{io_};
  std::unique_ptr<Connections> connections_;
  std::unique_ptr<FanOut> workload_;
  std::unique_ptr<websocket::Client> client_;
  std::vector<std::uint32_t> order_;                // members in the order of connecting: round the rooms
  std::vector<websocket::ConnectOptions> options_;  // by room
  std::vector<Nanoseconds> connect_intended_;       // by member
  Phase phase_ = Phase::connect;
  std::size_t next_connect_ = 0;
  std::uint64_t attempts_ended_ = 0;
  bool connected_reported_ = false;
  Nanoseconds pace_from_{0};
  Nanoseconds deadline_{0};
  Nanoseconds measured_from_ = Nanoseconds::max();
  Nanoseconds sends_end_{0};
  Nanoseconds lag_due_{0};
  std::uint64_t second_number_ = 0;
  Nanoseconds second_began_{0};
  Nanoseconds second_cpu_{0};
  Nanoseconds run_cpu_{-1};
  WorkerOutcome outcome_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace roomcheck::loadgen
