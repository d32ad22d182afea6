// The one oneDNN engine and stream of the process, the lock under which primitives run, and the scratch memory they
// share. Kernels thread inside, so one primitive at a time loses nothing, and cached memory objects need no copies.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include <oneapi/dnnl/dnnl.hpp>

namespace tandem::onednn {

dnnl::engine& cpu_engine();
dnnl::stream& cpu_stream();

/// Memory as oneDNN takes it, which has one type for what it reads and what it writes.
inline void* handle(const std::byte* data) { return const_cast<std::byte*>(data); }

/// Held while a primitive is looked up and run, and while packed copies are touched.
std::mutex& execution_mutex();

/// At least `bytes` of 64-byte aligned memory, valid until the next call. Kept; grows only when a new primitive needs
/// more. The caller holds execution_mutex().
std::byte* scratch(std::size_t bytes);
/// Gives the scratch memory back. The caller holds execution_mutex().
void release_scratch();

/// Of the keys under which primitives are kept: the numbers of a problem.
struct KeyHash {
  template <std::size_t n>
  std::size_t operator()(const std::array<std::int64_t, n>& key) const {
    std::uint64_t h = 0x9e3779b97f4a7c15U;
    for (const std::int64_t v : key) h = (h ^ static_cast<std::uint64_t>(v)) * 0x100000001b3U + (h >> 29);
    return static_cast<std::size_t>(h);
  }
};

}  // namespace tandem::onednn
