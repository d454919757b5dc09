#include "benchmarks/floor/uring.h"

#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "benchmarks/floor/wire.h"

namespace roomcheck::floor {
namespace {

char* map_ring(int fd, std::size_t size, off_t what) {
  void* const at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, what);
  if (at == MAP_FAILED) die("io_uring: mmap");
  return static_cast<char*>(at);
}

std::uint32_t* word(char* ring, std::uint32_t offset) {
  return static_cast<std::uint32_t*>(static_cast<void*>(ring + offset));
}

}  // namespace

Uring::Uring(unsigned entries) : entries_(entries) {
  io_uring_params params{};
  fd_ = static_cast<int>(::syscall(SYS_io_uring_setup, entries, &params));
  if (fd_ < 0) die("io_uring: this kernel has none, or does not let us");
  char* const sq =
      map_ring(fd_, params.sq_off.array + params.sq_entries * sizeof(std::uint32_t), IORING_OFF_SQ_RING);
  char* const cq =
      map_ring(fd_, params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe), IORING_OFF_CQ_RING);
  char* const sqes = map_ring(fd_, params.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES);
  sqes_ = static_cast<io_uring_sqe*>(static_cast<void*>(sqes));
  cqes_ = static_cast<io_uring_cqe*>(static_cast<void*>(cq + params.cq_off.cqes));
  sq_tail_ = word(sq, params.sq_off.tail);
  cq_head_ = word(cq, params.cq_off.head);
  cq_tail_ = word(cq, params.cq_off.tail);
  sq_mask_ = *word(sq, params.sq_off.ring_mask);
  cq_mask_ = *word(cq, params.cq_off.ring_mask);
  for (std::uint32_t i = 0; i < params.sq_entries; ++i) word(sq, params.sq_off.array)[i] = i;
}

void Uring::send(int fd, const char* bytes, std::size_t size) {
  if (queued_ == entries_) submit();
  io_uring_sqe& entry = sqes_[(*sq_tail_ + queued_) & sq_mask_];
  std::memset(&entry, 0, sizeof entry);
  entry.opcode = IORING_OP_SEND;
  entry.fd = fd;
  entry.addr = reinterpret_cast<std::uintptr_t>(bytes);
  entry.len = static_cast<std::uint32_t>(size);
  entry.msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL;
  size_ = size;
  ++queued_;
}

void Uring::submit() {
  if (queued_ == 0) return;
  __atomic_store_n(sq_tail_, *sq_tail_ + queued_, __ATOMIC_RELEASE);
  if (::syscall(SYS_io_uring_enter, fd_, queued_, queued_, IORING_ENTER_GETEVENTS, nullptr, 0) != queued_)
    die("io_uring: not all was submitted");
  std::uint32_t head = *cq_head_;
  for (const std::uint32_t tail = __atomic_load_n(cq_tail_, __ATOMIC_ACQUIRE); head != tail;
       ++head, --queued_)
    if (cqes_[head & cq_mask_].res != static_cast<int>(size_))
      die("io_uring: a send failed, or the client reads too slowly");
  __atomic_store_n(cq_head_, head, __ATOMIC_RELEASE);
  if (queued_ != 0) die("io_uring: not all has ended");
}

}  // namespace roomcheck::floor
