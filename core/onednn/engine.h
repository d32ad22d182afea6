// The one oneDNN engine and stream of the process, the lock under which primitives run, and the scratch memory they
// share. Kernels thread inside, so one primitive at a time loses nothing, and cached memory objects need no copies.
#pragma once

#include <cstddef>
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

}  // namespace tandem::onednn
