#include "libs/channel_layer/shards.h"

#include <zlib.h>

namespace roomcheck::channel_layer {

std::size_t shard_of(std::string_view value, std::size_t shards) {
  if (shards == 1) return 0;
  const uLong crc = ::crc32(0, reinterpret_cast<const Bytef*>(value.data()), static_cast<uInt>(value.size()));
  // In doubles, as Python does it: the borders between shards must be the same.
  return static_cast<std::size_t>(static_cast<double>(crc & 0xfff) / (4096.0 / static_cast<double>(shards)));
}

std::string_view non_local(std::string_view channel) {
  const std::size_t mark = channel.find('!');
  return mark == channel.npos ? channel : channel.substr(0, mark + 1);
}

}  // namespace roomcheck::channel_layer
