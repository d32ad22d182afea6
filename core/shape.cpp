// Shape arithmetic and its errors. See shape.h.
#include <algorithm>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/shape.h>

namespace tandem {

Shape::Shape(std::initializer_list<std::int64_t> sizes)
    : Shape(std::span<const std::int64_t>(sizes.begin(), sizes.size())) {}

Shape::Shape(std::span<const std::int64_t> sizes) {
  if (sizes.size() > static_cast<std::size_t>(kMaxRank)) {
    fail("shape", "too many dims", fmt::format("{} given, at most {}", sizes.size(), kMaxRank));
  }
  std::copy(sizes.begin(), sizes.end(), sizes_.begin());
  rank_ = static_cast<int>(sizes.size());
}

void Shape::insert(int dim, std::int64_t size) {
  if (rank_ == kMaxRank) fail_rank();
  if (dim < 0 || dim > rank_) fail_dim(dim);
  std::copy_backward(sizes_.begin() + dim, sizes_.begin() + rank_, sizes_.begin() + rank_ + 1);
  sizes_[static_cast<std::size_t>(dim)] = size;
  ++rank_;
}

void Shape::erase(int dim) {
  const int d = checked(dim);
  std::copy(sizes_.begin() + d + 1, sizes_.begin() + rank_, sizes_.begin() + d);
  sizes_[static_cast<std::size_t>(--rank_)] = 0;
}

std::string Shape::to_string() const { return fmt::format("[{}]", fmt::join(begin(), end(), ", ")); }

void Shape::fail_dim(int dim) const { fail("shape", "dim out of range", fmt::format("{} of {}", dim, to_string())); }

void Shape::fail_rank() { fail("shape", "too many dims", fmt::format("at most {}", kMaxRank)); }

void Shape::fail_count() const { fail("shape", "too many elements", to_string()); }

int normalize_dim(const char* where, int dim, int rank) {
  const int d = dim < 0 ? dim + rank : dim;
  if (d < 0 || d >= rank) fail(where, "dim out of range", fmt::format("dim {} of an array of rank {}", dim, rank));
  return d;
}

std::int64_t normalize_index(const char* where, const Shape& shape, int dim, std::int64_t index) {
  const std::int64_t at = index < 0 ? index + shape[dim] : index;
  if (at < 0 || at >= shape[dim])
    fail(where, "index out of range", fmt::format("{} in dim {} of {}", index, dim, shape.to_string()));
  return at;
}

std::pair<std::int64_t, std::int64_t> normalize_range(const char* where, const Shape& shape, int dim,
                                                      std::int64_t begin, std::int64_t end, std::int64_t step) {
  const std::int64_t size = shape[dim], first = begin < 0 ? begin + size : begin, last = end < 0 ? end + size : end;
  if (first < 0 || last > size || first > last || step < 1) {
    fail(where, fmt::format("{}:{}:{} does not fit dim {} of size {}", begin, end, step, dim, size),
         "x " + shape.to_string(), "0 <= begin <= end <= size and step >= 1");
  }
  return {first, last};
}

Shape broadcast_shape(const char* where, const Shape& a, const Shape& b) {
  const int rank = std::max(a.rank(), b.rank());
  Shape y = Shape::filled(rank, 1);
  for (int d = 1; d <= rank; ++d) {
    const std::int64_t size_a = d <= a.rank() ? a[-d] : 1;
    const std::int64_t size_b = d <= b.rank() ? b[-d] : 1;
    if (size_a != size_b && size_a != 1 && size_b != 1) {
      fail(where, "shapes do not broadcast", fmt::format("a {}, b {}", a.to_string(), b.to_string()));
    }
    y[-d] = size_a == 1 ? size_b : size_a;
  }
  return y;
}

Shape index_at(const Shape& shape, std::int64_t flat) {
  Shape index = shape;
  for (int d = shape.rank() - 1; d >= 0; --d) {
    index[d] = flat % shape[d];
    flat /= shape[d];
  }
  return index;
}

std::string to_string(Size2 size) { return fmt::format("{}x{}", size.h, size.w); }

}  // namespace tandem
