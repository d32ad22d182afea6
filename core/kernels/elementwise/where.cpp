// where: elements of a or b are moved, not computed with, so that a loop over bytes of their size serves all dtypes,
// and the condition stays the bytes that it is.
#include <tandem/core/kernels/elementwise/elementwise.h>

#include <tandem/core/capture.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/elementwise/elementwise_apply.h>
#include <tandem/core/profile.h>

namespace tandem::kernels {

namespace {

/// Strides along a row, in elements.
struct Steps {
  std::int64_t y, c, a, b;
};

template <bool kOneA, bool kOneB, class T>
TANDEM_TARGETS void choose(const std::uint8_t* __restrict c, const T* a, const T* b, T* __restrict y, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    const T u = a[kOneA ? 0 : i], v = b[kOneB ? 0 : i];
    y[i] = c[i] != 0 ? u : v;
  }
}

template <class T>
void choose_row(const std::uint8_t* c, const T* a, const T* b, T* y, std::int64_t n, const Steps& s) {
  if (s.y == 1 && s.c == 1 && (s.a == 0 || s.a == 1) && (s.b == 0 || s.b == 1)) {
    const auto loop = s.a == 0 ? (s.b == 0 ? choose<true, true, T> : choose<true, false, T>)
                               : (s.b == 0 ? choose<false, true, T> : choose<false, false, T>);
    return loop(c, a, b, y, n);
  }
  for (std::int64_t i = 0; i < n; ++i) y[i * s.y] = c[i * s.c] != 0 ? a[i * s.a] : b[i * s.b];
}

template <class T>
void choose_all(const Array& c, const Array& a, const Array& b, Array& y) {
  const std::array<const Array*, 4> operands{&y, &c, &a, &b};
  const LoopPlan plan = plan_loop(operands);
  const auto* pc = reinterpret_cast<const std::uint8_t*>(c.bytes());
  const auto *pa = reinterpret_cast<const T*>(a.bytes()), *pb = reinterpret_cast<const T*>(b.bytes());
  auto* py = reinterpret_cast<T*>(y.bytes());
  const Steps steps{plan.strides[0][0], plan.strides[1][0], plan.strides[2][0], plan.strides[3][0]};
  capture::run("where", {&c, &a, &b}, {&y}, [plan, pc, pa, pb, py, steps] {
    walk(plan, [&](const Tile& tile) {
      for (std::int64_t r = 0; r < tile.rows; ++r) {
        const auto at = [&](std::size_t o) { return tile.begin[o] + r * plan.strides[o][1]; };
        choose_row(pc + at(1), pa + at(2), pb + at(3), py + at(0), tile.n, steps);
      }
    });
  });
}

}  // namespace

Array where(const Array& condition, const Array& a, const Array& b) {
  require_defined("where", "condition", condition);
  const detail::Names names{"where", {"a", "b", ""}};
  const std::array<const Array*, 2> values{&a, &b};
  const DType dtype = detail::common_dtype(names, detail::Accepts::all, values);
  const Array truth = size_of(condition.dtype()) == 1 ? condition : condition.to(DType::boolean);
  const Array u = a.to(dtype), v = b.to(dtype);
  const std::array<const Array*, 3> inputs{&a, &b, &truth};
  const Shape shape = detail::common_shape(names, inputs);
  const profile::KernelScope profiled("where", dtype,
                                      [&] { return profile::moves(a, b, condition, profile::bytes_of(shape, dtype)); });
  Array y = Array::empty(shape, dtype, propagate_layout(shape.rank(), {&a, &b, &truth}));
  if (y.size() == 0) return y;
  switch (size_of(dtype)) {
    case 1:
      choose_all<std::uint8_t>(truth, u, v, y);
      break;
    case 2:
      choose_all<std::uint16_t>(truth, u, v, y);
      break;
    case 4:
      choose_all<std::uint32_t>(truth, u, v, y);
      break;
    default:
      choose_all<std::uint64_t>(truth, u, v, y);
  }
  return y;
}

}  // namespace tandem::kernels
