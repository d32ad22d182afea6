// Products of matrices for leaves of whole tensors: against their definition, of all sizes, on any number of threads.
#include <tandem/optim/engine/matrix.h>

#include <cmath>
#include <tuple>

#include "support.h"

using namespace support;

namespace {

template <class T>
void check_products() {
  for (const auto& [m, n, k] : {std::tuple{1, 1, 1}, std::tuple{3, 5, 2}, std::tuple{4, 16, 7}, std::tuple{9, 33, 12},
                                std::tuple{70, 70, 131}, std::tuple{131, 8, 1}}) {
    const Array left = parameter({m, k}, 1, dtype_of<T>).value(), right = parameter({k, n}, 2, dtype_of<T>).value();
    Array a = left.clone(), b = right.clone(), c = Array::empty({m, n}, dtype_of<T>), d = c.clone();
    Array turned = Array::empty({n, k}, dtype_of<T>), work = Array::empty({k, n}, dtype_of<T>);
    const Matrix<T> A{a.data<T>(), m, k}, B{b.data<T>(), k, n}, C{c.data<T>(), m, n}, D{d.data<T>(), m, n};
    const Matrix<T> turned_b{turned.data<T>(), n, k};
    multiply(C, A, B);
    transpose(turned_b, B);
    multiply_transposed(D, A, turned_b, work.data<T>());
    CHECK(identical(c, d));
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        T sum = 0;
        for (std::int64_t p = 0; p < k; ++p) sum += A(i, p) * B(p, j);
        REQUIRE(C(i, j) == sum);
        REQUIRE(turned_b(j, 0) == B(0, j));
      }
    }
    const int before = threads();
    set_threads(before == 1 ? 2 : 1);
    multiply(D, A, B);
    set_threads(before);
    CHECK(identical(c, d));
  }
}

}  // namespace

TEST_CASE("a product is its definition, bit for bit") {
  check_products<float>();
  check_products<double>();
}

TEST_CASE("turn copies or transposes; combine and scale work in place; the norm is Frobenius'") {
  double x[] = {1, 2, 3, 4, 5, 6}, y[6];
  const Matrix<double> flat{x, 2, 3}, tall{y, 3, 2}, same{y, 2, 3};
  turn(tall, flat);
  CHECK(std::vector<double>(y, y + 6) == std::vector<double>{1, 4, 2, 5, 3, 6});
  turn(same, flat);
  CHECK(std::vector<double>(y, y + 6) == std::vector<double>{1, 2, 3, 4, 5, 6});
  combine(same, 2, same, -1, flat);
  CHECK(std::vector<double>(y, y + 6) == std::vector<double>{1, 2, 3, 4, 5, 6});
  scale(same, 0.5);
  CHECK(y[5] == 3);
  CHECK(norm(x, 6) == doctest::Approx(std::sqrt(91.0)).epsilon(1e-15));
}
