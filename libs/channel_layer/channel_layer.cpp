#include "libs/channel_layer/channel_layer.h"

#include <fnmatch.h>

namespace roomcheck::channel_layer {

std::uint64_t LayerOptions::capacity_of(std::string_view channel) const {
  const std::string name(channel);
  for (const auto& [pattern, limit] : channel_capacity)
    if (::fnmatch(pattern.c_str(), name.c_str(), 0) == 0) return limit;
  return capacity;
}

}  // namespace roomcheck::channel_layer
