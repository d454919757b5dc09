#pragma once
// What the two floor programs share: the least of RFC 6455 that a room needs, and where CPU time and memory
// are read.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace roomcheck::floor {

// base64(SHA-1(key + GUID)), RFC 6455 4.2.2.
std::string accept_for(std::string_view key);

// An unmasked text frame (server), or one masked with zero (client: the octets stay as they are, the mask bit
// is set).
std::string frame(std::string_view payload, bool masked);

// The whole frame at the start of [bytes, bytes + size): its header's and its payload's length. False while
// it is incomplete.
struct FrameSize {
  std::size_t header = 0;
  std::size_t payload = 0;
};
bool whole_frame(const char* bytes, std::size_t size, FrameSize& out);

// A non-blocking listener or connection on 127.0.0.1 with TCP_NODELAY. Ends the program with a sentence when
// it cannot.
int listen_on(std::uint16_t port, std::uint16_t& bound);
int connect_to(std::uint16_t port);
void raise_open_file_limit();

std::int64_t now_ns();
// User and system time of all threads of a process, with the kernel's nanoseconds
// (/proc/PID/task/*/schedstat).
std::int64_t cpu_ns_of(int pid);
std::int64_t rss_bytes_of(int pid);

[[noreturn]] void die(const std::string& sentence);

}  // namespace roomcheck::floor
