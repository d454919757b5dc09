#pragma once
#include <memory>
#include <string_view>
#include <vector>

#include "libs/channel_layer/channel_layer.h"

namespace roomcheck::testkit {

// One way to break a channel layer, and the check of the contract suite that must see it.
struct LayerFault {
  std::string_view name;
  std::string_view requirement;
  std::string_view caught_by;  // the test's name in contract_test.cpp
};

// Every fault; each requirement of SPEC section layer that the contract suite checks has one at least.
const std::vector<LayerFault>& layer_faults();

// A layer that is right but for this fault. Throws std::runtime_error when there is no such fault.
std::unique_ptr<channel_layer::ChannelLayer> break_layer(std::unique_ptr<channel_layer::ChannelLayer> layer,
                                                         std::string_view fault);

}  // namespace roomcheck::testkit
