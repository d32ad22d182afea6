// Reading the golden files beside this header (made by make_golden.py with PyTorch) and comparing with them.
#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/core/array.h>
#include <tandem/core/error.h>
#include <tandem/core/io/safetensors.h>

namespace tandem::golden {

/// A file of this folder.
inline Safetensors load(const std::string& file) { return load_safetensors(TANDEM_GOLDEN_DIR "/" + file); }

/// The Array of this name; throws Error when the file has none.
inline const Array& at(const Safetensors& file, std::string_view name) {
  const Array* found = file.find(std::string(name));
  if (found == nullptr) fail("golden", "no such entry", name, "run make_golden.py again");
  return *found;
}

/// Arrays NAME/x0, NAME/x1 ... for letter "x".
inline std::vector<Array> family(const Safetensors& file, const std::string& name, const std::string& letter) {
  std::vector<Array> found;
  for (int i = 0;; ++i) {
    const Array* array = file.find(name + "/" + letter + std::to_string(i));
    if (array == nullptr) return found;
    found.push_back(*array);
  }
}

/// |a - b| / |b| in the Euclidean norm; |a| where b is zero; infinite where the shapes differ.
inline double relative_error(const Array& a, const Array& b) {
  if (!(a.shape() == b.shape())) return std::numeric_limits<double>::infinity();
  const std::vector<double> x = a.to_vector<double>(), y = b.to_vector<double>();
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    difference += (x[i] - y[i]) * (x[i] - y[i]);
    norm += y[i] * y[i];
  }
  return norm > 0 ? std::sqrt(difference / norm) : std::sqrt(difference);
}

}  // namespace tandem::golden
