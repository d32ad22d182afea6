// Array: making, viewing, copying, printing, and the layout rule.
#include <doctest/doctest.h>

#include <string>

#include <tandem/core/array.h>
#include <tandem/core/error.h>
#include <tandem/core/generator.h>
#include <tandem/core/layout.h>

using namespace tandem;

namespace {

std::string message_of(auto&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("an array holds its values in row-major order") {
  const Array x = Array::from({1, 2, 3, 4, 5, 6}, {2, 3});
  CHECK(x.shape() == Shape{2, 3});
  CHECK(x.strides() == Strides{3, 1});
  CHECK(x.at({1, 0}) == 4);
  CHECK(x.to_vector<double>() == std::vector<double>{1, 2, 3, 4, 5, 6});
  CHECK(message_of([] { Array::from({1, 2}, {3}); }) == "array: number of values does not fit: 2 values for shape [3]");
}

TEST_CASE("views share storage and copies do not") {
  Array x = Array::from({1, 2, 3, 4, 5, 6}, {2, 3});
  Array t = x.transpose(0, 1), s = x.slice(1, 0, 3, 2), c = x.clone();
  x.set({1, 2}, 60);
  CHECK(t.at({2, 1}) == 60);
  CHECK(s.shape() == Shape{2, 2});
  CHECK(s.at({1, 1}) == 60);
  CHECK(c.at({1, 2}) == 6);
  CHECK(t.storage() == x.storage());
  CHECK(t.contiguous().to_vector<float>() == std::vector<float>{1, 4, 2, 5, 3, 60});
}

TEST_CASE("every write marks a change that all handles see") {
  Array x = Array::zeros({4});
  const Array view = x.slice(0, 1, 3);
  const auto before = view.version();
  x.fill(2);
  CHECK(view.version() == before + 1);
  x.copy_from(Array::full({4}, 3));
  CHECK(view.version() == before + 2);
  CHECK(view.at({0}) == 3);
}

TEST_CASE("a const Array shows its memory and does not give it away to be written") {
  const Array x = Array::zeros({4});
  Array y = x;
  static_assert(std::is_same_v<decltype(x.data<float>()), const float*>);
  static_assert(std::is_same_v<decltype(x.bytes()), const std::byte*>);
  static_assert(std::is_same_v<decltype(Array().data<float>()), float*>);  // Tensor::mutable_value() gives such a one
  static_assert(std::is_same_v<decltype(Array().write<float>()), float*>);
  static_assert(std::is_same_v<decltype(x.storage()->data()), const std::byte*>);
  static_assert(std::is_same_v<decltype(y.storage()->data()), const std::byte*>);
  const auto can_write = []<class A>(A&) {
    return requires(A & a) { a.template write<float>(); };
  };
  CHECK_FALSE(can_write(x));
  CHECK(can_write(y));
  const auto before = x.version();
  y.write<float>()[1] = 5;
  CHECK(x.version() == before + 1);
  CHECK(x.at({1}) == 5);
  CHECK(x.bytes() == x.storage()->data());
}

TEST_CASE("reshape is a view where strides allow and follows the logical order where not") {
  const Array x = Array::arange(24, DType::f32).reshape({2, 3, 4});
  CHECK(x.reshape({6, 4}).storage() == x.storage());
  CHECK(x.reshape({-1}).shape() == Shape{24});
  CHECK(x.reshape({2, 1, 3, 2, 2}).at({1, 0, 2, 1, 1}) == 23);
  const Array t = x.transpose(1, 2);  // [2, 4, 3]
  CHECK(t.reshape({2, 12}).storage() != x.storage());
  CHECK(t.reshape({2, 12}).at({0, 1}) == 4);
  CHECK(t.reshape({2, 2, 2, 3}).storage() == x.storage());
  CHECK(t.reshape({2, 2, 2, 3}).at({1, 1, 0, 2}) == 12 + 8 + 2);
  CHECK(Array::zeros({0, 3}).reshape({3, 0}).shape() == Shape{3, 0});
  CHECK(message_of([&] { x.reshape({5, 5}); }) == "reshape: number of elements differs: [2, 3, 4] to [5, 5]");
}

TEST_CASE("reshape equals reshape of the plain copy for random views") {
  Generator g(3);
  for (int trial = 0; trial < 200; ++trial) {
    Array x = Array::arange(2 * 3 * 4 * 5, DType::f32).reshape({2, 3, 4, 5});
    std::vector<int> order = {0, 1, 2, 3};
    for (int i = 3; i > 0; --i)
      std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(g.below(i + 1))]);
    x = x.permute(order);
    if (g.below(2)) x = x.slice(static_cast<int>(g.below(4)), 0, 2);
    const Array plain = x.contiguous();
    for (const Shape& shape : {Shape{x.size()}, Shape{x.shape(0) * x.shape(1), x.shape(2) * x.shape(3)},
                               Shape{x.shape(0), x.shape(1) * x.shape(2), x.shape(3)}, Shape{x.shape(0), 1, -1}}) {
      CHECK(identical(x.reshape(shape), plain.reshape(shape)));
    }
  }
}

TEST_CASE("negative indices of slices and elements count from the back") {
  const Array x = Array::from({1, 2, 3, 4, 5, 6}, {2, 3});
  CHECK(x.slice(1, -2, -1).to_vector<double>() == std::vector<double>{2, 5});
  CHECK(x.slice(1, -3, 3, 2).to_vector<double>() == std::vector<double>{1, 3, 4, 6});
  CHECK(x.select(0, -1).to_vector<double>() == std::vector<double>{4, 5, 6});
}

TEST_CASE("channels-last reads N, C, H, W and lies N, H, W, C") {
  const Array x = Array::arange(2 * 3 * 2 * 2, DType::f32).reshape({2, 3, 2, 2});
  const Array y = x.to_layout(Layout::channels_last);
  CHECK(y.strides() == Strides{12, 1, 6, 3});
  CHECK(y.is_channels_last());
  CHECK_FALSE(y.is_contiguous());
  CHECK(identical(x, y));
  CHECK(y.layout() == Layout::channels_last);
  CHECK(y.clone().is_channels_last());
  CHECK(identical(y.reshape({2, 12}), x.reshape({2, 12})));
  CHECK(y.slice(1, 0, 2).layout() == Layout::channels_last);
  CHECK(y.slice(2, 0, 2, 2).slice(3, 0, 2, 2).layout() == Layout::channels_last);
}

TEST_CASE("the layout rule: the first input that can be read in one way only decides") {
  const Array plain = Array::zeros({2, 3, 4, 4});
  const Array last = Array::zeros({2, 3, 4, 4}, DType::f32, Layout::channels_last);
  const Array one_channel = Array::zeros({2, 1, 4, 4});
  const Array pixel = Array::zeros({2, 3, 1, 1}, DType::f32, Layout::channels_last);
  const Array matrix = Array::zeros({2, 3});
  CHECK(is_ambiguous(one_channel.shape()));
  CHECK(is_ambiguous(pixel.shape()));
  CHECK_FALSE(is_ambiguous(plain.shape()));
  CHECK(one_channel.is_channels_last());
  CHECK(one_channel.is_contiguous());
  CHECK(propagate_layout(4, {&plain, &last}) == Layout::row_major);
  CHECK(propagate_layout(4, {&last, &plain}) == Layout::channels_last);
  CHECK(propagate_layout(4, {&one_channel, &last}) == Layout::channels_last);
  CHECK(propagate_layout(4, {&matrix, &last}) == Layout::channels_last);
  CHECK(propagate_layout(4, {&pixel}) == Layout::channels_last);
  CHECK(propagate_layout(4, {&one_channel}) == Layout::row_major);
  CHECK(propagate_layout(2, {&last}) == Layout::row_major);
  CHECK(Array::zeros({2, 1, 4, 4}, DType::f32, Layout::channels_last).layout() == Layout::channels_last);
}

TEST_CASE("copies between all layouts and types keep the values") {
  Generator g(5);
  for (const Shape& shape : {Shape{2, 3, 5, 7}, Shape{1, 17, 33, 1}, Shape{4, 64, 8, 8}, Shape{3, 1, 2, 2}}) {
    Array x = Array::empty(shape);
    g.fill_uniform(x, 0, 200);
    for (Layout a : {Layout::row_major, Layout::channels_last}) {
      const Array y = x.to_layout(a);
      CHECK(identical(y.to(DType::f64).to(DType::f32), x));
      CHECK(identical(y.to(DType::u8).to(DType::i64), x.to(DType::i64)));
      CHECK(identical(y.permute({2, 0, 3, 1}).contiguous().permute({1, 3, 0, 2}), x));
    }
  }
}

TEST_CASE("bf16 rounds to nearest even") {
  CHECK(static_cast<float>(bfloat16(1.0f)) == 1.0f);
  CHECK(static_cast<float>(bfloat16(1.00390625f)) == 1.0f);       // half way, to even
  CHECK(static_cast<float>(bfloat16(1.01171875f)) == 1.015625f);  // half way, to even
  CHECK(static_cast<float>(bfloat16(3.3895314e38f)) == 3.3895314e38f);
  CHECK(Array::from({1.5, -2}, {2}, DType::bf16).to_vector<double>() == std::vector<double>{1.5, -2});
}

TEST_CASE("errors name what is wrong with its facts") {
  const Array x = Array::zeros({2, 3});
  CHECK(message_of([&] { (void)x.data<double>(); }) == "array: dtype differs: data is f32, f64 asked for");
  CHECK(message_of([&] { x.slice(1, 2, 4); }) ==
        "slice: 2:4:1 does not fit dim 1 of size 3: x [2, 3]; 0 <= begin <= end <= size and step >= 1");
  CHECK(message_of([&] { x.permute({0, 0}); }) == "permute: not a permutation of the dims: [0, 0] of [2, 3]");
  CHECK(message_of([&] { x.expand({2, 4}); }) == "expand: shapes do not fit: [2, 3] to [2, 4]");
  CHECK(message_of([&] { x.item(); }) == "item: not a single element: [2, 3]");
  CHECK(message_of([&] { x.select(0, 2); }) == "select: index out of range: 2 in dim 0 of [2, 3]");
  CHECK(message_of([&] { x.select(0, -3); }) == "select: index out of range: -3 in dim 0 of [2, 3]");
  CHECK(message_of([&] { Array().clone(); }) == "clone: x is not defined");
  CHECK(message_of([&] { x.unsqueeze(5); }) == "unsqueeze: dim out of range: dim 5 of an array of rank 3");
  CHECK(message_of([&] { x.squeeze(0); }) == "squeeze: size is not 1: dim 0 of [2, 3]");
  CHECK(message_of([&] { Array::zeros({-1}); }) == "array: negative size: [-1]");
}

TEST_CASE("printing is for people") {
  CHECK(Array::from({1, 2, 3, 4}, {2, 2}).to_string() == "[[1, 2],\n [3, 4]]  [2, 2] f32");
  CHECK(Array::from({0.5, -10}, {2}, DType::f64).to_string() == "[0.5, -10]  [2] f64");
  CHECK(Array::scalar(7, DType::i64).to_string() == "7  [] i64");
  CHECK(Array::arange(2000).to_string() == "[   0,    1,    2, ..., 1997, 1998, 1999]  [2000] i64");
  CHECK(Array().to_string() == "undefined");
}
