// autocast: which dtypes go in and come out, gradients against f32 within the bound of the roundings on their way, and
// the same bits as f32 where nothing has to be rounded, also for second derivatives.
#include <doctest/doctest.h>

#include <cmath>
#include <thread>

#include <tandem/autograd/array_ops.h>
#include <tandem/autograd/autocast.h>
#include <tandem/autograd/backward.h>
#include <tandem/autograd/ops.h>
#include <tandem/autograd/sequence_ops.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/product/bf16_matmul.h>

using namespace tandem;

namespace {

/// What a bf16 scope computes in on this processor.
DType narrow() { return kernels::has_bf16_instructions() ? DType::bf16 : DType::f32; }

Tensor uniform(Generator& g, const Shape& shape, double low, double high) {
  Array x = Array::empty(shape);
  g.fill_uniform(x, low, high);
  return Tensor(x, true);
}

/// Whole numbers of [-3, 3]: sums of their products are exact in bf16 up to 256.
Tensor whole(Generator& g, const Shape& shape) {
  Array x = Array::empty(shape);
  for (std::int64_t i = 0; i < x.size(); ++i) x.data<float>()[i] = static_cast<float>(g.below(7) - 3);
  return Tensor(x, true);
}

std::vector<Tensor> gradients_of(const Tensor& y, const std::vector<Tensor>& inputs) {
  return grad({y}, inputs, {.create_graph = true, .allow_unused = true});
}

/// f in f32 and in a bf16 scope, where both give the same Tensors.
template <class F>
void same_in_both(F f) {
  const std::vector<Tensor> expected = f();
  const AutocastScope scope = autocast(DType::bf16);
  const std::vector<Tensor> got = f();
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    REQUIRE(got[i].defined() == expected[i].defined());
    if (got[i].defined()) CHECK(identical(got[i].value().to(DType::f32), expected[i].value()));
  }
}

}  // namespace

TEST_CASE("autocast: scopes nest, end, and belong to a thread") {
  CHECK(autocast_dtype() == DType::f32);
  {
    const AutocastScope outer = autocast(DType::bf16);
    CHECK(autocast_dtype() == narrow());
    {
      const AutocastScope inner = autocast(DType::f32);
      CHECK(autocast_dtype() == DType::f32);
    }
    CHECK(autocast_dtype() == narrow());
    DType elsewhere = DType::u8;
    std::thread([&] { elsewhere = autocast_dtype(); }).join();
    CHECK(elsewhere == DType::f32);
  }
  CHECK(autocast_dtype() == DType::f32);
  CHECK_THROWS_WITH_AS([] { const AutocastScope scope = autocast(DType::f16); }(),
                       "autocast: dtype is f16, must be bf16 or f32", Error);
}

TEST_CASE("autocast: products give bf16, all gradients have the dtype of what they belong to") {
  Generator g(1);
  const AutocastScope scope = autocast(DType::bf16);
  const Tensor x = uniform(g, {2, 8, 6, 6}, -1, 1), w = uniform(g, {16, 8, 3, 3}, -1, 1), b = uniform(g, {16}, -1, 1);
  const Tensor y = conv2d(x, w, b, {.padding = 1});
  CHECK(y.dtype() == narrow());
  CHECK(relu(y).dtype() == narrow());
  const Tensor up = uniform(g, {16, 8, 2, 2}, -1, 1), up_b = uniform(g, {8}, -1, 1);
  const Tensor z = conv_transpose2d(relu(y), up, up_b, {.stride = 2});
  CHECK(z.dtype() == narrow());
  const Tensor v = uniform(g, {10, 8 * 12 * 12}, -1, 1), c = uniform(g, {10}, -1, 1);
  const Tensor logits = linear(flatten(z), v, c);
  CHECK(logits.dtype() == narrow());
  const Tensor loss = cross_entropy(logits, Array::from(std::vector<std::int64_t>{1, 2}, {2}));
  CHECK(loss.dtype() == DType::f32);
  loss.backward();
  for (const Tensor& leaf : {x, w, b, up, up_b, v, c}) CHECK(leaf.grad().dtype() == DType::f32);
}

TEST_CASE("autocast: f64 stays f64, and what forward did holds for backward outside of the scope") {
  Generator g(2);
  const Tensor x = uniform(g, {8, 32}, -1, 1), w = uniform(g, {16, 32}, -1, 1);
  const auto inside = [&] {
    const AutocastScope scope = autocast(DType::bf16);
    CHECK(linear(x.to(DType::f64), w.to(DType::f64)).dtype() == DType::f64);
    return linear(x, w);
  };
  const auto gradient_of_w = [&](const Tensor& y) { return grad({sum(y)}, {w})[0].value(); };
  const Tensor y = inside();
  const Array outside = gradient_of_w(y);
  const Tensor plain = linear(x, w);
  const Array expected = gradient_of_w(linear(x, w));
  const AutocastScope scope = autocast(DType::bf16);
  CHECK(identical(gradient_of_w(linear(x, w)), outside));
  CHECK(identical(gradient_of_w(plain), expected));
  CHECK((narrow() == DType::f32 || !identical(outside, expected)));
}

TEST_CASE("autocast: gradients of a small net keep the bound of the roundings on their way") {
  // All numbers are positive, so nothing cancels, and each rounding is a factor of at most 1 + 2^-8. On the way to the
  // gradient of a weight of any of the three layers lie six of them: of the outputs, of their gradients, of weights and
  // of the image. Sums in f32 add less than 1e-4.
  const double bound = std::pow(1 + std::ldexp(1, -8), 6) - 1 + 1e-4;
  Generator g(3);
  const Tensor x = uniform(g, {4, 3, 8, 8}, 0.1, 1), w1 = uniform(g, {16, 3, 3, 3}, 0.1, 1),
               w2 = uniform(g, {24, 16, 3, 3}, 0.1, 1), w3 = uniform(g, {10, 24 * 16}, 0.1, 1);
  const Tensor b1 = uniform(g, {16}, 0.1, 1), b2 = uniform(g, {24}, 0.1, 1), b3 = uniform(g, {10}, 0.1, 1);
  const std::vector<Tensor> leaves{w1, b1, w2, b2, w3, b3};
  const auto gradients = [&] {
    const Tensor h = relu(conv2d(x, w1, b1, {.padding = 1}));
    const Tensor y = linear(flatten(relu(conv2d(h, w2, b2, {.stride = 2, .padding = 1}))), w3, b3);
    return grad({mean(to(y, DType::f32))}, leaves);
  };
  const std::vector<Tensor> exact = gradients();
  const AutocastScope scope = autocast(DType::bf16);
  const std::vector<Tensor> got = gradients(), again = gradients();
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CHECK(identical(got[i].value(), again[i].value()));
    const std::vector<double> p = got[i].value().to_vector<double>(), q = exact[i].value().to_vector<double>();
    for (std::size_t j = 0; j < p.size(); ++j) worst = std::max(worst, std::fabs(p[j] / q[j] - 1));
  }
  CHECK(worst <= bound);
  CHECK((narrow() == DType::f32 || worst > 0));
}

TEST_CASE("autocast: whole numbers give the same bits as f32, values, gradients and gradients of gradients") {
  Generator g(4);
  const Tensor x = whole(g, {2, 3, 6, 6}), w = whole(g, {4, 3, 3, 3}), b = whole(g, {4});
  const auto orders = [](const std::vector<Tensor>& inputs, const Tensor& y, const Tensor& p) {
    std::vector<Tensor> all{y};
    const std::vector<Tensor> first = gradients_of(sum(y * p), inputs);
    all.insert(all.end(), first.begin(), first.end());
    const std::vector<Tensor> second = gradients_of(sum(first[0]) + sum(first[1]), inputs);
    all.insert(all.end(), second.begin(), second.end());
    return all;
  };
  const Tensor ones = Tensor(Array::full({1}, 1));
  same_in_both([&] { return orders({x, w, b}, conv2d(x, w, b, {.stride = 2, .padding = 1}), ones); });
  const Tensor up = whole(g, {3, 2, 2, 2}), up_b = whole(g, {2});
  same_in_both([&] { return orders({x, up, up_b}, conv_transpose2d(x, up, up_b, {.stride = 2}), ones); });
  const Tensor rows = whole(g, {2, 5, 7}), v = whole(g, {6, 7}), c = whole(g, {6});
  same_in_both([&] { return orders({rows, v, c}, linear(rows, v, c), ones); });
  const Tensor m = whole(g, {2, 7, 4}), n = whole(g, {7, 4});
  same_in_both([&] { return orders({rows, m}, matmul(rows, m), ones); });
  same_in_both([&] { return orders({rows, n}, matmul(rows, n), ones); });
}

TEST_CASE("autocast: a definition of promoted inputs is differentiated in the op's dtype") {
  Generator g(5);
  const Tensor x = uniform(g, {4, 3, 5, 5}, -1, 1), w = uniform(g, {3}, 0.5, 1), b = uniform(g, {3}, -1, 1);
  const Tensor y = batch_norm(to(x, DType::bf16), w, b);
  CHECK(y.dtype() == DType::bf16);
  const std::vector<Tensor> first = gradients_of(sum(square(to(y, DType::f32))), {x, w});
  const std::vector<Tensor> second = gradients_of(sum(square(first[1])), {w, b});
  CHECK(second[0].dtype() == DType::f32);
  const Tensor plain = batch_norm(x, w, b);
  const std::vector<Tensor> wide = gradients_of(sum(square(gradients_of(sum(square(plain)), {w})[0])), {w, b});
  // dL/dw = 2 M w for L = sum y^2 over M numbers a channel, so the second is 8 M^2 w, of which x in bf16 leaves all but
  // its roundings.
  CHECK(second[0].value().to_vector<double>()[0] ==
        doctest::Approx(wide[0].value().to_vector<double>()[0]).epsilon(std::ldexp(1, -5)));
}

TEST_CASE("autocast: recurrences keep their state in f32, their projection is in bf16") {
  Generator g(6);
  const std::int64_t I = 64, H = 16;
  const Tensor x = whole(g, {1, 1, I}), w_ih = whole(g, {4 * H, I}), w_hh = whole(g, {4 * H, H}), none;
  const Tensor gru_ih = slice(w_ih, 0, 0, 3 * H).detach().set_requires_grad(true);
  const Tensor gru_hh = slice(w_hh, 0, 0, 3 * H).detach().set_requires_grad(true);
  const auto run_lstm = [&] { return lstm(x, none, none, w_ih, w_hh, none, none).y; };
  const auto run_gru = [&] { return gru(x, none, gru_ih, gru_hh, none, none).y; };
  const auto gradients = [&](const Tensor& y, const Tensor& w) { return grad({sum(y)}, {w})[0].value(); };
  const Tensor y = run_lstm(), z = run_gru();
  const Array exact = gradients(y, w_ih), exact_gru = gradients(z, gru_ih);
  const AutocastScope scope = autocast(DType::bf16);
  CHECK(identical(run_lstm().value(), y.value()));
  CHECK(identical(run_gru().value(), z.value()));
  for (const auto& [got, truth] :
       {std::pair(gradients(run_lstm(), w_ih), exact), std::pair(gradients(run_gru(), gru_ih), exact_gru)}) {
    CHECK(got.dtype() == DType::f32);
    const std::vector<double> p = got.to_vector<double>(), q = truth.to_vector<double>();
    for (std::size_t i = 0; i < p.size(); ++i) REQUIRE(std::fabs(p[i] - q[i]) <= std::ldexp(std::fabs(q[i]), -8));
  }
  CHECK(linear(x, w_ih).dtype() == narrow());
}

TEST_CASE("losses of bf16 are those of the same numbers in f32") {
  Generator g(7);
  const Tensor x(uniform(g, {4, 6}, 0.1, 0.9).value().to(DType::bf16), true);
  const Tensor target(uniform(g, {4, 6}, 0.1, 0.9).value());
  const Tensor wide(x.value().to(DType::f32), true);
  const auto compare = [&](const auto& loss) {
    const Tensor y = loss(x);
    CHECK(y.dtype() == DType::f32);
    CHECK(identical(y.value(), loss(wide).value()));
    CHECK(identical(grad({y}, {x})[0].value(), grad({loss(wide)}, {wide})[0].value().to(DType::bf16)));
  };
  compare([&](const Tensor& v) { return mse_loss(v, target); });
  compare([&](const Tensor& v) { return l1_loss(v, target); });
  compare([&](const Tensor& v) { return binary_cross_entropy(v, target); });
  compare([&](const Tensor& v) { return binary_cross_entropy_with_logits(v, target); });
  compare([&](const Tensor& v) { return gaussian_kl(v, target); });
}

TEST_CASE("attention of bf16 is computed in f32 and rounded once") {
  Generator g(8);
  const Tensor x(uniform(g, {2, 5, 24}, -1, 1).value().to(DType::bf16), true);
  const Tensor wide(x.value().to(DType::f32), true);
  const Tensor y = self_attention(x, 2, {.causal = true});
  CHECK(y.dtype() == DType::bf16);
  CHECK(identical(y.value(), self_attention(wide, 2, {.causal = true}).value().to(DType::bf16)));
}
