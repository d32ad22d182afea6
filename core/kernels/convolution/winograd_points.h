// The five matrices of F(4x4, 3x3) along one dimension, as functions of a line of numbers (floats or vectors of them).
// The polynomials of Winograd's algorithm are evaluated at 0, a, -a, b, -b and infinity. a = 5/8, b = 3/2 in place of
// the usual 1 and 2: the error of an output is three times that of F(2x2, 3x3) where the usual points give seven times,
// and all constants of B and A are exact in f32. Private to core/kernels. Choosing points: Barabasz, Anderson,
// Soodhalter, Gregg 2020, "Error analysis and improving the accuracy of Winograd convolution for deep neural networks".
#pragma once

#include <tandem/core/dispatch.h>

namespace tandem::kernels::tiles {

namespace points {

inline constexpr float a = 0.625F, b = 1.5F;
inline constexpr float aa = a * a, bb = b * b;
// 1 / product of the distances of a point to the others: of 0, of +-a, of +-b.
inline constexpr float at_0 = 1 / (aa * bb), at_a = 1 / (2 * aa * (aa - bb)), at_b = 1 / (2 * bb * (bb - aa));

}  // namespace points

/// e = B' d: six numbers of the input.
template <class V>
TANDEM_INLINE void input_line(const V (&d)[6], V (&e)[6]) {
  using namespace points;
  e[0] = d[4] - d[2] * (aa + bb) + d[0] * (aa * bb);
  e[5] = d[5] - d[3] * (aa + bb) + d[1] * (aa * bb);
  const V even_a = d[4] - d[2] * bb, odd_a = d[3] - d[1] * bb;
  e[1] = even_a + odd_a * a;
  e[2] = even_a - odd_a * a;
  const V even_b = d[4] - d[2] * aa, odd_b = d[3] - d[1] * aa;
  e[3] = even_b + odd_b * b;
  e[4] = even_b - odd_b * b;
}

/// y = A' m: four numbers of the output.
template <class V>
TANDEM_INLINE void output_line(const V (&m)[6], V (&y)[4]) {
  using namespace points;
  const V even_a = m[1] + m[2], odd_a = m[1] - m[2], even_b = m[3] + m[4], odd_b = m[3] - m[4];
  y[0] = m[0] + even_a + even_b;
  y[1] = odd_a * a + odd_b * b;
  y[2] = even_a * aa + even_b * bb;
  y[3] = m[5] + odd_a * (a * aa) + odd_b * (b * bb);
}

/// m = A y: the transpose of output_line.
template <class V>
TANDEM_INLINE void output_grad_line(const V (&y)[4], V (&m)[6]) {
  using namespace points;
  m[0] = y[0];
  const V even_a = y[0] + y[2] * aa, odd_a = y[1] + y[3] * aa;
  m[1] = even_a + odd_a * a;
  m[2] = even_a - odd_a * a;
  const V even_b = y[0] + y[2] * bb, odd_b = y[1] + y[3] * bb;
  m[3] = even_b + odd_b * b;
  m[4] = even_b - odd_b * b;
  m[5] = y[3];
}

/// u = G g: three numbers of a filter.
template <class V>
TANDEM_INLINE void weight_line(const V (&g)[3], V (&u)[6]) {
  using namespace points;
  u[0] = g[0] * at_0;
  const V even_a = (g[0] + g[2] * aa) * at_a, odd_a = g[1] * (a * at_a);
  u[1] = even_a + odd_a;
  u[2] = even_a - odd_a;
  const V even_b = (g[0] + g[2] * bb) * at_b, odd_b = g[1] * (b * at_b);
  u[3] = even_b + odd_b;
  u[4] = even_b - odd_b;
  u[5] = g[2];
}

/// g = G' u: the transpose of weight_line.
template <class V>
TANDEM_INLINE void weight_grad_line(const V (&u)[6], V (&g)[3]) {
  using namespace points;
  const V even_a = u[1] + u[2], odd_a = u[1] - u[2], even_b = u[3] + u[4], odd_b = u[3] - u[4];
  g[0] = u[0] * at_0 + even_a * at_a + even_b * at_b;
  g[1] = odd_a * (a * at_a) + odd_b * (b * at_b);
  g[2] = u[5] + even_a * (aa * at_a) + even_b * (bb * at_b);
}

}  // namespace tandem::kernels::tiles
