// See dims.h.
#include <tandem/core/dims.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>

#include <tandem/core/error.h>

namespace tandem {

std::string Dims::to_string() const {
  return are_all_ ? "all" : list_.empty() ? "none" : fmt::format("{}", fmt::join(list_, ", "));
}

Shape Dims::kept(const char* where, const Shape& x) const {
  if (are_all_) return Shape::filled(x.rank(), 1);
  Shape shape = x;
  std::uint32_t seen = 0;
  for (const int dim : list_) {
    const int d = normalize_dim(where, dim, x.rank());
    if ((seen >> d) & 1U) fail(where, fmt::format("dim {} is given twice", dim), "dims " + to_string());
    seen |= 1U << d;
    shape[d] = 1;
  }
  return shape;
}

Shape Dims::without(const Shape& kept) const {
  if (are_all_) return {};
  std::uint32_t reduced = 0;
  for (const int dim : list_) reduced |= 1U << (dim < 0 ? dim + kept.rank() : dim);
  Shape shape;
  for (int d = 0; d < kept.rank(); ++d) {
    if (((reduced >> d) & 1U) == 0) shape.push_back(kept[d]);
  }
  return shape;
}

}  // namespace tandem
