#include "libs/program/memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <new>
#include <string_view>

namespace roomcheck {
namespace {

constexpr std::size_t kReserve = 64u << 20;

std::string first_words, last_words;  // made while there is memory
std::atomic<void*> reserve{nullptr};
std::atomic<void (*)()> end_in_order{nullptr};
std::atomic<bool> ran_out{false};
std::once_flag given_back;

void say(std::string_view sentence) { (void)!::write(STDERR_FILENO, sentence.data(), sentence.size()); }

// Several threads may come here at once: each may try again once.
void on_shortage() {
  thread_local bool tried_again = false;
  if (tried_again || reserve == nullptr) {
    say(last_words);
    ::_exit(3);
  }
  tried_again = true;
  std::call_once(given_back, [] {
    ::munmap(reserve, kReserve);
    ran_out = true;
    say(first_words);
    end_in_order.load()();
  });
}

}  // namespace

void watch_memory(const std::string& program) {
  first_words =
      program + ": out of memory: ending with what there is; raise its limit (ulimit -v) or ask for less\n";
  last_words = program + ": out of memory: ended at once; raise its limit (ulimit -v) or ask for less\n";
  std::set_new_handler(on_shortage);
}

void keep_memory_reserve(void (*end)()) {
  if (reserve != nullptr) return;
  end_in_order = end;
  // Of the kernel, not of malloc, which might keep what it gets back in an arena of one thread.
  void* const kept =
      ::mmap(nullptr, kReserve, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (kept != MAP_FAILED) reserve = kept;
}

bool memory_ran_out() { return ran_out; }

}  // namespace roomcheck
