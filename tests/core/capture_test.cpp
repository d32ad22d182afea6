// Captured kernels run again on the same memory, and what could not be repeated is noticed by the flow of values.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <tandem/core/array.h>
#include <tandem/core/capture.h>
#include <tandem/core/error.h>
#include <tandem/core/generator.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/normalise/layer_norm.h>
#include <tandem/core/kernels/normalise/softmax.h>
#include <tandem/core/kernels/product/matmul.h>
#include <tandem/core/kernels/reduce/reduce.h>

using namespace tandem;
using Doubles = std::vector<double>;

namespace {

/// What stands in the way of a replay of f.
template <class F>
std::string why_not(F f) {
  capture::Tape tape;
  {
    const capture::CaptureScope scope(tape);
    f();
  }
  CHECK_FALSE(capture::is_on());
  CHECK(tape.is_whole() == tape.why_not().empty());
  return tape.why_not();
}

}  // namespace

TEST_CASE("capture: kernels run again in their order, on what their inputs hold then") {
  Array x = Array::from({1, 2, 3}, {3}), total = Array::zeros({3});
  Array y, mean;
  capture::Tape tape;
  {
    const capture::CaptureScope scope(tape);
    y = kernels::add(kernels::square(x), 1);
    kernels::add_into(total, y);
    mean = kernels::mean(y);
  }
  REQUIRE(tape.why_not().empty());
  CHECK(tape.kernels() == 4);
  CHECK(y.to_vector<double>() == Doubles{2, 5, 10});
  x.copy_from(Array::from({3, 0, -1}, {3}));
  const std::uint64_t version = total.version(), of_x = x.version();
  REQUIRE(tape.is_in_place());
  tape.replay();
  CHECK(y.to_vector<double>() == Doubles{10, 1, 2});
  CHECK(total.to_vector<double>() == Doubles{12, 6, 12});
  CHECK(mean.item() == doctest::Approx(13.0 / 3));
  CHECK(total.version() > version);
  CHECK(x.version() == of_x);
}

TEST_CASE("capture: constants that are made inside are made again") {
  const Array x = Array::from({1, 2}, {2});
  Array sum;
  capture::Tape tape;
  {
    const capture::CaptureScope scope(tape);
    sum = Array::zeros({2});
    kernels::add_into(sum, x);
    kernels::add_into(sum, Array::full({2}, 5));
    kernels::add_into(sum, Array::scalar(1).expand({2}));
  }
  REQUIRE(tape.why_not().empty());
  tape.replay();
  tape.replay();
  CHECK(sum.to_vector<double>() == Doubles{7, 8});
}

TEST_CASE("capture: copies, views and other dtypes") {
  Array x = Array::from({1, 2, 3, 4, 5, 6}, {2, 3});
  Array turned, whole, gaps = Array::zeros({2, 6});
  capture::Tape tape;
  {
    const capture::CaptureScope scope(tape);
    turned = x.transpose(0, 1).contiguous();
    whole = turned.to(DType::i64);
    gaps.slice(1, 0, 6, 2).copy_from(x);
    gaps.slice(1, 1, 6, 2).fill(9);
  }
  REQUIRE(tape.why_not().empty());
  x.copy_from(kernels::multiply(x, 10));
  tape.replay();
  CHECK(whole.to_vector<double>() == Doubles{10, 40, 20, 50, 30, 60});
  CHECK(gaps.to_vector<double>() == Doubles{10, 9, 20, 9, 30, 9, 40, 9, 50, 9, 60, 9});
}

TEST_CASE("capture: products, reductions and softmax of large and small arrays have the same bits") {
  for (const std::int64_t n : {3, 40, 300}) {
    CAPTURE(n);
    Array a = kernels::multiply(Array::arange(n * n, DType::f32).reshape({n, n}), 1.0 / static_cast<double>(n * n));
    const auto compute = [&] {
      const Array product = kernels::matmul(a, kernels::sin(a).transpose(0, 1));
      return std::vector<Array>{product,
                                kernels::sum(product, {0}),
                                kernels::max(product, {1}, true),
                                kernels::softmax(product, 1),
                                kernels::log_softmax(product, 0),
                                kernels::linear(a, product, kernels::sum(a, {1})),
                                kernels::mean_squared_error(a, product)};
    };
    std::vector<Array> kept;
    capture::Tape tape;
    {
      const capture::CaptureScope scope(tape);
      kept = compute();
    }
    REQUIRE(tape.why_not().empty());
    a.copy_from(kernels::cos(a));
    tape.replay();
    const std::vector<Array> expected = compute();
    for (std::size_t i = 0; i < kept.size(); ++i) {
      CAPTURE(i);
      CHECK(identical(kept[i], expected[i]));
    }
  }
}

TEST_CASE("capture: memory that has moved is noticed") {
  const Array x = Array::from({1, 2}, {2});
  capture::Tape tape;
  {
    const capture::CaptureScope scope(tape);
    kernels::square(x);
  }
  CHECK(tape.is_in_place());
  x.storage()->move_to(std::make_shared<Buffer>(64), 0);
  CHECK_FALSE(tape.is_in_place());
}

TEST_CASE("capture: what a replay could not repeat makes the tape useless, and is named") {
  Array x = Array::from({1, 2, 3, 4}, {2, 2});
  const Array labels = Array::from({0, 1}, {2}, DType::i64);
  CHECK(why_not([&] { kernels::sum(x).item(); }) == "the host reads numbers");
  CHECK(why_not([&] { x.to_vector<double>(); }) == "the host reads numbers");
  CHECK(why_not([&] { x.at({0, 0}); }) == "the host reads numbers");
  CHECK(why_not([&] { identical(x, labels); }) == "the host reads numbers");
  CHECK(why_not([&] { kernels::all_finite(x); }) == "all_finite gives the host a number");
  CHECK(why_not([&] { Generator(1).uniform(); }) == "a Generator gives the host a number");
  CHECK(why_not([&] { Generator(1).below(5); }) == "a Generator gives the host a number");
  CHECK(why_not([&] { Generator(1).normal(); }) == "a Generator gives the host a number");
  CHECK(why_not([&] {
          Array drawn = Array::empty({2});
          Generator(1).fill_normal(drawn);
        }) == "memory is changed by what is not captured");
  CHECK(why_not([&] {  // memory that is not from Array::empty
          const auto storage = std::make_shared<Storage>(std::make_shared<Buffer>(64), 0, 64);
          kernels::square(Array::over(storage, {4}, {1}, DType::f32));
        }) == "square reads what no captured kernel has written");
  CHECK(why_not([&] {  // a row by hand, then another by a kernel that converts
          Array rows = Array::empty({2, 4}, DType::f16);
          rows.bytes()[0] = std::byte{1};
          rows.select(0, 1).copy_from(Array::full({4}, 1, DType::bf16));
          kernels::square(rows);
        }) == "square reads what no captured kernel has written");
  CHECK(why_not([&] { kernels::sum_of_squares(x); }) == "sum_of_squares gives the host a number");
  CHECK(why_not([&] { kernels::power(labels, labels); }) == "power of whole numbers looks at what came out");
  CHECK(why_not([&] {
          kernels::add(x, Array::from({1, 2, 3, 4}, {2, 2}));
        }) == "copy reads what no captured kernel has written");
  CHECK(why_not([&] { kernels::square(Array::empty({2})); }) == "square reads what no captured kernel has written");
  CHECK(why_not([&] {
          Array y = Array::zeros({2});  // filled, and then in other hands
          y.data<float>()[1] = 5;
          kernels::square(y);
        }) == "square reads what no captured kernel has written");
  CHECK(why_not([&] {
          Array y = Array::empty({2});
          float* const hidden = y.data<float>();  // taken before the kernel, written after it
          y.fill(0);
          hidden[1] = 5;
          kernels::square(y);
        }) == "square reads what no captured kernel has written");
  CHECK(why_not([&] { x.write<float>()[0] = 1; }) == "memory is changed by what is not captured");
  CHECK(why_not([&] { x.mark_changed(); }) == "memory is changed by what is not captured");
  // A kernel that takes no part: what it has made is not known.
  CHECK(why_not([&] {
          const Array weight = Array::full({2}, 1), bias = Array::zeros({2});
          kernels::square(kernels::layer_norm(x, weight, bias, 1, 1e-5).y);
        }) == "square reads what no captured kernel has written");
  CHECK(why_not([&] { kernels::add(x, x); }).empty());
}

TEST_CASE("capture: inside a capture there is no other, and an exception ends it") {
  capture::Tape tape, other;
  try {
    const capture::CaptureScope scope(tape);
    CHECK_THROWS_AS(capture::CaptureScope{other}, Error);
    kernels::add(Array::zeros({2}), Array::zeros({3}));
    CHECK(false);
  } catch (const Error&) {
    CHECK_FALSE(capture::is_on());
  }
}

TEST_CASE("capture: an exception in a replay leaves what was written marked") {
  Array x = Array::from({1, 2}, {1, 2}), labels = Array::from({0}, {1}, DType::i64);
  capture::Tape tape;
  {
    const capture::CaptureScope scope(tape);
    kernels::scale_into(x, 0.5);
    kernels::cross_entropy(x, labels, 0, -100, nullptr);
  }
  REQUIRE(tape.why_not().empty());
  labels.set({0}, 9);
  const std::uint64_t version = x.version();
  CHECK_THROWS_AS(tape.replay(), Error);
  CHECK(x.at({0, 1}) == 0.5);
  CHECK(x.version() > version);
}

TEST_CASE("capture: labels are checked in every replay") {
  const Array x = Array::from({1, 2, 3, 4}, {2, 2});
  Array labels = Array::from({0, 1}, {2}, DType::i64), loss;
  capture::Tape tape;
  {
    const capture::CaptureScope scope(tape);
    loss = kernels::cross_entropy(x, labels, 0, -100, nullptr);
  }
  REQUIRE(tape.why_not().empty());
  labels.set({0}, 2);
  CHECK_THROWS_WITH_AS(tape.replay(), "cross_entropy: label out of range: row 0 has 2, classes are 0..1", Error);
  labels.set({0}, -100);
  tape.replay();
  CHECK(loss.item() == kernels::cross_entropy(x, labels, 0, -100, nullptr).item());
}
