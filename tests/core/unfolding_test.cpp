// Convolutions over unfolded images against the naive twin in double: strides, dilations and paddings that differ by
// direction, windows that meet padding only, image rows that no window reaches, and any number of threads.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include <tandem/core/kernels/convolution/phases.h>
#include <tandem/core/kernels/convolution/unfolding.h>
#include <tandem/core/kernels/reference/conv2d.h>
#include <tandem/core/threads.h>
#include <tests/core/random_arrays.h>

using namespace tandem;
using namespace tandem::testing;
namespace k = tandem::kernels;

namespace {

constexpr double kBound = 2e-6;  // of the largest number

struct Problem {
  Shape x, w;
  Conv2dOptions options;
};

const std::vector<Problem>& problems() {
  static const std::vector<Problem> table{
      {{3, 3, 16, 16}, {32, 3, 4, 4}, {.stride = 2, .padding = 1}},
      {{2, 5, 9, 7}, {16, 5, 3, 3}, {.stride = {2, 3}, .padding = {1, 2}}},
      {{2, 1, 11, 12}, {16, 1, 5, 2}, {.stride = {3, 1}, .padding = {0, 1}}},  // a last row that no window reaches
      {{4, 16, 8, 8}, {48, 16, 1, 1}, {.stride = 2}},
      {{1, 2, 4, 30}, {16, 2, 3, 7}, {.stride = 1, .padding = {4, 6}, .dilation = {3, 1}}},
      {{2, 7, 10, 10}, {16, 7, 3, 3}, {.stride = 1, .padding = 2, .dilation = 2}},
      {{2, 3, 40, 70}, {16, 3, 7, 7}, {.stride = 2, .padding = 3}},
      {{5, 33, 5, 5}, {64, 33, 2, 2}, {.stride = 2}},
      {{3, 32, 9, 9}, {16, 32, 3, 3}, {.stride = 2, .padding = 1}},
      {{3, 20, 7, 10}, {32, 20, 4, 6}, {.stride = {2, 3}, .padding = {3, 5}}},
  };
  return table;
}

Array wide(const Array& a) { return a.to(DType::f64); }
Array images(const Shape& shape) { return Array::full(shape, NAN).to_layout(Layout::channels_last); }

void check(const Problem& p, Memory memory, Generator& g) {
  const std::string text =
      p.x.to_string() + " " + p.w.to_string() + " memory " + std::to_string(static_cast<int>(memory));
  CAPTURE(text);
  const Shape shape = k::conv2d_shape(p.x, p.w, p.options);
  const Array x = random_array(g, p.x, Memory::channels_last), dy = random_array(g, shape, Memory::channels_last),
              w = random_array(g, p.w, memory);
  Array y64 = wide(dy), dx64 = wide(x), dw64 = Array::empty(p.w, DType::f64);
  k::reference::conv2d<double>(wide(x), wide(w), {}, p.options, y64);
  k::reference::conv2d_input_grad<double>(wide(dy), wide(w), p.options, dx64);
  k::reference::conv2d_weight_grad<double>(wide(dy), wide(x), p.options, dw64);
  if (k::can_fold(p.options)) {
    Array dx = images(p.x), again = images(p.x);
    k::folded_input_grad(dy, w, p.options, dx);
    CHECK(scaled_error(dx, dx64) < kBound);
    k::folded_input_grad(dy, w, p.options, again);
    CHECK(identical(dx, again));
  }
  REQUIRE(k::can_unfold(p.w, p.options));
  for (const k::tiles::Loops* loops : k::tiles::all_loops()) {
    Array y = images(shape), dw = Array::full(p.w, NAN), again = Array::full(p.w, NAN);
    k::unfolded(x, w, p.options, y, *loops);
    CHECK(scaled_error(y, y64) < kBound);
    k::unfolded_weight_grad(dy, x, p.options, dw, *loops);
    CHECK(scaled_error(dw, dw64) < kBound);
    k::unfolded_weight_grad(dy, x, p.options, again, *loops);
    CHECK(identical(dw, again));
    if (!k::can_phase(p.options)) continue;
    Array dx = images(p.x), same = images(p.x);
    k::phased_input_grad(dy, w, p.options, dx, *loops);
    CHECK(scaled_error(dx, dx64) < kBound);
    k::phased_input_grad(dy, w, p.options, same, *loops);
    CHECK(identical(dx, same));
  }
}

}  // namespace

TEST_CASE("unfolding: every pass equals the naive twin") {
  Generator g(1);
  for (const Problem& p : problems())
    for (const Memory memory : {Memory::row_major, Memory::channels_last, Memory::sliced}) check(p, memory, g);
}

TEST_CASE("unfolding: any number of threads") {
  Generator g(2);
  const int before = threads();
  for (const int n : {1, 2, 3}) {
    set_threads(n);
    for (const Problem& p : problems()) check(p, Memory::row_major, g);
  }
  set_threads(before);
}

TEST_CASE("unfolding: an infinite gradient reaches its window alone") {
  Array dy = Array::zeros({1, 2, 3, 3}).to_layout(Layout::channels_last), w = Array::full({2, 3, 2, 2}, 1);
  dy.set({0, 1, 1, 1}, INFINITY);
  for (const bool is_phased : {false, true}) {
    Array dx = images({1, 3, 6, 6});
    if (is_phased)
      k::phased_input_grad(dy, w, {.stride = 2}, dx);
    else
      k::folded_input_grad(dy, w, {.stride = 2}, dx);
    for (int h = 0; h < 6; ++h)
      for (int v = 0; v < 6; ++v) {
        const bool is_inside = h / 2 == 1 && v / 2 == 1;
        CHECK(dx.at({0, 1, h, v}) == (is_inside ? INFINITY : 0));
      }
  }
}

TEST_CASE("unfolding: what it takes") {
  const Shape w{32, 3, 5, 5};
  CHECK(k::can_unfold(w, {.stride = 3, .dilation = 2}));
  CHECK(!k::can_unfold({24, 3, 5, 5}, {}));
  CHECK(!k::can_unfold(w, {.groups = 2}));
  CHECK(k::can_fold({.dilation = {2, 1}}));
  CHECK(!k::can_fold({.dilation = {1, 2}}));
  CHECK(!k::can_fold({.groups = 3}));
  CHECK(k::can_phase({.stride = 3}));
  CHECK(!k::can_phase({.dilation = {2, 1}}));
  CHECK(!k::can_phase({.groups = 3}));
}
