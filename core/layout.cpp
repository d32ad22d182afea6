// The layout rule of layout.h, and Array::layout.
#include <tandem/core/layout.h>

namespace tandem {

bool is_ambiguous(const Shape& shape) {
  return shape.rank() == 4 && (shape[1] == 1 || (shape[2] == 1 && shape[3] == 1));
}

namespace {

// For any strides, also of views that are not dense: channels run fastest.
bool reads_channels_last(const Array& x) {
  if (x.rank() != 4) return false;
  if (x.is_channels_last()) return true;
  if (x.is_contiguous()) return false;
  return x.stride(1) == 1 && x.stride(1) <= x.stride(3) && x.stride(3) <= x.stride(2) && x.stride(1) < x.stride(2);
}

}  // namespace

Layout Array::layout() const {
  if (rank() != 4) return Layout::row_major;
  if (is_ambiguous(shape_)) {
    // The strides of sizes of 1 carry no address; they say how the array was made.
    const bool is_plane = shape_[1] == 1 && shape_[2] * shape_[3] > 1;
    return stride(1) == 1 && (stride(3) > 1 || is_plane) ? Layout::channels_last : Layout::row_major;
  }
  return reads_channels_last(*this) ? Layout::channels_last : Layout::row_major;
}

Layout propagate_layout(int rank, std::initializer_list<const Array*> inputs) {
  if (rank != 4) return Layout::row_major;
  const Array* undecided = nullptr;
  for (const Array* x : inputs) {
    if (x == nullptr || !x->defined() || x->rank() != rank) continue;
    if (!is_ambiguous(x->shape())) return x->layout();
    if (undecided == nullptr) undecided = x;
  }
  return undecided != nullptr ? undecided->layout() : Layout::row_major;
}

}  // namespace tandem
