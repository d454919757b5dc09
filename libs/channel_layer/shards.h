#pragma once
#include <cstddef>
#include <string_view>

namespace roomcheck::channel_layer {

// Which of `shards` Redis hosts keeps `value`: channels_redis' consistent_hash,
// floor((crc32(value) & 0xfff) / (4096 / shards)). REQUIRES: shards > 0.
std::size_t shard_of(std::string_view value, std::size_t shards);

// The part of a channel name up to and including the '!', or all of a plain name: what names its queue.
std::string_view non_local(std::string_view channel);

}  // namespace roomcheck::channel_layer
