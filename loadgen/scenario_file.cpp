// Scenarios as JSON, both ways; scenario.schema.json says the same for editors.
#include "libs/target/field.h"
#include "loadgen/scenario.h"

namespace roomcheck::loadgen {
namespace {

using target::Field;

// Runs a parser of ours on a text field, so that what it refuses is named by its place.
template <class Parse>
auto parsed(const Field& field, Parse parse) {
  const std::string text = field.value().is_number() ? field.value().dump() : field.text();
  try {
    return parse(text);
  } catch (const BadInput& e) {
    field.fail(std::string("cannot be used: ") + e.what());
  }
}

WorkloadPlan workload_from(const Field& field) {
  field.only({"workload", "name", "clients", "rooms", "room_sizes", "senders", "rate", "arrival", "burst",
              "payload", "slow_readers", "slow_read_rate", "stay"});
  WorkloadPlan out;
  const std::string kind =
      field.at("workload").one_of({"fan-out", "push", "direct", "echo", "join-storm", "churn"});
  out.workload = find_workload(kind);
  if (field.has("name")) out.name = field.at("name").text();
  const auto whole = [&](const char* key, std::uint32_t& to, std::uint64_t most) {
    if (field.has(key)) to = static_cast<std::uint32_t>(field.at(key).whole(1, most));
  };
  whole("clients", out.clients, 10'000'000);
  whole("rooms", out.rooms, 10'000'000);
  whole("senders", out.senders, 64);
  whole("burst", out.burst, 100'000);
  if (field.has("room_sizes")) out.room_sizes = parsed(field.at("room_sizes"), RoomSizes::parse);
  if (field.has("rate")) out.rate = field.at("rate").number(0.001, 1e6);
  if (field.has("arrival")) {
    const std::string arrival = field.at("arrival").one_of({"constant", "poisson", "burst"});
    out.arrival = arrival == "constant"  ? WorkloadPlan::Arrival::constant
                  : arrival == "poisson" ? WorkloadPlan::Arrival::poisson
                                         : WorkloadPlan::Arrival::burst;
  }
  if (field.has("payload")) out.payload = parsed(field.at("payload"), PayloadSizes::parse);
  if (field.has("slow_readers")) out.slow_readers = field.at("slow_readers").fraction();
  if (field.has("slow_read_rate")) out.slow_read_rate = field.at("slow_read_rate").whole(1, 1u << 30);
  if (field.has("stay")) out.stay = field.at("stay").duration();
  return out;
}

Stage stage_from(const Field& field, std::size_t number) {
  field.only({"name", "duration", "load", "load_to"});
  Stage out;
  out.name = field.has("name") ? field.at("name").text() : "stage " + std::to_string(number);
  out.duration = field.at("duration").duration();
  if (field.has("load")) out.load = field.at("load").number(0, 1000);
  out.load_to = field.has("load_to") ? field.at("load_to").number(0, 1000) : out.load;
  return out;
}

const char* to_text(WorkloadPlan::Arrival arrival) {
  return arrival == WorkloadPlan::Arrival::constant  ? "constant"
         : arrival == WorkloadPlan::Arrival::poisson ? "poisson"
                                                     : "burst";
}

}  // namespace

Scenario parse_scenario(std::string_view json_text, const std::string& where, Scenario out) {
  const nlohmann::ordered_json document = target::parse_document(json_text, where);
  const Field root(document, where);
  root.only({"$schema", "targets", "control", "workloads", "stages", "connect_rate", "warmup", "drain",
             "timeout", "threads", "seed"});
  if (root.has("targets")) out.targets = root.at("targets").texts();
  if (root.has("control")) out.control = root.at("control").text();
  out.workloads.clear();
  for (const Field& item : root.at("workloads").items()) out.workloads.push_back(workload_from(item));
  if (out.workloads.empty()) root.at("workloads").fail("must name at least one workload");
  if (root.has("stages")) {
    out.stages.clear();
    for (const Field& item : root.at("stages").items())
      out.stages.push_back(stage_from(item, out.stages.size() + 1));
    if (out.stages.empty()) root.at("stages").fail("must have at least one stage");
  }
  if (root.has("connect_rate")) out.connect_rate = root.at("connect_rate").number(0.001, 1e6);
  if (root.has("warmup")) out.warmup = root.at("warmup").duration();
  if (root.has("drain")) out.drain = root.at("drain").duration();
  if (root.has("timeout")) out.timeout = root.at("timeout").duration();
  if (root.has("threads")) out.threads = static_cast<std::uint32_t>(root.at("threads").whole(1, 1024));
  if (root.has("seed")) out.seed = root.at("seed").whole(0, UINT64_MAX);
  return out;
}

nlohmann::ordered_json to_json(const Scenario& s) {
  using json = nlohmann::ordered_json;
  auto workloads = json::array();
  double rate = 0;
  for (const WorkloadPlan& plan : s.workloads) {
    rate += plan.rate;
    json item{{"workload", plan.workload->name()}, {"clients", plan.clients},
              {"rooms", room_count(plan)},         {"room_sizes", plan.room_sizes.text()},
              {"senders_per_room", plan.senders},  {"rate_per_second", plan.rate},
              {"arrival", to_text(plan.arrival)},  {"payload_bytes", plan.payload.text()}};
    if (!plan.name.empty()) item["name"] = plan.name;
    if (plan.arrival == WorkloadPlan::Arrival::burst) item["burst"] = plan.burst;
    if (plan.slow_readers > 0) {
      item["slow_readers"] = plan.slow_readers;
      item["slow_read_bytes_per_second"] = plan.slow_read_rate;
    }
    if (plan.workload->comes_and_goes()) item["stay_ns"] = plan.stay.count();
    workloads.push_back(std::move(item));
  }
  auto stages = json::array();
  for (const Stage& stage : s.stages)
    stages.push_back({{"name", stage.name},
                      {"duration_ns", stage.duration.count()},
                      {"load", stage.load},
                      {"load_to", stage.load_to}});
  // The sums stand beside the list: what a reader of one workload looks for.
  json out{{"workload", s.workloads.size() == 1 ? std::string(s.workloads[0].workload->name()) : "mixed"},
           {"clients", s.clients()},
           {"rooms", s.rooms()},
           {"rate_per_second", rate},
           {"payload_bytes", s.workloads[0].payload.largest()},
           {"targets", s.targets},
           {"control", s.control},
           {"workloads", workloads},
           {"stages", stages},
           {"connect_rate_per_second", s.connect_rate},
           {"warmup_ns", s.warmup.count()},
           {"duration_ns", s.duration().count()},
           {"drain_ns", s.drain.count()},
           {"timeout_ns", s.timeout.count()},
           {"reconnect", s.reconnect.enabled},
           {"threads", s.threads}};
  if (s.compress) out["compress"] = true;
  if (s.kernel_timestamps) out["kernel_timestamps"] = true;
  return out;
}

}  // namespace roomcheck::loadgen
