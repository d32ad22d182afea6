// autocast(DType::bf16): products inside the scope multiply numbers rounded to bf16 and sum in f32. Weights stay f32,
// and so do their gradients, statistics, softmax, losses and recurrent states; activations travel as bf16 between
// layers, because elementwise ops follow their inputs.
//   const AutocastScope scope = autocast(DType::bf16);
//   const Tensor loss = cross_entropy(model(images), labels);
// Master weights become packed bf16 in the pass that packs them, once a version of their Storage.
#pragma once

#include <tandem/core/dtype.h>

namespace tandem {

/// Until its end, ops of this thread that are made of products (conv2d, conv_transpose2d, linear, matmul, lstm, gru and
/// their cells) compute in `dtype`: bf16, or f32, which ends an outer bf16. f64 inputs stay f64. Backward goes by what
/// forward did, inside a scope or not. Without instructions for bf16 a line on standard error says so, once a process,
/// and the scope is one of f32. Throws Error for another dtype.
class [[nodiscard]] AutocastScope {
 public:
  explicit AutocastScope(DType dtype);
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  DType before_;
};

inline AutocastScope autocast(DType dtype) { return AutocastScope(dtype); }

/// bf16 inside such a scope, else f32.
DType autocast_dtype();

}  // namespace tandem
