// Copies of transposed matrices and images, at sizes round every edge of the tiles, for every size of an element.
#include <doctest/doctest.h>

#include <tandem/core/array.h>
#include <tandem/core/threads.h>

using namespace tandem;

namespace {

Array counted(const Shape& shape, DType dtype) { return Array::arange(shape.count()).to(dtype).reshape(shape); }

}  // namespace

TEST_CASE("a transposed matrix copies to what its elements say") {
  for (const DType dtype : {DType::u8, DType::f16, DType::f32, DType::i64})
    for (const std::int64_t rows : {1, 2, 3, 7, 8, 15, 16, 17, 33, 65, 130})
      for (const std::int64_t columns : {1, 2, 5, 8, 16, 31, 64, 67, 129}) {
        const Array x = counted({rows, columns}, dtype), y = x.transpose(0, 1).contiguous();
        REQUIRE(y.shape() == Shape{columns, rows});
        REQUIRE(y.is_contiguous());
        const auto from = x.to_vector<double>(), to = y.to_vector<double>();
        std::int64_t wrong = 0;
        for (std::int64_t r = 0; r < rows; ++r)
          for (std::int64_t c = 0; c < columns; ++c)
            wrong += from[static_cast<std::size_t>(r * columns + c)] != to[static_cast<std::size_t>(c * rows + r)];
        CAPTURE(rows);
        CAPTURE(columns);
        CAPTURE(name(dtype));
        CHECK(wrong == 0);
      }
}

TEST_CASE("images change their layout and come back, on any number of threads") {
  const int before = threads();
  for (const int team : {1, 3}) {
    set_threads(team);
    for (const DType dtype : {DType::u8, DType::bf16, DType::f32, DType::f64})
      for (const Shape& shape : {Shape{1, 64, 40, 40}, Shape{3, 5, 33, 17}, Shape{2, 130, 7, 9}}) {
        const Array x = counted(shape, dtype), last = x.to_layout(Layout::channels_last);
        CHECK(last.is_channels_last());
        CHECK(identical(last, x));
        CHECK(identical(last.contiguous(), x));
        CHECK(identical(last.transpose(2, 3).contiguous(), x.transpose(2, 3).contiguous()));
      }
  }
  set_threads(before);
}
