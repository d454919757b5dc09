#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "libs/target/profile.h"
#include "libs/websocket/client.h"
#include "loadgen/ledger.h"

namespace roomcheck::loadgen {

// What a run does, with every default filled in.
struct Scenario {
  std::string target = "ws://127.0.0.1:8801";
  std::uint32_t clients = 1000;
  std::uint32_t rooms = 10;
  std::uint32_t senders = 4;    // of each room: its first members, taking turns
  double rate = 100;            // messages per second, all rooms together
  std::uint64_t payload = 100;  // octets of each text
  double connect_rate = 2000;   // per second
  std::chrono::nanoseconds warmup = std::chrono::seconds(2);
  std::chrono::nanoseconds duration = std::chrono::seconds(30);
  std::chrono::nanoseconds drain = std::chrono::seconds(2);
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);  // for one connection to open and join
  std::uint32_t threads = 1;
  int target_pid = 0;  // whose CPU time is measured; 0: nobody's. No part of the scenario.
  std::uint64_t seed = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string cookies;
};

// Throws BadInput: the option, what is wrong with its value, and the remedy.
void validate(const Scenario& scenario, const target::Profile& profile);

// As it stands in the result.
nlohmann::ordered_json to_json(const Scenario& scenario);

// Tells one run's messages and rooms from another's; from the seed and the time.
std::uint32_t run_id(std::uint64_t seed, Nanoseconds now);
// "load_5eed1234_17": letters, digits and underscores, which every known profile allows.
std::string room_name(std::uint32_t run, std::uint32_t room);

// The rooms of thread `thread`: every threads-th. Client c belongs to room c % rooms, so sizes differ by one
// at most.
std::vector<RoomPlan> rooms_of(const Scenario& scenario, std::uint32_t run, std::uint32_t thread);

// How a member of `room` connects. REQUIRES: the target has no path but "/" (validate()).
websocket::ConnectOptions connect_options(const Scenario& scenario, const target::Profile& profile,
                                          const std::string& room);

}  // namespace roomcheck::loadgen
