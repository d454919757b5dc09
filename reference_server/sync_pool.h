#pragma once
#include <boost/asio/thread_pool.hpp>
#include <mutex>
#include <optional>

namespace roomcheck::reference_server {

// The threads of all sync consumers. The first of these starts them: with one event loop and only async
// consumers the process has one thread, and then neither glibc (shared_ptr, cancellation) nor the kernel
// (files) counts with locked instructions in every delivery.
//
// Thread: any.
class SyncPool {
 public:
  boost::asio::thread_pool::executor_type executor() {
    const std::lock_guard lock(mu_);
    if (!pool_) pool_.emplace(kThreads);
    return pool_->get_executor();
  }
  // Returns when all that was posted is done. REQUIRES: nothing is posted from now on.
  void join() {
    if (boost::asio::thread_pool* const pool = started()) pool->join();
  }
  // Returns when what has begun is done; the rest is dropped.
  void stop() {
    if (boost::asio::thread_pool* const pool = started()) pool->stop();
    join();
  }

 private:
  static constexpr std::size_t kThreads = 8;  // Channels has one
  boost::asio::thread_pool* started() {
    const std::lock_guard lock(mu_);
    return pool_ ? &*pool_ : nullptr;
  }
  std::mutex mu_;
  std::optional<boost::asio::thread_pool> pool_;  // guarded by mu_
};

}  // namespace roomcheck::reference_server
