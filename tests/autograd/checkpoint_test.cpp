// checkpoint(): the gradients are those without it, bit for bit; what backward needs is dropped and made again once.
#include <doctest/doctest.h>

#include <tandem/autograd/autocast.h>
#include <tandem/autograd/backward.h>
#include <tandem/autograd/checkpoint.h>
#include <tandem/autograd/ops.h>
#include <tandem/autograd/record.h>
#include <tandem/core/allocator.h>
#include <tandem/core/error.h>
#include <tandem/core/generator.h>

using namespace tandem;

namespace {

Tensor random_leaf(Generator& g, const Shape& shape, DType dtype = DType::f32) {
  Array x = Array::empty(shape);
  g.fill_normal(x);
  return Tensor(x.to(dtype)).set_requires_grad(true);
}

}  // namespace

TEST_CASE("checkpoint: equal values and gradients, of inputs and of what the function captures") {
  Generator g(1);
  const Tensor x = random_leaf(g, {4, 3}), w = random_leaf(g, {5, 3}), b = random_leaf(g, {5});
  const auto f = [&](const Tensor& in) { return gelu(linear(tanh(in * 2.0), w, b)) * sigmoid(linear(in, w, b)); };
  const auto gradients = [&](bool is_checkpointed) {
    for (Tensor t : {x, w, b}) t.zero_grad();
    const Tensor h = exp(x);
    const Tensor y = is_checkpointed ? checkpoint(f, h) : f(h);
    sum(square(y)).backward();
    return std::vector<Array>{y.value(), x.grad(), w.grad(), b.grad()};
  };
  const std::vector<Array> plain = gradients(false), checkpointed = gradients(true);
  for (std::size_t i = 0; i < plain.size(); ++i) CHECK(identical(plain[i], checkpointed[i]));
}

TEST_CASE("checkpoint: f runs once forward and once in backward, whatever it has of ops and results") {
  Generator g(2);
  const Tensor x = random_leaf(g, {3}), y = random_leaf(g, {3});
  int runs = 0;
  const auto f = [&](const Tensor& a, const Tensor& b) {
    ++runs;
    return std::pair{exp(a) * b, square(exp(b))};
  };
  const auto [first, second] = checkpoint(f, x, y);
  CHECK(runs == 1);
  sum(first + second).backward();
  CHECK(runs == 2);
  CHECK(x.has_grad());
  {
    const NoGradGuard guard;
    checkpoint(f, x, y);
    CHECK(runs == 3);
  }
}

TEST_CASE("checkpoint: what is saved is dropped, and the peak of memory lower") {
  const std::int64_t n = 1 << 18;
  const Tensor x = Tensor(Array::full({n}, 0.5)).set_requires_grad(true);
  const auto block = [](const Tensor& in) {
    Tensor y = in;
    for (int i = 0; i < 4; ++i) y = exp(sin(y));
    return y;
  };
  struct Memory {
    std::int64_t saved, peak;
  };
  const auto measure = [&](bool is_checkpointed) {
    Tensor(x).zero_grad();
    reset_peak_memory();
    const auto before = static_cast<std::int64_t>(memory_stats().bytes_in_use);
    const std::int64_t saved_before = graph_stats().saved_bytes;
    Tensor y = x;
    for (int i = 0; i < 8; ++i) y = is_checkpointed ? checkpoint(block, y) : block(y);
    const std::int64_t saved = graph_stats().saved_bytes - saved_before;
    sum(y).backward();
    CHECK(graph_stats().saved_bytes == saved_before);
    return Memory{saved, static_cast<std::int64_t>(memory_stats().peak_bytes) - before};
  };
  const Memory plain = measure(false), checkpointed = measure(true);
  CHECK(plain.saved >= 64 * n * 4);
  CHECK(checkpointed.saved <= n * 4);  // x, a leaf that lives anyway
  CHECK(checkpointed.peak < plain.peak / 2);
}

TEST_CASE("checkpoint: grad() of chosen inputs, retain_graph, second derivatives") {
  Generator g(3);
  const Tensor x = random_leaf(g, {4}, DType::f64), w = random_leaf(g, {4}, DType::f64);
  const auto f = [&](const Tensor& in) { return exp(in * w) * sin(in); };
  const Tensor plain = sum(f(x)), checkpointed = sum(checkpoint(f, x));
  const auto dw = [&](const Tensor& y) { return grad({y}, {w}, {.retain_graph = true})[0].value(); };
  CHECK(identical(dw(plain), dw(checkpointed)));
  CHECK(identical(dw(plain), dw(checkpointed)));
  const auto second = [&](const Tensor& y) {
    const std::vector<Tensor> first = grad({y}, {x, w}, {.create_graph = true});
    return grad({sum(square(first[0]) + first[1])}, {x, w});
  };
  const std::vector<Tensor> a = second(sum(f(x))), b = second(sum(checkpoint(f, x)));
  for (std::size_t i = 0; i < a.size(); ++i) {
    const std::vector<double> u = a[i].value().to_vector<double>(), v = b[i].value().to_vector<double>();
    for (std::size_t j = 0; j < u.size(); ++j) CHECK(u[j] == doctest::Approx(v[j]).epsilon(1e-12));
  }
}

TEST_CASE("checkpoint: products of the second run are in the dtype of the first one's autocast") {
  Generator g(5);
  const Tensor x = random_leaf(g, {6, 8}), w = random_leaf(g, {5, 8}), b = random_leaf(g, {5});
  const auto f = [&](const Tensor& in) { return gelu(linear(in, w, b)) * 2.0; };
  const auto gradients = [&](bool is_checkpointed, DType forward, DType backward) {
    for (Tensor t : {x, w, b}) t.zero_grad();
    Tensor y;
    {
      const AutocastScope scope = autocast(forward);
      y = is_checkpointed ? checkpoint(f, x) : f(x);
    }
    const AutocastScope scope = autocast(backward);
    sum(square(y)).backward();
    return std::vector<Array>{x.grad(), w.grad(), b.grad()};
  };
  for (const auto& [forward, backward] : {std::pair{DType::bf16, DType::f32}, std::pair{DType::f32, DType::bf16}}) {
    const std::vector<Array> plain = gradients(false, forward, backward), again = gradients(true, forward, backward);
    for (std::size_t i = 0; i < plain.size(); ++i) CHECK(identical(plain[i], again[i]));
  }
}

TEST_CASE("checkpoint: one inside another") {
  Generator g(4);
  const Tensor x = random_leaf(g, {4});
  const auto inner = [](const Tensor& in) { return exp(sin(in)); };
  const auto outer = [&](const Tensor& in) { return square(checkpoint(inner, in * 3.0)); };
  sum(outer(x)).backward();
  const Array plain = x.grad();
  Tensor(x).zero_grad();
  sum(checkpoint(outer, x)).backward();
  CHECK(identical(plain, x.grad()));
}

TEST_CASE("checkpoint: a thousand in a row") {
  const Tensor x = Tensor({0.5}, {1}).set_requires_grad(true);
  Tensor y = x;
  for (int i = 0; i < 1000; ++i) y = checkpoint([](const Tensor& in) { return sin(in) + in * 0.5; }, y);
  y.backward();
  CHECK(x.has_grad());
}

TEST_CASE("checkpoint: what was changed in between, and functions that do other things, are errors") {
  const Tensor x = Tensor({1, 2}, {2}).set_requires_grad(true), b = Tensor({1, 2}, {2}).set_requires_grad(true);
  {
    const Tensor y = sum(checkpoint([&](const Tensor& in) { return exp(in + b); }, x));
    Tensor(b).mutable_value().fill(0);  // exp saves its output alone: b is among nothing that is saved
    CHECK_THROWS_WITH_AS(y.backward(),
                         "checkpoint: what the function reads was changed between forward and backward: [2] is at "
                         "version 2, was 1; call backward first",
                         Error);
  }
  int runs = 0;
  const Tensor y = sum(checkpoint([&](const Tensor& in) { return ++runs == 1 ? exp(in) : sin(in); }, x));
  CHECK_THROWS_WITH_AS(y.backward(),
                       "checkpoint: the function does not do the same when it runs again: op 0 was exp, is sin; let it "
                       "depend on its inputs and on layers alone",
                       Error);
  runs = 0;
  const Tensor z = sum(checkpoint([&](const Tensor& in) { return ++runs == 1 ? exp(sin(in)) : sin(in); }, x));
  CHECK_THROWS_WITH_AS(z.backward(),
                       "checkpoint: the function does not do the same when it runs again: op 1 was exp, is none; let "
                       "it depend on its inputs and on layers alone",
                       Error);
  const auto takes_gradients = [](const Tensor& in) {
    const Tensor e = sum(exp(in));
    return grad({e}, {in}, {.retain_graph = true})[0] * e;
  };
  CHECK_THROWS_WITH_AS(checkpoint(takes_gradients, x),
                       "checkpoint: backward comes to the function while it runs: exp; let it take no gradients itself",
                       Error);
}
