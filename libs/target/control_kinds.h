#pragma once
#include <chrono>
#include <memory>
#include <string>

#include "libs/target/control.h"

namespace roomcheck::target {

// The kinds that make_control() chooses from. Addresses are as in --control; each throws BadInput for a wrong
// one.
std::unique_ptr<Control> make_http_control(const std::string& address, const std::string& token,
                                           std::chrono::nanoseconds limit);
std::unique_ptr<Control> make_redis_control(const std::string& address, std::chrono::nanoseconds limit);
std::unique_ptr<Control> make_command_control(const std::string& address, std::chrono::nanoseconds limit);

}  // namespace roomcheck::target
