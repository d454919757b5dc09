#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libs/target/profile.h"

namespace roomcheck::loadgen {

struct WorkloadPlan;

// What sets one workload apart from another: who is in a room, when they come and go, who sends what into it.
// Schedule, ledger and latencies are the same for all (Traffic), so are connections (Crowd).
//
// Thread: any; stateless.
//
// If you add one: a file here, a row in workload.cpp, scenario.schema.json, docs/MEASURING.md.
class Workload {
 public:
  // Who a message comes from, and so what it is addressed to.
  enum class Origin {
    member,  // a member's connection
    group,   // a producer outside, through the control: into the room's group
    channel  // likewise, to the channel name of one connection
  };

  virtual ~Workload() = default;
  virtual std::string_view name() const = 0;     // in scenarios and --workload
  virtual std::string_view latency() const = 0;  // under which its deliveries are timed
  virtual Origin origin() const { return Origin::member; }
  virtual bool alone() const { return false; }             // every client has a room of its own
  virtual bool joins_in_the_run() const { return false; }  // instead of before it
  virtual bool comes_and_goes() const { return false; }    // members stay for WorkloadPlan::stay
  virtual std::string path(const target::Profile& profile, std::string_view room) const;
  // What leaves, around the text.
  virtual const target::Template& message(const target::Profile& profile) const;
  // Throws BadInput when the target's profile cannot carry it.
  virtual void require(const target::Profile& profile) const { (void)profile; }
};

const Workload& fan_out();     // members talk
const Workload& push();        // an outside producer talks
const Workload& direct();      // it talks to single connections
const Workload& echo();        // each client talks to itself
const Workload& join_storm();  // fan-out in rooms that fill during the run
const Workload& churn();       // fan-out in rooms whose members come and go

const std::vector<const Workload*>& all_workloads();
// nullptr: there is none of this name.
const Workload* find_workload(std::string_view name);

}  // namespace roomcheck::loadgen
