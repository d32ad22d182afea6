// The sum of squares of all elements: 16 lanes in double, for norms and clipping. Not here: sums (reduce.cpp).
#include <algorithm>
#include <vector>

#include <tandem/core/convert.h>
#include <tandem/core/dispatch.h>
#include <tandem/core/kernels/reduce/reduce.h>
#include <tandem/core/profile.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

template <class X>
TANDEM_TARGETS double squares_block(const X* x, std::int64_t n) {
  double lanes[16] = {};
  std::int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    for (std::int64_t j = 0; j < 16; ++j) {
      const double v = convert_number<double>(x[i + j]);
      lanes[j] += v * v;
    }
  }
  for (; i < n; ++i) lanes[i % 16] += convert_number<double>(x[i]) * convert_number<double>(x[i]);
  double total = 0;
  for (const double lane : lanes) total += lane;
  return total;
}

double squares_of(const Array& x, std::int64_t begin, std::int64_t end) {
  return visit_dtype(x.dtype(), [&]<class X>(X) { return squares_block(x.data<X>() + begin, end - begin); });
}

}  // namespace

double sum_of_squares(const Array& x) {
  const profile::KernelScope profiled("sum_of_squares", x.dtype(), [&] { return profile::moves(x); });
  require_defined("sum_of_squares", "x", x);
  if (x.size() == 0) return 0;
  const Array dense = x.is_contiguous() || x.is_channels_last() ? x : x.contiguous();
  constexpr std::int64_t kGrain = 32768;
  const Parts parts = parallel_parts(x.size(), kGrain);
  if (parts.number == 1) return squares_of(dense, 0, x.size());
  std::vector<double> totals(static_cast<std::size_t>(parts.number));
  parallel_for_parts(parts, [&](std::int64_t begin, std::int64_t end, int part) {
    totals[static_cast<std::size_t>(part)] = squares_of(dense, begin, end);
  });
  double total = 0;
  for (const double part : totals) total += part;
  return total;
}

}  // namespace tandem::kernels
