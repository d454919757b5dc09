#pragma once
#include <cstddef>
#include <cstdint>

struct io_uring_sqe;
struct io_uring_cqe;

namespace roomcheck::floor {

// Many send() in one system call: an io_uring used as a batch, by hand, so that liburing is no dependency.
// Every send is tried while it is submitted (MSG_DONTWAIT), so that its result is there when submit()
// returns.
//
// Thread:   one.
// Capacity: `entries` sends (a power of two), then they are submitted.
// Errors:   a kernel without io_uring, a send that fails or is not whole: die(), as everywhere in the floor.
class Uring {
 public:
  explicit Uring(unsigned entries);
  void send(int fd, const char* bytes, std::size_t size);  // `bytes` stay until submit()
  void submit();

 private:
  int fd_ = -1;
  const unsigned entries_;
  unsigned queued_ = 0;
  std::size_t size_ = 0;  // of each send that is queued
  io_uring_sqe* sqes_ = nullptr;
  io_uring_cqe* cqes_ = nullptr;
  std::uint32_t *sq_tail_ = nullptr, *cq_head_ = nullptr, *cq_tail_ = nullptr;
  std::uint32_t sq_mask_ = 0, cq_mask_ = 0;
};

}  // namespace roomcheck::floor
