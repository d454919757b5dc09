#pragma once
#include <future>
#include <map>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "libs/websocket/client.h"
#include "libs/websocket/reactor.h"
#include "loadgen/addresses.h"
#include "loadgen/outside.h"
#include "loadgen/traffic.h"

namespace roomcheck::loadgen {

// What became of the connections of one thread.
struct ConnectionSums {
  std::uint64_t attempted = 0, opened = 0, failed = 0, not_joined = 0, closed_by_target = 0;
  std::uint64_t left = 0;         // by plan: churn
  std::uint64_t reconnected = 0;  // opened again, by plan or after the target had closed
  std::uint64_t recovered = 0;    // of those, after the target had closed
  std::uint64_t compressed = 0;   // of the opened ones
  std::uint64_t slow_readers = 0, slow_delivered = 0;
  std::map<std::string, std::uint64_t> by_error;
  std::string first_failure;  // one sentence
  int first_failure_status = 0;
  reports::Latency connect;  // corrected: from the intended time to the 101; uncorrected: from connect()
  reports::Latency join;     // corrected: from the intended time to being a member; uncorrected: likewise
};

// The clients of one workload on one thread: they connect, join, leave and come back as their workload wants;
// slow readers among them take their time. Their messages are Traffic's.
//
//   connect ──▶ member ──▶ leaving (churn) ──▶ connect ...
//      ▲           │ the target closes
//      └── wait ◀──┘ (--reconnect, doubled each time up to a limit)
//
// Slow readers are connections, not members: what they get is counted apart and judged by nobody.
//
// Thread: that of `loop`.
class Crowd final : public Port {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void attempt_ended() = 0;  // opened or failed
    virtual void one_gone() = 0;       // an open connection has ended
  };
  struct Parts {
    const Scenario& scenario;
    const target::Profile& profile;
    std::uint32_t run;
    std::uint32_t thread;
    websocket::Reactor& loop;
    websocket::Client& client;
    Listener& listener;
    ConnectionSums& sums;
  };

  Crowd(const Parts& parts, std::size_t index);
  ~Crowd() override;

  // Before the run: the clients that connect now, one by one.
  bool has_more() const { return next_ < (joins_later() ? 0 : order_.size()); }
  void connect_next(Nanoseconds intended);
  // What must be known before the first send (the addresses of what comes from outside). `done` with an
  // error's sentence or
  // "", once, not before it returns.
  void prepare(std::function<void(std::string)> done);

  // The run.
  void begin(Nanoseconds start);
  Nanoseconds next_due() const;
  void act(Nanoseconds now);  // sends, joins, leaves what is due, a bounded part of it
  void stop();                // no sends, no joins from now on; who leaves is expected back by nobody

  // The end. What was in flight to members is then lost.
  void finish() { traffic_.finish(); }
  void close_all();

  std::uint64_t open() const { return open_; }
  bool expects_more() const;  // connections are under way, or will be
  std::uint64_t unjoined() const { return members_open_ - traffic_.joined(); }
  Traffic& traffic() { return traffic_; }
  const Traffic& traffic() const { return traffic_; }
  // Of up to `most` connections, another part each time.
  void sample_queues(std::size_t most, const std::function<void(const websocket::KernelQueues&)>& take);

  // Port
  Sent send(std::uint32_t member, std::string_view message) override;
  Sent send_outside(std::uint32_t room, std::uint32_t sequence, std::string_view message) override;

 private:
  // In the run, or while addresses are found.
  bool joins_later() const { return joins_in_the_run_ || (addresses_ && addresses_->wants_to_join()); }

  class Member;
  struct Client {
    websocket::ConnectionPtr connection;
    Nanoseconds intended{0};  // of the present connection
    std::uint8_t failures = 0;
    bool slow = false;
    bool leaving = false;
    bool was_open = false;
    bool was_cut = false;  // the target closed it, and it is not back
    bool connecting = false;
  };
  struct Step {
    enum class Kind { connect, leave, resume };
    Nanoseconds due{0};
    std::uint32_t client = 0;
    Kind kind = Kind::connect;
    std::uint64_t stay = 0;  // leave, resume: of this connection only
    bool operator<(const Step& other) const { return due > other.due; }  // the queue's top is the first due
  };

  void connect(std::uint32_t number, Nanoseconds intended);
  void join_and_wait(std::uint32_t room);
  void attempt_ended(const std::string& failure);
  void take_step(const Step& step);
  void come_back(std::uint32_t number);
  Nanoseconds next_join() const;
  void on_connected(std::uint32_t number, const websocket::ConnectTimes& times);
  void on_failed(std::uint32_t number, const websocket::ConnectFailure& failure);
  void on_message(std::uint32_t number, const websocket::Message& message);
  void on_close(std::uint32_t number, const websocket::CloseInfo& info);
  void plan_leave(std::uint32_t number, Nanoseconds now);

  const Parts parts_;
  const WorkloadPlan& plan_;
  const bool joins_in_the_run_;
  Traffic traffic_;
  std::unique_ptr<Outside> outside_;
  std::unique_ptr<Addresses> addresses_;
  std::shared_ptr<std::promise<std::string>> joining_;  // Addresses waits for this client to join
  std::vector<Client> clients_;
  std::vector<std::uint64_t> stays_;  // how often each client has connected: its present stay
  std::vector<std::uint32_t> order_;  // clients in the order of connecting: round the rooms
  std::size_t next_ = 0;              // in order_
  std::size_t sampled_ = 0;
  std::priority_queue<Step> steps_;
  std::uint64_t open_ = 0;
  std::uint64_t members_open_ = 0;  // without slow readers
  std::uint64_t connecting_ = 0;
  std::uint64_t returning_ = 0;  // connects among the steps
  bool running_ = false;
  bool stopped_ = false;
  bool closing_ = false;
  Nanoseconds joins_from_{0};
};

}  // namespace roomcheck::loadgen
