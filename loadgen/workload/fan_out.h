#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/clock.h"
#include "libs/stats/histogram.h"
#include "libs/websocket/connection.h"
#include "loadgen/ledger.h"
#include "loadgen/probe.h"
#include "loadgen/scenario.h"
#include "loadgen/schedule/constant_rate.h"
#include "loadgen/workload/room_latency.h"

namespace roomcheck::loadgen {

// How a workload reaches its members' connections.
class Port {
 public:
  virtual ~Port() = default;
  virtual websocket::Connection::Sent send(std::uint32_t member, std::string_view text) = 0;
};

// Members talk: message n of the run goes to room n % rooms, whose senders take turns; everyone in the room,
// the sender too, is to get it once. Sockets and timers are the caller's.
//
// Latency of a delivery = receive - intended time; beside it, uncorrected, receive - send time. Per message:
// of the first, the median and the last delivery.
//
// Thread: one. No allocation per delivery.
class FanOut {
 public:
  struct Sends {
    std::uint64_t intended = 0, sent = 0, late = 0;
    std::uint64_t dropped_full = 0;       // over the limit for unsent bytes
    std::uint64_t dropped_no_sender = 0;  // no sender of the room was connected
  };
  // What happened since the last one was taken.
  struct Second {
    std::uint64_t sent = 0;
    std::uint64_t delivered = 0;
    stats::Histogram corrected;
  };
  static constexpr Nanoseconds kLate = std::chrono::milliseconds(1);

  // The part of the run that falls to `thread`. References must outlive it.
  FanOut(const Scenario& scenario, const target::Profile& profile, std::uint32_t run, std::uint32_t thread,
         Port& port, const Clock& clock);

  // A connection has opened. With the join barrier `self_echo` it counts as a member once it has heard
  // itself.
  void opened(std::uint32_t member, Nanoseconds at);
  void closed(std::uint32_t member);
  std::uint64_t joined() const { return joined_; }

  // Begins the schedule: warm-up from `start` on, then the run.
  void start(Nanoseconds start);
  // Absolute; Nanoseconds::max() when everything was sent.
  Nanoseconds next_due() const { return next_due_; }
  // Sends what is due, at most 256 (call again while next_due() is past).
  void send_due(Nanoseconds now);
  void stop_sending();

  void receive(std::uint32_t member, std::string_view payload, Nanoseconds at);

  // The drain has ended (Ledger::finish).
  void finish();
  Second take_second();

  const Ledger& ledger() const { return ledger_; }
  const Sends& sends() const { return sends_; }
  // Of this thread, after finish(): fan_out, first, median, last.
  const std::map<std::string, reports::Latency>& latency() const { return latency_; }
  std::vector<reports::RoomResult> room_results() const;

 private:
  void send_one();
  void advance();
  std::uint32_t senders_of(std::uint32_t room) const;

  ProbeFormat probes_;
  Port& port_;
  const Clock& clock_;
  ConstantRate schedule_;
  std::uint32_t rooms_in_run_;
  std::uint32_t senders_;
  bool self_echo_;
  std::optional<std::regex> greeting_;
  Nanoseconds warmup_;
  std::uint64_t total_;  // messages of the whole run, warm-up included
  Ledger ledger_;
  std::string frame_;  // a message as the profile sends it; its probe is overwritten for each
  std::size_t probe_at_;

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
  std::map<std::string, reports::Latency> latency_;
  reports::Latency& fan_out_ = latency_["fan_out"];
  reports::Latency& first_ = latency_["first"];
  reports::Latency& median_ = latency_["median"];
  reports::Latency& last_ = latency_["last"];
  std::vector<RoomLatency> room_latency_;
};

}  // namespace roomcheck::loadgen
