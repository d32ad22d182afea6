// See overlap.h.
#include <tandem/core/overlap.h>

#include <cstdint>

#include <fmt/format.h>

#include <tandem/core/error.h>

namespace tandem {

namespace {

struct Range {
  std::uintptr_t begin, end;
};

Range range_of(const Array& x) {
  std::int64_t lowest = 0, highest = 0;  // in elements, from the first
  for (int d = 0; d < x.rank(); ++d) {
    const std::int64_t reach = (x.shape(d) - 1) * x.stride(d);
    (reach < 0 ? lowest : highest) += reach;
  }
  const auto first = reinterpret_cast<std::uintptr_t>(x.bytes());
  const auto width = static_cast<std::int64_t>(size_of(x.dtype()));
  return {first + static_cast<std::uintptr_t>(lowest * width),
          first + static_cast<std::uintptr_t>((highest + 1) * width)};
}

}  // namespace

bool overlaps(const Array& a, const Array& b) {
  if (a.size() == 0 || b.size() == 0) return false;
  // Memory of its own meets that of no other Storage.
  if (a.storage() != b.storage() && !(a.storage()->buffer() && b.storage()->buffer())) return false;
  const Range p = range_of(a), q = range_of(b);
  return p.begin < q.end && q.begin < p.end;
}

bool is_same_view(const Array& a, const Array& b) {
  if (a.dtype() != b.dtype() || !(a.shape() == b.shape()) || a.bytes() != b.bytes()) return false;
  for (int d = 0; d < a.rank(); ++d)
    if (a.shape(d) > 1 && a.stride(d) != b.stride(d)) return false;
  return true;
}

void require_writable(const char* where, const char* name, const Array& y) {
  require_defined(where, name, y);
  for (int d = 0; d < y.rank(); ++d) {
    if (y.shape(d) < 2 || y.stride(d) != 0) continue;
    fail(where, fmt::format("{} shows a number more than once and cannot be written", name),
         fmt::format("shape {}, strides {}", y.shape().to_string(), y.strides().to_string()),
         "write into a clone() of it");
  }
}

Array apart_from(const Array& x, const Array& y) { return overlaps(x, y) && !is_same_view(x, y) ? x.clone() : x; }

}  // namespace tandem
