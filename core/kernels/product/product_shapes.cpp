// See product_shapes.h.
#include <tandem/core/kernels/product/product_shapes.h>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/kernels/epilogue.h>

namespace tandem::kernels::detail {

void require_matmul_shapes(const char* where, const Shape& a, const Shape& b) {
  const auto both = [&] { return fmt::format("a {}, b {}", to_string(a), to_string(b)); };
  if (a.rank() < 2 || b.rank() < 2) fail(where, "both must have rank 2 or more", both());
  if (a[-1] != b[-2]) fail(where, fmt::format("a has {} columns, b has {} rows", a[-1], b[-2]), both());
}

void require_linear_shapes(const char* where, const Shape& x, const Shape& w, const Array& b) {
  const auto both = [&] { return fmt::format("x {}, w {}", to_string(x), to_string(w)); };
  if (x.rank() < 1 || w.rank() != 2) fail(where, "x must have rank 1 or more, w rank 2", both());
  if (x[-1] != w[1]) fail(where, fmt::format("x has {} features, w expects {}", x[-1], w[1]), both());
  if (b.defined()) require_bias_shape(where, b, w[0], x, w);
}

}  // namespace tandem::kernels::detail
