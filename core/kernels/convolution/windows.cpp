// See windows.h.
#include <tandem/core/kernels/convolution/windows.h>

#include <algorithm>

#include <tandem/core/narrow_float.h>

namespace tandem::kernels {

template <class E>
void unfold(const Windows& g, const E* x, std::int64_t begin, std::int64_t count, std::int64_t step, E* rows) {
  const std::int64_t line = g.S * g.C;
  Windows::Place place = g.place(begin);
  for (std::int64_t i = 0; i < count; ++i, rows += step, g.advance(place)) {
    const E* image = x + place.image * g.H * g.W * g.C;
    const std::int64_t top = place.row * g.stride.h - g.padding.h, left = place.column * g.stride.w - g.padding.w;
    E* to = rows;
    for (std::int64_t r = 0; r < g.R; ++r, to += line) {
      const std::int64_t h = top + r * g.dilation.h;
      if (h < 0 || h >= g.H) {
        std::fill_n(to, line, E(0));
      } else if (g.dilation.w == 1 && left >= 0 && left + g.S <= g.W) {
        std::copy_n(image + (h * g.W + left) * g.C, line, to);
      } else {
        for (std::int64_t s = 0; s < g.S; ++s) {
          const std::int64_t v = left + s * g.dilation.w;
          if (v < 0 || v >= g.W)
            std::fill_n(to + s * g.C, g.C, E(0));
          else
            std::copy_n(image + (h * g.W + v) * g.C, g.C, to + s * g.C);
        }
      }
    }
    std::fill_n(to, step - g.numbers(), E(0));
  }
}

template void unfold(const Windows&, const float*, std::int64_t, std::int64_t, std::int64_t, float*);
template void unfold(const Windows&, const bfloat16*, std::int64_t, std::int64_t, std::int64_t, bfloat16*);

}  // namespace tandem::kernels
