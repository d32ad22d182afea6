// What the tests of workers share: the workers of this process, held until it ends, and the optimizer tests' helpers.
#pragma once

#include <optim/support.h>

namespace support {

inline const std::shared_ptr<Workers>& workers() {
  static const std::shared_ptr<Workers> all = open_workers();
  return all;
}

/// The largest difference of two lists of parameters.
inline double distance(const NamedTensors& a, const NamedTensors& b) {
  double largest = 0;
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    const std::vector<double> x = a[i].tensor.value().to(DType::f64).to_vector<double>();
    const std::vector<double> y = b[i].tensor.value().to(DType::f64).to_vector<double>();
    for (std::size_t j = 0; j < x.size(); ++j) largest = std::max(largest, std::abs(x[j] - y[j]));
  }
  return largest;
}

}  // namespace support
