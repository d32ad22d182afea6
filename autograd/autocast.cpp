// The state of autocast, one a thread. See autocast.h.
#include <tandem/autograd/autocast.h>

#include <cstdio>
#include <mutex>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/kernels/product/bf16_matmul.h>

namespace tandem {

namespace {

thread_local DType current = DType::f32;

DType available(DType dtype) {
  if (dtype != DType::bf16 && dtype != DType::f32)
    fail("autocast", fmt::format("dtype is {}, must be bf16 or f32", name(dtype)));
  if (dtype == DType::f32 || kernels::has_bf16_instructions()) return dtype;
  static std::once_flag warned;
  std::call_once(warned, [] {
    fmt::print(stderr, "autocast: this processor has no instructions for bf16 (AVX512_BF16, AMX): computing in f32\n");
  });
  return DType::f32;
}

}  // namespace

AutocastScope::AutocastScope(DType dtype) : before_(current) { current = available(dtype); }

AutocastScope::~AutocastScope() { current = before_; }

DType autocast_dtype() { return current; }

}  // namespace tandem
