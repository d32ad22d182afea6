// Remade: a large value that ops which save it need not keep, because it is made again from others that are kept
// anyway: the output of a batch norm and its ReLU, a layer norm, a GELU or SiLU, from the input. Private to autograd.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <tandem/autograd/tensor.h>

namespace tandem {

class Remade {
 public:
  /// `again` computes `value`, bit for bit, from `sources` and constants.
  Remade(const Array& value, std::vector<Array> sources, std::function<Array(const std::vector<Array>&)> again);

  /// Whether x is the value still: one that was written into is another.
  bool is_of(const Array& x);
  /// The first value while somebody has it, else what `again` gives; shared by all who ask while one of them keeps it.
  /// Throws Error when a source was changed in place.
  Array value();

 private:
  struct Source {
    Array array;
    std::uint64_t version;
  };

  void remember(const Array& value);

  std::vector<Source> sources_;
  std::function<Array(const std::vector<Array>&)> again_;
  std::mutex mutex_;
  // The value, without keeping it.
  std::weak_ptr<Storage> storage_;
  Shape shape_;
  Strides strides_;
  DType dtype_ = DType::f32;
  std::int64_t offset_ = 0;
  std::uint64_t version_ = 0;
};

namespace ops {

/// From how many bytes on memory counts more than the time that it takes to make a value again.
inline constexpr std::int64_t kLargeValue = std::int64_t{8} << 20;

/// Gives y, as it comes from record, a way to be made again from `sources` (undefined ones are left out), where it has
/// at least so many bytes.
template <class F>
void remake(const Tensor& y, std::initializer_list<const Array*> sources, F&& again, std::int64_t least = kLargeValue) {
  if (y.is_leaf() || y.size() * static_cast<std::int64_t>(size_of(y.dtype())) < least) return;
  std::vector<Array> arrays;
  for (const Array* source : sources) {
    if (source->defined()) arrays.push_back(*source);
  }
  y.state()->remade = std::make_shared<Remade>(y.value(), std::move(arrays), std::forward<F>(again));
}

}  // namespace ops

}  // namespace tandem
