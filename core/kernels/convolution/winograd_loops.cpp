// The loops of winograd_transforms.h and winograd_products.h, compiled for each target. See winograd_loops.h.
#include <tandem/core/kernels/convolution/winograd_loops.h>

#include <tandem/core/kernels/convolution/winograd_products.h>
#include <tandem/core/kernels/convolution/winograd_transforms.h>
#include <tandem/core/threads.h>

namespace tandem::kernels::tiles {

// The loops for one target. A macro, because a target is an attribute of each function.
#define TANDEM_LOOPS(Set, LANES, TARGET)                                                                               \
  namespace {                                                                                                          \
  struct Set {                                                                                                         \
    TARGET static void input(const float* x, const Tiling& g, int64_t first, int64_t count, const Planes& to) {        \
      transform_input<LANES>(x, g, first, count, to);                                                                  \
    }                                                                                                                  \
    TARGET static void output(const Planes& from, const Tiling& g, int64_t first, int64_t count, const Epilogue& e,    \
                              float* y) {                                                                              \
      transform_output<LANES>(from, g, first, count, e, y);                                                            \
    }                                                                                                                  \
    TARGET static void output_grad(const float* dy, const Tiling& g, int64_t first, int64_t count, const Planes& to) { \
      transform_output_grad<LANES>(dy, g, first, count, to);                                                           \
    }                                                                                                                  \
    TARGET static void weights(const Filters& w, int64_t begin, int64_t end, float* u, int64_t plane) {                \
      transform_weights<LANES>(w, begin, end, u, plane);                                                               \
    }                                                                                                                  \
    TARGET static void weight_grad(const Planes& du, int64_t C, int64_t begin, int64_t end, float* dw) {               \
      transform_weight_grad<LANES>(du, C, begin, end, dw);                                                             \
    }                                                                                                                  \
    TARGET static void product(const float* x, int64_t x_row, const float* u, int64_t count, int64_t C, int64_t K,     \
                               float* y, int64_t y_row) {                                                              \
      multiply<LANES>(x, x_row, u, count, C, K, y, y_row);                                                             \
    }                                                                                                                  \
    TARGET static void gradient(const float* m, int64_t m_row, const float* v, int64_t v_row, int64_t count,           \
                                int64_t begin, int64_t end, int64_t C, bool add, float* du, int64_t du_row) {          \
      multiply_gradient<LANES>(m, m_row, v, v_row, count, begin, end, C, add, du, du_row);                             \
    }                                                                                                                  \
    static constexpr Loops loops{LANES, input, output, output_grad, weights, weight_grad, product, gradient};          \
  };                                                                                                                   \
  }

#if TANDEM_HAS_TARGETS
TANDEM_LOOPS(Avx512, 16, TANDEM_TARGET_AVX512)
TANDEM_LOOPS(Avx2, 8, TANDEM_TARGET_AVX2)
#endif
TANDEM_LOOPS(Any, 8, )

#undef TANDEM_LOOPS

const std::vector<const Loops*>& all_loops() {
  static const std::vector<const Loops*> list = [] {
    std::vector<const Loops*> found;
#if TANDEM_HAS_TARGETS
    const std::string set = instruction_set();
    if (set == "avx512") found.push_back(&Avx512::loops);
    if (set != "x86-64") found.push_back(&Avx2::loops);
#endif
    found.push_back(&Any::loops);
    return found;
  }();
  return list;
}

}  // namespace tandem::kernels::tiles
