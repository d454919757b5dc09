#include "loadgen/workload/workload.h"

namespace roomcheck::loadgen {

std::string Workload::path(const target::Profile& profile, std::string_view room) const {
  return profile.room_path(room);
}

const target::Template& Workload::message(const target::Profile& profile) const { return profile.room.send; }

const std::vector<const Workload*>& all_workloads() {
  static const std::vector<const Workload*> all{&fan_out(), &push(),       &direct(),
                                                &echo(),    &join_storm(), &churn()};
  return all;
}

const Workload* find_workload(std::string_view name) {
  for (const Workload* workload : all_workloads())
    if (workload->name() == name) return workload;
  return nullptr;
}

}  // namespace roomcheck::loadgen
