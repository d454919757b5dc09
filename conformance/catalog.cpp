#include "conformance/catalog.h"

#include <iterator>

namespace roomcheck::conformance {

std::vector<Case> all_cases() {
  std::vector<Case> out;
  for (auto section :
       {connect_cases, echo_cases, groups_cases, broadcast_cases, push_cases, direct_cases, messages_cases,
        transport_cases, transport_frames_cases, auth_cases, origin_cases, cluster_cases}) {
    std::vector<Case> cases = section();
    std::move(cases.begin(), cases.end(), std::back_inserter(out));
  }
  return out;
}

}  // namespace roomcheck::conformance
