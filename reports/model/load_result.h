#pragma once
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/stats/histogram.h"

namespace roomcheck::reports {

// Deliveries: one message to one member. "expected" comes from the membership at the intended time.
struct Delivery {
  std::uint64_t expected = 0;
  std::uint64_t delivered = 0;  // expected ones that came, once each
  std::uint64_t lost = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t foreign = 0;  // of another room
  std::uint64_t corrupt = 0;  // not one of ours, or damaged
  std::uint64_t late = 0;     // arrived after the drain ended
  std::uint64_t in_flight_members =
      0;  // deliveries to members that were joining or leaving: set apart, not judged

  // The first few, named.
  struct Offender {
    std::string kind;  // lost duplicated reordered foreign corrupt
    std::string room;
    std::uint64_t sender = 0;
    std::uint64_t sequence = 0;
    std::uint64_t member = 0;
  };
  std::vector<Offender> offenders;
};

struct Latency {
  stats::Histogram corrected;    // receive - intended time
  stats::Histogram uncorrected;  // receive - send time
};

// How long deliveries waited in the kernel for the generator to read them.
struct ClientLag {
  stats::Histogram lag;  // read - the kernel's receive time, of each timed delivery that has one
  std::uint64_t inexact =
      0;  // had no time of the kernel's own: later ones came in the same read, or it gave none
};

// One second of the run; times relative to its start.
struct Second {
  std::int64_t at_ns = 0;
  std::string phase;  // connect warm-up run drain
  std::uint64_t members = 0;
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  std::int64_t p50_ns = 0;  // fan-out, corrected, of the deliveries of this second
  std::int64_t p99_ns = 0;
  std::int64_t max_ns = 0;
  // The same latencies: an encoded stats::Histogram, "" where nothing was delivered. Encoded, because
  // thousands of seconds are kept (a histogram takes 200 KiB, its encoding about 1). Makes merging exact, and
  // the heat map.
  std::string histogram;
  std::uint64_t rss_bytes = 0;         // memory of this process at the end of the second
  std::uint64_t target_rss_bytes = 0;  // of the target's, where loadgen was told which it is; else 0
};

// Something that happened to the run at one moment, drawn into the charts over time: a stage that began, a
// wave of churn, connections that the target closed.
struct Event {
  std::int64_t at_ns = 0;  // as in Second
  std::string kind;        // one word: stage churn closes reconnect signal target ...
  std::string text;        // one short sentence
};

struct RoomResult {
  std::string room;
  std::uint64_t members = 0;
  std::uint64_t expected = 0;
  std::uint64_t delivered = 0;
  std::uint64_t lost = 0;
  std::int64_t p50_ns = 0;
  std::int64_t p99_ns = 0;
  std::int64_t max_ns = 0;
};

// One workload of a run that has several.
struct WorkloadResult {
  std::string name;
  std::string workload;  // fan-out push direct echo join-storm churn
  Delivery delivery;     // without offenders: those stand in LoadResult::delivery
  std::uint64_t intended = 0;
  std::uint64_t sent = 0;
};

// The messages whose intended time lies in one stage.
struct StageResult {
  std::string name;
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  std::int64_t p50_ns = 0;
  std::int64_t p99_ns = 0;
  std::int64_t max_ns = 0;
};

// Rooms of about the same size, to a few per cent: 32 buckets an octave.
struct SizeClassResult {
  std::uint64_t members = 0;  // up to this many, above half of it
  std::uint64_t rooms = 0;
  std::uint64_t delivered = 0;
  std::int64_t p50_ns = 0;
  std::int64_t p99_ns = 0;
  std::int64_t first_p50_ns = 0;
  std::int64_t last_p50_ns = 0;
  std::int64_t last_p99_ns = 0;
};

// On several machines, of one shard: the measured messages that it sent into a room, numbered first ... end
// - 1.
struct StreamSent {
  std::string room;
  std::uint64_t first = 0, end = 0;
  std::uint64_t refused = 0;  // of these, by the control: expected of nobody
};

// What members on one shard make of the stream of another one, `origin`, in a room. The sums are over the
// members' stays in the room; with the stream's [first, end) and refused of `origin` (0 when it sent nothing)
//
//   expected = to_end * (end - refused) + ends - from_start * first - begins - apart
struct StreamReceived {
  std::string room;
  std::uint64_t origin = 0;
  std::uint64_t workload = 0;    // place in LoadResult::workloads
  std::uint64_t from_start = 0;  // stays that were there when it began
  std::uint64_t begins = 0;      // of the others: sum of the first measured sequence that came
  std::uint64_t to_end = 0;      // stays that were there when it ended
  std::uint64_t ends = 0;        // of the others: sum of one past the last sequence that came
  std::uint64_t apart = 0;       // in flight to members that came or left
  std::uint64_t delivered = 0;
};

struct Threshold {
  std::string expression;  // "fan_out.p99<50ms"
  double value = 0;        // what was measured; ns for times
  bool passed = false;
};

// A load run: roomcheck.load/1.
struct LoadResult {
  static constexpr std::string_view kSchema = "roomcheck.load/1";
  std::string started;  // ISO 8601
  std::string command;
  std::map<std::string, std::string> versions;
  std::map<std::string, std::string> environment;  // cpu, cores, memory, open_files
  std::string target;
  std::string profile;
  nlohmann::ordered_json scenario;  // the effective scenario
  std::uint64_t seed = 0;
  // Which part of a run on several machines this is (--shard I/N); index 0, count 1 for the whole. `report
  // merge` makes one result of the parts.
  struct Shard {
    std::uint64_t index = 0, count = 1;
    std::uint64_t run = 0;  // a number that all parts of one run have in common, and no other run has
  } shard;
  std::int64_t duration_ns = 0;
  bool valid = true;
  std::vector<std::string> invalid_because;
  std::vector<std::string> failed_because;  // harness or target failures that ended the run (exit 3)
  Delivery delivery;
  // By what was timed: fan_out push direct echo (deliveries), first median last spread (messages), connect
  // join.
  std::map<std::string, Latency> latency;
  struct Sends {
    std::uint64_t intended = 0, sent = 0, late = 0, dropped = 0;
    std::uint64_t refused = 0;     // by the control
    std::int64_t lag_p99_ns = 0;   // how late they left: send time - intended time
    std::uint64_t due_at_end = 0;  // deliveries that had not come when the last message was sent
  } sends;
  struct Connections {
    std::uint64_t attempted = 0, opened = 0, failed = 0, closed_by_target = 0;
    std::map<std::string, std::uint64_t> by_error;  // "tcp: refused", "close 1006"
    std::uint64_t left = 0;                         // by plan: churn
    std::uint64_t reconnected = 0;                  // opened again
    std::uint64_t compressed = 0;                   // of the opened ones, with permessage-deflate
    std::uint64_t slow_readers = 0;
    std::uint64_t slow_delivered = 0;  // to slow readers: not part of `delivery`
  } connections;
  struct Generator {
    std::int64_t cpu_ns = 0;  // user + system, all threads, of the run phase
    std::int64_t cpu_per_delivery_ns = 0;
    double busiest_thread = 0;  // share of one core, 0..1
    struct Thread {
      std::int64_t cpu_ns = 0;
      double busiest = 0;  // share of one core in its busiest second
    };
    std::vector<Thread> threads;
    stats::Histogram loop_lag;
    // With --kernel-timestamps: every latency then ends at the kernel's receive time. nullopt: at the read.
    std::optional<ClientLag> client_lag;
    // Samples of the kernel's queues of our connections, during the run.
    std::uint64_t queue_samples = 0;
    std::uint64_t queue_samples_unread = 0;  // something had arrived and waited for us
    std::uint64_t queue_unread_max_bytes = 0;
    std::uint64_t queue_unsent_max_bytes = 0;
    std::uint64_t refused_samples = 0;
    std::uint64_t rss_bytes = 0;
    std::int64_t rss_growth_bytes = 0;  // from the middle of the run to its end
  } generator;
  // What the target's process used from the start of the warm-up to the end of the drain, where loadgen was
  // told which it is (--target-pid); deliveries of the warm-up included.
  struct TargetProcess {
    std::int64_t cpu_ns = 0;
    std::int64_t cpu_per_delivery_ns = 0;
    std::uint64_t rss_bytes = 0;        // its memory in the last second of the run
    std::int64_t rss_growth_bytes = 0;  // from the middle of the run to its end
  };
  std::optional<TargetProcess> target_process;
  std::vector<Second> series;
  std::vector<Event> events;
  std::vector<RoomResult> rooms;
  std::vector<WorkloadResult> workloads;
  std::vector<StageResult> stages;  // when there are several
  std::vector<SizeClassResult> room_sizes;
  // Of a shard of several only; `report merge` uses them up.
  std::vector<StreamSent> streams_sent;
  std::vector<StreamReceived> streams_received;
  std::vector<Threshold> thresholds;
};

nlohmann::ordered_json to_json(const LoadResult& result);

}  // namespace roomcheck::reports
