// An Array that nobody made, and Arrays without elements: an Error or the obvious, never a null pointer.
#include <doctest/doctest.h>

#include <functional>

#include <tandem/core/array.h>
#include <tests/core/random_arrays.h>

using namespace tandem;
using namespace tandem::testing;

TEST_CASE("whatever touches an undefined Array throws Error") {
  const std::vector<std::function<void(Array&)>> uses = {
      [](Array& x) { x.version(); },
      [](Array& x) { x.mark_changed(); },
      [](Array& x) { x.bytes(); },
      [](Array& x) { x.data<float>(); },
      [](Array& x) { x.write<float>(); },
      [](Array& x) { x.size(); },
      [](Array& x) { x.item(); },
      [](Array& x) { x.at({}); },
      [](Array& x) { x.to_vector<float>(); },
      [](Array& x) { x.reshape({1}); },
      [](Array& x) { x.expand({2}); },
      [](Array& x) { x.unsqueeze(0); },
      [](Array& x) { x.squeeze(0); },
      [](Array& x) { x.slice(0, 0, 0); },
      [](Array& x) { x.transpose(0, 0); },
      [](Array& x) { x.contiguous(); },
      [](Array& x) { x.to_layout(Layout::channels_last); },
      [](Array& x) { x.to(DType::f64); },
      [](Array& x) { x.clone(); },
      [](Array& x) { x.fill(1); },
      [](Array& x) { x.copy_from(Array::zeros({})); },
      [](Array& x) { Array::zeros({}).copy_from(x); },
      [](Array& x) { Array::empty_like(x); },
  };
  for (std::size_t i = 0; i < uses.size(); ++i) {
    CAPTURE(i);
    Array x;
    CHECK_THROWS_AS(uses[i](x), Error);
  }
  CHECK_FALSE(Array().defined());
  CHECK(Array().rank() == 0);
}

TEST_CASE("an Array without elements is contiguous and needs no copy") {
  for (const Shape& shape : {Shape{3, 0}, Shape{0, 3}, Shape{2, 0, 4}, Shape{2, 3, 0, 5}}) {
    const Array x = Array::zeros(shape);
    CAPTURE(shape.to_string());
    CHECK(x.is_contiguous());
    CHECK(x.contiguous().storage() == x.storage());
    CHECK(x.transpose(0, -1).is_contiguous());
    CHECK(x.layout() == Layout::row_major);
  }
  CHECK(Array::zeros({3, 4}).slice(1, 2, 2).is_contiguous());
  CHECK(Array::zeros({2, 0, 4, 5}, DType::f32, Layout::channels_last).layout() == Layout::channels_last);
}

TEST_CASE("write marks the change that data leaves to the caller") {
  Array x = Array::zeros({3});
  const auto before = x.version();
  x.data<float>()[0] = 1;
  CHECK(x.version() == before);
  x.write<float>()[1] = 2;
  CHECK(x.version() == before + 1);
  CHECK(x.to_vector<float>() == std::vector<float>{1, 2, 0});
  CHECK(message_of([&] { x.write<double>(); }) == "array: dtype differs: data is f32, f64 asked for");
}
