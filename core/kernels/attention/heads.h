// One head of [B, h, T, d] at a time as rows of floats: where it lies, or, for bf16 and f16, in a block of memory of
// the thread that works on it. Private to attention.cpp.
#pragma once

#include <algorithm>
#include <cstdint>

#include <tandem/core/array.h>
#include <tandem/core/kernels/elementwise/load_store.h>

namespace tandem::kernels::detail {

/// Rows of one head, `step` numbers apart.
template <class T>
struct HeadRows {
  T* data;
  std::int64_t step;

  HeadRows from(std::int64_t row) const { return {data + row * step, step}; }
};

/// [B, h, T, d] whose rows are whole and apart.
inline Array readable_heads(const Array& x) {
  const bool whole = x.stride(3) == 1 && (x.shape(2) == 1 || x.stride(2) >= x.shape(3));
  return whole ? x : x.contiguous();
}

/// Where heads of an Array with whole rows are, and how they become floats and come back.
class Heads {
 public:
  explicit Heads(const Array& x) : x_(x), step_(std::max(x.stride(2), x.shape(3))) {
    if (x.dtype() != DType::f32) floats_ = Array::empty({x.shape(2), x.shape(3)});
  }

 protected:
  bool converts() const { return floats_.defined(); }
  std::byte* row(std::int64_t head, std::int64_t t) {
    const std::int64_t h = x_.shape(1), at = head / h * x_.stride(0) + head % h * x_.stride(1) + t * step_;
    return x_.bytes() + at * static_cast<std::int64_t>(size_of(x_.dtype()));
  }
  HeadRows<float> floats(std::int64_t head) {
    if (converts()) return {floats_.data<float>(), x_.shape(3)};
    return {reinterpret_cast<float*>(row(head, 0)), step_};
  }
  std::byte* float_row(std::int64_t t) { return reinterpret_cast<std::byte*>(floats_.data<float>() + t * x_.shape(3)); }

  Array x_, floats_;
  std::int64_t step_, head_ = -1;
};

class HeadReader : private Heads {
 public:
  explicit HeadReader(const Array& x) : Heads(x) {}

  HeadRows<const float> read(std::int64_t head) {
    if (converts() && head != head_) {
      const ConvertRow load = convert_row(x_.dtype(), DType::f32);
      for (std::int64_t t = 0; t < x_.shape(2); ++t) load(row(head, t), 1, float_row(t), 1, x_.shape(3));
    }
    head_ = head;
    const HeadRows<float> rows = floats(head);
    return {rows.data, rows.step};
  }
};

class HeadWriter : private Heads {
 public:
  explicit HeadWriter(const Array& x) : Heads(x) {}

  HeadRows<float> write(std::int64_t head) {
    head_ = head;
    return floats(head);
  }
  /// Rows [begin, begin + count) of the head are as they shall be.
  void finish(std::int64_t begin, std::int64_t count) {
    if (!converts()) return;
    const ConvertRow store = convert_row(DType::f32, x_.dtype());
    for (std::int64_t t = begin; t < begin + count; ++t) store(float_row(t), 1, row(head_, t), 1, x_.shape(3));
  }
};

}  // namespace tandem::kernels::detail
