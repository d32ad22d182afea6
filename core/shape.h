// Shape: up to eight sizes, held inline. Strides are the same type, counted in elements.
// Layout is a property of strides and is decided in layout.h. Read next: array.h.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>

namespace tandem {

inline constexpr int kMaxRank = 8;

class Shape {
 public:
  using value_type = std::int64_t;

  Shape() = default;
  /// Throws Error when there are more than eight sizes.
  Shape(std::initializer_list<std::int64_t> sizes);
  explicit Shape(std::span<const std::int64_t> sizes);
  /// `rank` sizes, all equal to `value`.
  static Shape filled(int rank, std::int64_t value) {
    Shape shape;
    for (int d = 0; d < rank; ++d) shape.push_back(value);
    return shape;
  }

  int rank() const { return rank_; }
  bool empty() const { return rank_ == 0; }
  /// The product of all sizes; 1 for rank 0. Throws Error where the product of those that are not 0 passes 2^63 - 1.
  std::int64_t count() const {
    std::int64_t n = 1;
    bool is_empty = false;  // zeros are left out: [2^62, 4, 0] has no element, but strides that overflow
    for (const std::int64_t size : *this) {
      if (size == 0) {
        is_empty = true;
      } else if (__builtin_mul_overflow(n, size, &n)) {
        fail_count();
      }
    }
    return is_empty ? 0 : n;
  }

  /// Negative dims count from the end. Throws Error when out of range.
  std::int64_t operator[](int dim) const { return sizes_[static_cast<std::size_t>(checked(dim))]; }
  std::int64_t& operator[](int dim) { return sizes_[static_cast<std::size_t>(checked(dim))]; }

  const std::int64_t* begin() const { return sizes_.data(); }
  const std::int64_t* end() const { return sizes_.data() + rank_; }
  std::span<const std::int64_t> span() const { return {sizes_.data(), static_cast<std::size_t>(rank_)}; }

  void push_back(std::int64_t size) {
    if (rank_ == kMaxRank) fail_rank();
    sizes_[static_cast<std::size_t>(rank_++)] = size;
  }
  void insert(int dim, std::int64_t size);
  void erase(int dim);

  bool operator==(const Shape& other) const {
    if (rank_ != other.rank_) return false;
    for (std::size_t d = 0; d < static_cast<std::size_t>(rank_); ++d) {
      if (sizes_[d] != other.sizes_[d]) return false;
    }
    return true;
  }
  /// "[8, 3, 32, 32]".
  std::string to_string() const;

 private:
  int checked(int dim) const {
    const int d = dim < 0 ? dim + rank_ : dim;
    if (d < 0 || d >= rank_) fail_dim(dim);
    return d;
  }
  [[noreturn]] void fail_dim(int dim) const;
  [[noreturn]] void fail_count() const;
  [[noreturn]] static void fail_rank();

  std::array<std::int64_t, kMaxRank> sizes_{};
  int rank_ = 0;
};

using Strides = Shape;

inline std::string to_string(const Shape& shape) { return shape.to_string(); }

/// dim counted from the front, for dim in [-rank, rank). Throws Error naming `where` otherwise.
int normalize_dim(const char* where, int dim, int rank);

/// An index in a dim counted from the front; negative ones count from the back. Throws Error naming `where` when the
/// dim has no such element.
std::int64_t normalize_index(const char* where, const Shape& shape, int dim, std::int64_t index);

/// begin and end of a slice of a dim counted from the front; negative ones count from the back. Throws Error naming
/// `where` unless 0 <= begin <= end <= size then, and step >= 1.
std::pair<std::int64_t, std::int64_t> normalize_range(const char* where, const Shape& shape, int dim,
                                                      std::int64_t begin, std::int64_t end, std::int64_t step);

/// The shape that a and b broadcast to (sizes aligned at the right; equal, or one of them 1). Throws Error naming
/// `where`.
Shape broadcast_shape(const char* where, const Shape& a, const Shape& b);

/// The index of element `flat`, counted in row-major order, of an array of this shape.
Shape index_at(const Shape& shape, std::int64_t flat);

/// Two sizes for height and width; an integer stands for both: `.stride = 2` or `.stride = {2, 1}`.
struct Size2 {
  std::int64_t h = 0, w = 0;
  constexpr Size2() = default;
  constexpr Size2(std::int64_t both) : h(both), w(both) {}
  constexpr Size2(std::int64_t height, std::int64_t width) : h(height), w(width) {}
  bool operator==(const Size2&) const = default;
};

/// "3x3".
std::string to_string(Size2 size);

}  // namespace tandem
