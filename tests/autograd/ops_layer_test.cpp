// The ops under layers and losses: products, convolution, pooling, batch norm, dropout, losses, by hand.
#include "ops_helpers.h"

#include <cmath>

#include <tandem/autograd/record.h>

using namespace tandem;
using namespace tandem::test;

TEST_CASE("matmul and linear by hand") {
  const Tensor a = leaf({1, 2, 3, 4}, {2, 2}), b = leaf({5, 6, 7, 8}, {2, 2});
  const Tensor y = matmul(a, b);
  check_values(y, {19, 22, 43, 50});
  sum(y).backward();
  check_values(a.grad(), {11, 15, 11, 15});
  check_values(b.grad(), {4, 4, 6, 6});

  const Tensor x = leaf({1, 2}, {1, 2}), w = leaf({1, 0, 3, 4}, {2, 2}), bias = leaf({10, 20}, {2});
  const Tensor z = linear(x, w, bias);
  check_values(z, {11, 31});
  sum(z).backward();
  check_values(x.grad(), {4, 4});
  check_values(w.grad(), {1, 2, 1, 2});
  check_values(bias.grad(), {1, 1});
}

TEST_CASE("conv2d by hand: a 2x2 kernel over 3x3") {
  const Tensor x = leaf({1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 1, 3, 3}), w = leaf({1, 0, 0, -1}, {1, 1, 2, 2}),
               b = leaf({10}, {1});
  const Tensor y = conv2d(x, w, b);
  check_values(y, {6, 6, 6, 6});
  sum(y).backward();
  check_values(w.grad(), {12, 16, 24, 28});
  check_values(b.grad(), {4});
  check_values(x.grad(), {1, 1, 0, 1, 0, -1, 0, -1, -1});
}

TEST_CASE("conv2d keeps channels-last and its frozen parts save nothing") {
  const Tensor x(Array::full({2, 4, 6, 6}, 1).to_layout(Layout::channels_last));
  const Tensor w(Array::full({8, 4, 3, 3}, 0.5), true);
  const std::int64_t before = graph_stats().saved_bytes;
  const Tensor y = conv2d(x, w, {.padding = 1});
  CHECK(y.value().is_channels_last());
  CHECK(graph_stats().saved_bytes - before == 2 * 4 * 6 * 6 * 4);  // x for dw; w only serves dx
}

TEST_CASE("pooling by hand") {
  const Tensor x = leaf({1, 2, 5, 4, 3, 6, 7, 8, 9, 1, 1, 1, 0, 0, 2, 3}, {1, 1, 4, 4});
  const Tensor largest = max_pool2d(x, {.kernel = 2});
  check_values(largest, {6, 8, 9, 3});
  check_values(grad({sum(largest)}, {x}).front(), {0, 0, 0, 0, 0, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1});
  const Tensor average = average_pool2d(x, {.kernel = 2});
  check_values(average, {3, 6, 2.5, 1.75});
  check_values(grad({sum(average)}, {x}).front(), std::vector<double>(16, 0.25));
  const Tensor all = global_average_pool2d(x);
  check_values(all, {53.0 / 16});
  check_values(grad({sum(all)}, {x}).front(), std::vector<double>(16, 1.0 / 16));
}

TEST_CASE("batch norm by hand: statistics, values, gradients") {
  const Tensor x = leaf({1, 3, 5, 7}, {4, 1}), w = leaf({2}, {1}), b = leaf({1}, {1});
  Array mean, variance;
  const Tensor y = batch_norm(x, w, b, {.epsilon = 0}, {}, &mean, &variance);
  check_values(mean, {4});
  check_values(variance, {5});
  const double s = 2 / std::sqrt(5);
  check_values(y, {1 - 3 * s, 1 - s, 1 + s, 1 + 3 * s});
  sum(y).backward();
  check_values(x.grad(), {0, 0, 0, 0});
  check_values(w.grad(), {0});
  check_values(b.grad(), {4});
}

TEST_CASE("batch norm with relu and residual equals the three ops") {
  Generator generator(5);
  const auto random = [&](const Shape& shape) {
    Array a = Array::empty(shape);
    generator.fill_normal(a);
    return Tensor(a, true);
  };
  const Tensor x = random({4, 3, 5, 5}), w = random({3}), b = random({3}), residual = random({4, 3, 5, 5});
  const Tensor one = batch_norm(x, w, b, {.relu = true}, residual), three = relu(batch_norm(x, w, b) + residual);
  check_values(one, three.value().to_vector<double>());
  const Tensor dy = random({4, 3, 5, 5}).detach();
  const std::vector<Tensor> left = grad({one}, {x, w, b, residual}, {.seeds = {dy}}),
                            right = grad({three}, {x, w, b, residual}, {.seeds = {dy}});
  for (std::size_t i = 0; i < left.size(); ++i) {
    check_values(left[i].value(), right[i].value().to_vector<double>(), 1e-4);
  }
}

TEST_CASE("batch norm with relu and no join equals the two ops, and its output is not kept for backward") {
  Generator generator(6);
  const auto random = [&](const Shape& shape) {
    Array a = Array::empty(shape);
    generator.fill_normal(a);
    return Tensor(a, true);
  };
  const Tensor x = random({4, 3, 5, 5}), w = random({3}), b = random({3}), dy = random({4, 3, 5, 5}).detach();
  const Tensor one = batch_norm(x, w, b, {.relu = true}), two = relu(batch_norm(x, w, b));
  check_values(one, two.value().to_vector<double>());
  const std::vector<Tensor> right = grad({two}, {x, w, b}, {.seeds = {dy}});
  Array changed = one.value();
  changed.fill(-1);  // a saved output would be missed
  const std::vector<Tensor> left = grad({one}, {x, w, b}, {.seeds = {dy}});
  for (std::size_t i = 0; i < left.size(); ++i)
    check_values(left[i].value(), right[i].value().to_vector<double>(), 1e-4);
}

TEST_CASE("normalisation of bf16 with parameters of f32: outputs are bf16, gradients have their inputs' dtype") {
  Generator generator(7);
  const auto random = [&](const Shape& shape, DType dtype) {
    Array a = Array::empty(shape);
    generator.fill_normal(a);
    return Tensor(a.to(dtype), true);
  };
  const Tensor x = random({4, 8, 3, 3}, DType::bf16), w = random({8}, DType::f32), b = random({8}, DType::f32);
  const Array mean = Array::zeros({8}), variance = Array::full({8}, 1);
  for (const Tensor& y :
       {batch_norm(x, w, b, {.relu = true}), batch_norm(x, w, b, {.relu = true}, x),
        batch_norm_evaluate(x, w, b, mean, variance, {.relu = true}), group_norm(x, w, b, {.groups = 2})}) {
    CHECK(y.value().dtype() == DType::bf16);
    const std::vector<Tensor> all = grad({sum(y)}, {x, w, b});
    CHECK(all[0].value().dtype() == DType::bf16);
    CHECK(all[1].value().dtype() == DType::f32);
    CHECK(all[2].value().dtype() == DType::f32);
  }
}

TEST_CASE("batch norm with given statistics is an affine map") {
  const Tensor x = leaf({1, 3, 5, 7}, {4, 1}), w = leaf({2}, {1}), b = leaf({1}, {1});
  const Tensor y =
      batch_norm_evaluate(x, w, b, Array::from({3}, {1}), Array::from({4}, {1}), {.epsilon = 0, .relu = true});
  check_values(y, {0, 1, 3, 5});
  sum(y).backward();
  check_values(x.grad(), {0, 1, 1, 1});
  check_values(w.grad(), {3});
  check_values(b.grad(), {3});
}

TEST_CASE("dropout keeps the mean, gives its mask to the gradient, and repeats with its generator") {
  const Tensor x(Array::full({100, 100}, 1), true);
  Generator generator(1), again(1);
  const Tensor y = dropout(x, 0.25, generator);
  CHECK(mean(y).item() == doctest::Approx(1).epsilon(0.02));
  for (const double v : y.value().to_vector<double>()) CHECK((v == 0 || v == doctest::Approx(4.0 / 3)));
  CHECK(identical(grad({sum(y)}, {x}).front().value(), y.value()));
  CHECK(identical(dropout(x, 0.25, again).value(), y.value()));
  CHECK_FALSE(identical(dropout(x, 0.25, again).value(), y.value()));
  CHECK(dropout(x, 0, generator).state() == x.state());
}

TEST_CASE("cross-entropy by hand: plain, smoothed, with ignored rows") {
  const Tensor x = leaf({0, std::log(3.0), 0, 0}, {2, 2});
  const Tensor plain = cross_entropy(x, labels({1, 0}));
  CHECK(plain.item() == doctest::Approx((std::log(4.0 / 3) + std::log(2.0)) / 2));
  check_values(grad({plain}, {x}).front(), {0.125, -0.125, -0.25, 0.25});
  const Tensor smoothed = cross_entropy(x, labels({1, 0}), {.label_smoothing = 0.2});
  CHECK(smoothed.item() == doctest::Approx((0.9 * std::log(4.0 / 3) + 0.1 * std::log(4.0) + std::log(2.0)) / 2));
  const Tensor ignored = cross_entropy(x, labels({1, -100}));
  CHECK(ignored.item() == doctest::Approx(std::log(4.0 / 3)));
  check_values(grad({ignored}, {x}).front(), {0.25, -0.25, 0, 0});
}

TEST_CASE("cross-entropy of bf16 logits: an f32 loss, bf16 gradients, fused and recorded, also of second order") {
  const Array numbers = Array::from({0, 1.5, -2, 0.25, 3, -1}, {2, 3});  // without error in bf16
  const Tensor wide(numbers, true), x(numbers.to(DType::bf16), true);
  const auto gradient = [](const Tensor& v, bool create_graph) {
    const Tensor loss = cross_entropy(v, labels({1, 0}), {.label_smoothing = 0.1});
    CHECK(loss.dtype() == DType::f32);
    return grad({loss}, {v}, {.create_graph = create_graph}).front();
  };
  constexpr double kRounding = 1.0 / 256;
  CHECK(identical(gradient(x, false).value(), gradient(wide, false).value().to(DType::bf16)));
  const Tensor recorded = gradient(x, true), twin = gradient(wide, true);
  CHECK(recorded.dtype() == DType::bf16);
  check_values(recorded.value(), twin.value().to_vector<double>(), kRounding);
  const Tensor second = grad({sum(square(recorded))}, {x}).front();
  CHECK(second.dtype() == DType::bf16);
  check_values(second.value(), grad({sum(square(twin))}, {wide}).front().value().to_vector<double>(), kRounding);
}

TEST_CASE("squared error and binary cross-entropy by hand") {
  const Tensor x = leaf({1, 4}, {2}), t = leaf({0, 2}, {2});
  const Tensor squared = mse_loss(x, t);
  check_values(squared, {2.5});
  squared.backward();
  check_values(x.grad(), {1, 2});
  check_values(t.grad(), {-1, -2});
  const Tensor z = leaf({0, 1000}, {2}), q = leaf({1, 1}, {2});
  const Tensor loss = binary_cross_entropy_with_logits(z, q);
  CHECK(loss.item() == doctest::Approx(std::log(2.0) / 2));
  loss.backward();
  check_values(z.grad(), {-0.25, 0});
  check_values(q.grad(), {0, -500});
}

TEST_CASE("errors name the op, the shapes and the offending value") {
  const Tensor x = leaf({1, 2, 3, 4}, {2, 2});
  const auto message_has = [](const std::string& message, const std::vector<std::string>& parts) {
    for (const std::string& part : parts) CHECK_MESSAGE(message.find(part) != std::string::npos, message);
  };
  message_has(message_of([&] { matmul(x, leaf({1, 2, 3}, {3, 1})); }), {"matmul:", "[2, 2]", "[3, 1]"});
  message_has(message_of([&] { linear(x, leaf({1, 2, 3}, {1, 3})); }), {"linear:", "[2, 2]", "[1, 3]"});
  const Tensor image(Array::zeros({8, 3, 32, 32})), w(Array::zeros({32, 16, 3, 3}));
  message_has(message_of([&] { conv2d(image, w); }), {"conv2d:", "3 channels", "[8, 3, 32, 32]", "[32, 16, 3, 3]"});
  CHECK(message_of([&] {
          conv2d(image, Tensor(Array::zeros({4, 3, 3, 3})), x);
        }) == "conv2d: b is [2, 2], must be [4]: x [8, 3, 32, 32], w [4, 3, 3, 3]");
  Generator generator(1);
  CHECK(message_of([&] { dropout(x, 1.5, generator); }) == "dropout: probability must be in [0, 1): 1.5 given");
  CHECK(message_of([&] {
          cross_entropy(x, labels({0, 1}), {.label_smoothing = 1.5});
        }) == "cross_entropy: smoothing is 1.5, must be in [0, 1]: 0 is none");
  message_has(message_of([&] { cross_entropy(x, labels({0, 7})); }), {"cross_entropy:", "7"});
  CHECK(message_of([&] {
          mse_loss(x, leaf({1, 2}, {2}));
        }) == "mse_loss: x and target must have the same shape: x [2, 2], target [2]");
  message_has(message_of([&] { max_pool2d(x, {.kernel = 2}); }), {"max_pool2d:", "[2, 2]"});
  message_has(message_of([&] { batch_norm(image, leaf({1}, {1}), leaf({1}, {1})); }), {"batch_norm:", "[1]"});
}
