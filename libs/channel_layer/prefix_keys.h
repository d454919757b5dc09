#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace roomcheck::channel_layer {

// Which of the sorted-set keys that begin with the text of `prefix` belong to the layer of that prefix, and
// not to another layer whose prefix begins alike, nor to another program (layer.flush):
//
//   <prefix>:group:<group>                             always
//   <prefix><channel>, <prefix><channel>$inflight      unless there is evidence of a longer prefix that fits
//
// Evidence of a prefix P are the keys `P:group:...` and `Pspecific.<32 hexadecimal digits>!`. A lone
// "asgi2jobs" may be channel "2jobs" of prefix "asgi" or channel "jobs" of "asgi2": without evidence it is
// taken to be the former.
std::vector<std::string> keys_of_prefix(std::string_view prefix, const std::vector<std::string>& keys);

// The glob that SCAN needs for "begins with this text", its special characters escaped.
std::string begins_with(std::string_view prefix);

}  // namespace roomcheck::channel_layer
