// What the tests of ops share: numbers in, numbers out.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <tandem/autograd/backward.h>
#include <tandem/autograd/ops.h>
#include <tandem/core/error.h>

namespace tandem::test {

/// An f32 leaf that asks for a gradient.
inline Tensor leaf(std::initializer_list<double> values, const Shape& shape) {
  return Tensor(Array::from(values, shape), true);
}

inline Tensor labels(const std::vector<std::int64_t>& values) {
  return Array::from(values, {static_cast<std::int64_t>(values.size())});
}

inline void check_values(const Array& x, const std::vector<double>& expected, double tolerance = 1e-6) {
  REQUIRE(x.defined());
  const std::vector<double> values = x.to_vector<double>();
  REQUIRE(values.size() == expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    CAPTURE(i);
    CHECK(values[i] == doctest::Approx(expected[i]).epsilon(tolerance).scale(1));
  }
}

inline void check_values(const Tensor& x, const std::vector<double>& expected) { check_values(x.value(), expected); }

/// The message of the Error that f throws.
template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace tandem::test
