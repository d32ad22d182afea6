// The least time of a few repetitions counts.
#include <tandem/core/roof.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include <tandem/core/array.h>
#include <tandem/core/kernels/product/matmul.h>
#include <tandem/core/threads.h>

namespace tandem {

namespace {

template <class F>
double least_seconds(int times, F&& work) {
  double least = 0;
  for (int i = 0; i < times; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    least = i == 0 ? seconds : std::min(least, seconds);
  }
  return least;
}

double product_rate(DType dtype) {
  constexpr std::int64_t kSize = 1024;
  const Array a = Array::full({kSize, kSize}, 1, dtype), b = Array::full({kSize, kSize}, 1, dtype);
  kernels::matmul(a, b);
  return 2.0 * static_cast<double>(kSize * kSize * kSize) / least_seconds(5, [&] { kernels::matmul(a, b); });
}

double copy_rate() {
  constexpr std::int64_t kBytes = std::int64_t{1} << 26, kGrain = std::int64_t{1} << 20;
  const Array from = Array::full({kBytes}, 1, DType::u8);
  Array to = Array::full({kBytes}, 2, DType::u8);
  const auto copy = [&] {
    parallel_for(kBytes, kGrain, [&](std::int64_t begin, std::int64_t end) {
      std::memcpy(to.bytes() + begin, from.bytes() + begin, static_cast<std::size_t>(end - begin));
    });
  };
  return 2.0 * static_cast<double>(kBytes) / least_seconds(4, copy);
}

}  // namespace

Roof measure_roof(bool with_bf16) {
  return {.operations = product_rate(DType::f32),
          .bf16_operations = with_bf16 ? product_rate(DType::bf16) : 0,
          .bytes = copy_rate()};
}

double share_of_roof(const Roof& roof, DType dtype, double operations, double bytes, double seconds) {
  if (seconds <= 0) return 0;
  const double most = dtype == DType::bf16 && roof.bf16_operations > 0 ? roof.bf16_operations : roof.operations;
  const double of_operations = most > 0 ? operations / seconds / most : 0;
  const double of_bytes = roof.bytes > 0 ? bytes / seconds / roof.bytes : 0;
  return std::max(of_operations, of_bytes);
}

}  // namespace tandem
