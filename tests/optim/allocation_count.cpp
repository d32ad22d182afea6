// Counts what operator new hands out in this test program; see support.h.
#include <atomic>
#include <cstdlib>
#include <new>

#include "support.h"

namespace {
std::atomic<std::int64_t> count{0};
// What is counted is of steps, not of looks for other processes (core/waiting.h), which come four times a second.
[[maybe_unused]] const int is_set = ::setenv("GOMP_SPINCOUNT", "100000", 0);
}  // namespace

std::int64_t support::allocation_count() { return count.load(); }

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  count.fetch_add(1, std::memory_order_relaxed);
  return std::malloc(size == 0 ? 1 : size);
}
void* operator new(std::size_t size) {
  if (void* p = operator new(size, std::nothrow)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { std::free(p); }
