#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/regex.h"
#include "libs/stats/histogram.h"
#include "libs/websocket/connection.h"
#include "loadgen/ledger.h"
#include "loadgen/probe.h"
#include "loadgen/room_latency.h"
#include "loadgen/scale_out/remote_ledger.h"
#include "loadgen/scenario.h"

namespace roomcheck::loadgen {

// How the messages of a workload leave.
class Port {
 public:
  using Sent = websocket::Connection::Sent;
  virtual ~Port() = default;
  // A member says it on its connection.
  virtual Sent send(std::uint32_t member, std::string_view message) = 0;
  // A producer outside says it, into a room or to its only member; what it learns later comes back by
  // Traffic::refused().
  virtual Sent send_outside(std::uint32_t room, std::uint32_t sequence, std::string_view message) = 0;
};

// The messages of one workload on one thread: when they are due, what they carry, who is to get them, what
// came and how late. Message n of the run goes to room n % rooms, whose senders take turns; everyone in the
// room, the sender too, is to get it once. Sockets and timers are the caller's.
//
// Latency of a delivery = receive - intended time; beside it, uncorrected, receive - send time. Per message:
// of the first, the median and the last delivery, and the spread between first and last.
//
// Thread: one. No allocation per delivery.
class Traffic {
 public:
  struct Sends {
    std::uint64_t intended = 0, sent = 0, late = 0;
    std::uint64_t dropped_full = 0;       // over the limit for unsent bytes, or of the outside's queue
    std::uint64_t dropped_no_sender = 0;  // no sender of the room was connected, or who it is for
    std::uint64_t refused = 0;            // by the control
    stats::Histogram lag;                 // send time - intended time
  };
  // What happened since the last one was taken.
  struct Second {
    std::uint64_t sent = 0;
    std::uint64_t delivered = 0;
    stats::Histogram corrected;
  };
  // The deliveries whose intended time lies in one stage.
  struct StageSum {
    std::uint64_t sent = 0;
    std::uint64_t delivered = 0;
    stats::Histogram corrected;
  };
  // Rooms with up to `members` members, above half of it.
  struct SizeClass {
    std::uint32_t members = 0;
    std::uint32_t rooms = 0;
    std::uint64_t delivered = 0;
    RoomLatency all, first, last;
  };
  static constexpr Nanoseconds kLate = std::chrono::milliseconds(1);

  // The part of plan `index` that falls to `thread`. References must outlive it.
  Traffic(const Scenario& scenario, std::size_t index, const target::Profile& profile, std::uint32_t run,
          std::uint32_t thread, Port& port, const Clock& clock);

  // A connection has opened. With the join barrier `self_echo` it counts as a member once it has heard
  // itself. closed(): it is a member no more, as of now; it may open again.
  void opened(std::uint32_t member, Nanoseconds at);
  void closed(std::uint32_t member);
  bool is_member(std::uint32_t member) const { return is_joined_[member]; }
  std::uint64_t joined() const { return joined_; }

  // Begins the schedule: warm-up from `start` on, then the run.
  void start(Nanoseconds start);
  // Absolute; Nanoseconds::max() when everything was sent.
  Nanoseconds next_due() const { return next_due_; }
  // Sends what is due, at most 256 (call again while next_due() is past).
  void send_due(Nanoseconds now);
  void stop_sending() { next_due_ = Nanoseconds::max(); }

  // `read_at`: when we read it; `kernel_at`: when the kernel had received it, 0: not known. The delivery is
  // timed by the latter where it is known.
  void receive(std::uint32_t member, std::string_view payload, Nanoseconds read_at,
               Nanoseconds kernel_at = Nanoseconds(0));
  // The control did not take this message of a room; or took it so much later than it was due.
  void refused(std::uint32_t room, std::uint32_t sequence);
  void left(Nanoseconds lag);

  // The drain has ended (Ledger::finish).
  void finish();
  Second take_second();

  const Ledger& ledger() const { return ledger_; }
  const Sends& sends() const { return sends_; }
  // How long the timed deliveries waited in the kernel for us.
  const reports::ClientLag& client_lag() const { return client_lag_; }
  const Workload& workload() const { return workload_; }
  // Of this thread, after finish(): that of the workload, and first, median, last, spread of its messages.
  const std::map<std::string, reports::Latency>& latency() const { return latency_; }
  const std::vector<StageSum>& stages() const { return stages_; }
  const std::map<std::uint32_t, SizeClass>& size_classes() const { return size_classes_; }
  std::vector<reports::RoomResult> room_results() const;
  // On several machines, after finish(): what we sent, and what came from the others (nullptr: there are
  // none).
  std::vector<reports::StreamSent> streams_sent() const;
  const RemoteLedger* remote() const { return remote_.get(); }

 private:
  void send_one();
  void measure_lag(std::uint32_t member, Nanoseconds read_at, Nanoseconds kernel_at);
  void advance();
  StageSum* stage_at(Nanoseconds intended);
  bool is_our_turn() const;
  void account(bool measured, std::uint32_t sender, Nanoseconds at);
  void write_frame(std::uint32_t sender);
  std::uint32_t senders_of(std::uint32_t room) const;

  const Workload& workload_;
  ProbeFormat probes_;
  Port& port_;
  const Clock& clock_;
  Schedule schedule_;
  std::uint32_t rooms_in_plan_;
  std::uint32_t senders_;
  bool self_echo_;
  const bool kernel_timestamps_;
  std::optional<Regex> greeting_;
  Nanoseconds warmup_;
  const Shard shard_;
  Ledger ledger_;
  std::unique_ptr<RemoteLedger> remote_;  // nullptr: the whole run is here
  std::vector<std::uint64_t> refused_;    // by room: measured messages
  bool finished_ = false;
  std::string before_text_, after_text_;            // a message as the profile sends it
  std::string join_before_text_, join_after_text_;  // likewise, of the message that finds out about the join
  std::string frame_;

  Nanoseconds start_{0};
  Nanoseconds measured_from_ = Nanoseconds::max();
  std::uint64_t turn_ = 0;  // the round over the rooms ...
  std::uint32_t room_ = 0;  // ... and the (local) room in it whose message is next
  Nanoseconds next_due_ = Nanoseconds::max();
  std::vector<bool> is_open_;
  std::vector<bool> is_joined_;
  std::uint64_t joined_ = 0;
  Sends sends_;
  Second second_;
  reports::ClientLag client_lag_;
  std::uint32_t last_member_ = UINT32_MAX;  // of the last timed delivery, and its read
  Nanoseconds last_read_{0};
  std::map<std::string, reports::Latency> latency_;
  reports::Latency& all_;
  reports::Latency* first_ = nullptr;  // nullptr: a message has one receiver only
  reports::Latency* median_ = nullptr;
  reports::Latency* last_ = nullptr;
  reports::Latency* spread_ = nullptr;
  std::vector<Nanoseconds> stage_ends_;  // after start_
  std::size_t stage_ = 0;                // of the last delivery: they come nearly in order
  std::vector<StageSum> stages_;
  std::vector<RoomLatency> room_latency_;
  std::vector<SizeClass*> class_of_;  // by room
  std::map<std::uint32_t, SizeClass> size_classes_;
};

}  // namespace roomcheck::loadgen
