// See join.h.
#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/data/join.h>

namespace tandem {

Dataset join(const Dataset& a, const Dataset& b) {
  Shape shape = a.images.shape(), other = b.images.shape();
  const std::int64_t count = shape[0], more = other[0];
  shape[0] = other[0] = count + more;
  if (shape != other || a.classes != b.classes)
    fail("join", shape != other ? "pictures have other sizes" : "classes differ",
         fmt::format("{} {}, {} {}", a.name, a.images.shape().to_string(), b.name, b.images.shape().to_string()));
  Dataset both = a;
  both.images = Array::empty(shape, DType::u8, Layout::channels_last);
  both.labels = Array::empty({count + more}, DType::i64);
  both.images.slice(0, 0, count).copy_from(a.images);
  both.images.slice(0, count, count + more).copy_from(b.images);
  both.labels.slice(0, 0, count).copy_from(a.labels);
  both.labels.slice(0, count, count + more).copy_from(b.labels);
  return both;
}

}  // namespace tandem
