#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "libs/target/profile.h"
#include "libs/websocket/client.h"
#include "loadgen/ledger.h"
#include "loadgen/payload.h"
#include "loadgen/room_sizes.h"
#include "loadgen/scale_out/shard.h"
#include "loadgen/schedule/load_curve.h"
#include "loadgen/workload/workload.h"

namespace roomcheck::loadgen {

// One workload of a run, with every default filled in.
struct WorkloadPlan {
  enum class Arrival { constant, poisson, burst };
  const Workload* workload = &fan_out();
  std::string name;  // in the result; empty: that of the workload
  std::uint32_t clients = 1000;
  std::uint32_t rooms = 10;
  RoomSizes room_sizes;
  std::uint32_t senders = 4;  // of each room: its first members, taking turns
  double rate = 100;          // messages per second, all rooms together, at load 1
  Arrival arrival = Arrival::constant;
  std::uint32_t burst = 10;  // messages that come together when arrival is burst
  PayloadSizes payload{100};
  double slow_readers = 0;                                   // share of the clients, none of them a sender
  std::uint64_t slow_read_rate = 1024;                       // octets a second that one takes
  std::chrono::nanoseconds stay = std::chrono::seconds(30);  // mean time of a member in its room (churn)
};

// A part of the measured time: the rates of all workloads are multiplied by a load that goes from `load` to
// `load_to` in a straight line.
struct Stage {
  std::string name;
  std::chrono::nanoseconds duration{0};
  double load = 1;
  double load_to = 1;
};

// "calm: load 1", "rise: load 1 to 3".
std::string to_line(const Stage& stage);

// What a client does whose connection the target has closed.
struct Reconnect {
  bool enabled = false;
  std::chrono::nanoseconds first = std::chrono::milliseconds(100);  // doubled after each failure ...
  std::chrono::nanoseconds most = std::chrono::seconds(10);  // ... up to this, plus up to half by chance

  // Before the next attempt, after so many failures in a row; `chance` is in [0, 1).
  std::chrono::nanoseconds wait(unsigned failures, double chance) const;
};

// What a run does, with every default filled in.
struct Scenario {
  std::vector<std::string> targets{"ws://127.0.0.1:8801"};  // client i of a room connects to i % targets
  std::string control;                                      // empty: none
  std::string control_token;
  std::vector<WorkloadPlan> workloads{WorkloadPlan()};
  std::vector<Stage> stages{{"run", std::chrono::seconds(30), 1, 1}};
  double connect_rate = 2000;  // per second
  std::chrono::nanoseconds warmup = std::chrono::seconds(2);
  std::chrono::nanoseconds drain = std::chrono::seconds(2);
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);  // for one connection to open and join
  std::uint32_t threads = 1;
  int target_pid = 0;  // whose CPU time is measured; 0: nobody's. No part of the scenario.
  std::uint64_t seed = 0;
  // On several machines: which part this is, and the number of the run, which all of them share (0: to be
  // made). No part of the scenario.
  Shard shard;
  std::uint32_t run = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string cookies;
  std::vector<std::pair<std::string, std::string>> headers_by_client;  // client i sends line i % lines
  std::vector<std::string> cookies_by_client;
  std::vector<std::string> subprotocols;
  bool compress = false;           // offer permessage-deflate
  bool kernel_timestamps = false;  // a delivery came when the kernel received it, not when we read it
  std::vector<std::string> source_addresses;  // client i connects from i % addresses
  websocket::ClientTls tls;
  Reconnect reconnect;

  std::chrono::nanoseconds duration() const;                          // of all stages
  std::uint64_t clients() const;                                      // of all workloads
  std::uint64_t clients_here() const;                                 // of these, on this shard
  std::chrono::nanoseconds connect_gap(std::uint64_t clients) const;  // of one thread, before this many more
  std::uint64_t rooms() const;
};

// Rooms of a plan, with what "alone" and lists of sizes make of its numbers.
std::vector<std::uint32_t> room_sizes(const WorkloadPlan& plan);
std::uint64_t room_count(const WorkloadPlan& plan);  // of them; takes no memory

// Throws BadInput: the option, what is wrong with its value, and the remedy.
void validate(const Scenario& scenario, const target::Profile& profile);

// As it stands in the result.
nlohmann::ordered_json to_json(const Scenario& scenario);

// Reads a scenario file (scenario.schema.json; comments allowed) over `defaults`. Throws BadInput: the file,
// the JSON pointer, what is wrong, and the remedy (a suggestion for a misspelt key).
Scenario parse_scenario(std::string_view json_text, const std::string& where, Scenario defaults);

// Tells one run's messages and rooms from another's; from the seed and the time.
std::uint32_t run_id(std::uint64_t seed, Nanoseconds now);
// "load_5eed1234_17": letters, digits and underscores, which every known profile allows.
std::string room_name(std::uint32_t run, std::uint32_t room);

// The rooms of plan `index` that fall to thread `thread`: every threads-th. Numbers go on from plan to plan.
std::vector<RoomPlan> rooms_of(const Scenario& scenario, std::size_t index, std::uint32_t run,
                               std::uint32_t thread);

// When the messages of a plan are due after the start: the warm-up at the load of the first stage, then the
// stages. All threads have the same schedule and each takes the numbers of its rooms.
Schedule schedule_of(const Scenario& scenario, std::size_t index);

// How a client connects: member `index` of room `room`, client `client` of the run.
websocket::ConnectOptions connect_options(const Scenario& scenario, const target::Profile& profile,
                                          const Workload& workload, const std::string& room,
                                          std::uint64_t index, std::uint64_t client);

}  // namespace roomcheck::loadgen
