// Embedding, norms, dropouts, positions, attention with a cache, and the translation model. The numbers of the layers
// stand in sequence_golden_test.cpp.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include <tandem/autograd/gradcheck.h>
#include <tandem/autograd/ops.h>
#include <tandem/autograd/record.h>
#include <tandem/nn/embedding.h>
#include <tandem/nn/init.h>
#include <tandem/nn/layer_norm.h>
#include <tandem/nn/locked_dropout.h>
#include <tandem/nn/models/transformer.h>
#include <tandem/nn/position.h>
#include <tandem/nn/tied_linear.h>

#include "nn/error_text.h"

using namespace tandem;

namespace {

Tensor normal(const Shape& shape, std::uint64_t seed) {
  Array x = Array::empty(shape);
  Generator(seed).fill_normal(x);
  return x;
}

double difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  return max(abs(a - b)).item();
}

Tensor ids(const std::vector<std::int64_t>& values, const Shape& shape) { return Array::from(values, shape); }

nn::TransformerOptions tiny() {
  return {.source_tokens = 9,
          .target_tokens = 7,
          .width = 8,
          .heads = 2,
          .feedforward = 12,
          .encoder_layers = 2,
          .decoder_layers = 2,
          .positions = 6,
          .dropout = 0};
}

}  // namespace

TEST_CASE("embedding: rows, padding, dropout of whole tokens") {
  nn::Embedding table({.tokens = 4, .width = 2, .padding = 0});
  CHECK(table.weight.value().at({0, 1}) == 0);
  const Tensor x = ids({0, 3, 3, 1}, {2, 2});
  const Tensor y = table(x);
  CHECK(y.shape() == Shape{2, 2, 2});
  CHECK(y.value().at({0, 1, 1}) == table.weight.value().at({3, 1}));
  sum(y).backward();
  CHECK(table.weight.grad().to_vector<double>() == std::vector<double>{0, 0, 1, 1, 0, 0, 2, 2});
  CHECK(table.describe() == "Embedding(4 tokens -> 2, padding 0)");
  CHECK(error_text([] { nn::Embedding({.tokens = 4, .width = 2, .padding = 4}); }) ==
        "Embedding: padding is 4, must be an id below 4, or -1");
  CHECK(error_text([] { nn::Embedding({.tokens = 0, .width = 2}); }) ==
        "Embedding: tokens and width must be at least 1: tokens 0, width 2");

  nn::seed(3);
  nn::Embedding dropped({.tokens = 50, .width = 3, .dropout = 0.5});
  nn::init::constant(dropped.weight, 1);
  const Tensor all = ids(
      [] {
        std::vector<std::int64_t> v;
        for (std::int64_t i = 0; i < 100; ++i) v.push_back(i % 50);
        return v;
      }(),
      {100});
  const Array z = dropped(all).value();
  int zeros = 0;
  for (std::int64_t i = 0; i < 50; ++i) {
    const double value = z.at({i, 0});
    CHECK((value == 0 || value == 2));
    CHECK(z.at({i, 2}) == value);
    CHECK(z.at({i + 50, 1}) == value);  // the same token at another place
    zeros += value == 0 ? 1 : 0;
  }
  CHECK(zeros > 10);
  CHECK(zeros < 40);
  dropped.evaluate();
  CHECK(identical(dropped(all).value(), Array::full({100, 3}, 1)));
}

TEST_CASE("tied linear: the weight is the embedding's, and stays frozen when it was") {
  nn::Embedding table({.tokens = 5, .width = 3});
  const nn::TiedLinear trained({}, table.weight);
  CHECK(trained.weight.state() == table.weight.state());
  CHECK(table.weight.requires_grad());
  table.freeze();
  const nn::TiedLinear frozen({}, table.weight);
  CHECK_FALSE(table.weight.requires_grad());
  CHECK_FALSE(frozen.weight.requires_grad());
  CHECK(frozen.bias.requires_grad());
}

TEST_CASE("locked dropout: one mask for all steps") {
  nn::seed(1);
  nn::LockedDropout dropout({.p = 0.5});
  const Tensor x = Array::full({5, 4, 20}, 1);
  const Array y = dropout(x).value();
  for (std::int64_t t = 1; t < 5; ++t) CHECK(identical(y.select(0, t), y.select(0, 0)));
  CHECK_FALSE(identical(y, dropout(x).value()));
  dropout.evaluate();
  CHECK(identical(dropout(x).value(), x.value()));
  CHECK(dropout.describe() == "LockedDropout(0.5)");
  CHECK(error_text([] { nn::LockedDropout({.p = 1}); }) == "LockedDropout: p must be in [0, 1): 1 given");
}

TEST_CASE("layer norm: describes itself and refuses another width") {
  nn::LayerNorm norm({.width = 4});
  CHECK(norm.describe() == "LayerNorm(4)");
  CHECK(nn::LayerNorm({.width = 4, .affine = false}).parameters().empty());
  CHECK(error_text([&] {
          norm(normal({2, 3}, 1));
        }) == "LayerNorm(4): layer_norm: the last dim of x must be 4: x [2, 3]");
}

TEST_CASE("positions: sines on paper, learned ones, and a sentence that is too long") {
  nn::SinusoidalPosition sines({.width = 4, .positions = 3});
  const Array y = sines(Tensor(Array::zeros({1, 2, 4})), 1).value();
  CHECK(y.at({0, 0, 0}) == doctest::Approx(std::sin(1.0)));
  CHECK(y.at({0, 0, 1}) == doctest::Approx(std::cos(1.0)));
  CHECK(y.at({0, 1, 2}) == doctest::Approx(std::sin(2.0 / 100)));
  CHECK(y.at({0, 1, 3}) == doctest::Approx(std::cos(2.0 / 100)));
  CHECK(sines.parameters().empty());
  CHECK(sines.describe() == "SinusoidalPosition(3 positions, 4)");
  const Array exact = sines(Tensor(Array::zeros({1, 3, 4}, DType::f64))).value();  // in f64, not converted from f32
  CHECK(exact.at({0, 1, 2}) == std::sin(1.0 / 100));
  CHECK(exact.at({0, 2, 1}) == std::cos(2.0));
  nn::LearnedPosition learned({.width = 4, .positions = 3});
  sum(learned(Tensor(Array::zeros({2, 3, 4})))).backward();
  CHECK(identical(learned.weight.grad(), Array::full({3, 4}, 2)));
  CHECK(error_text([&] {
          learned(Tensor(Array::zeros({1, 2, 4})), 2);
        }) ==
        "LearnedPosition(3 positions, 4): position: a sentence of 4 tokens is longer than the 3 positions: x "
        "[1, 2, 4]; cut it, or make the model with more positions");
  // sines are converted to x's dtype; a weight is not, because its gradient would stop there
  const Tensor double_x = Array::zeros({2, 3, 4}, DType::f64);
  CHECK(sines(double_x).dtype() == DType::f64);
  CHECK(
      error_text([&] { learned(double_x); }) ==
      "LearnedPosition(3 positions, 4): position: x is f64, the weight f32: x [2, 3, 4]; convert the model with to(), "
      "or x");
  learned.to(DType::f64);
  sum(learned(double_x)).backward();
  CHECK(identical(learned.weight.grad(), Array::full({3, 4}, 2, DType::f64)));
}

TEST_CASE("attention: a query without keys gives the output's bias, in training too") {
  nn::MultiheadAttention attention({.width = 4, .heads = 2, .dropout = 0.5});
  for (NamedTensor& p : attention.parameters()) {
    if (p.name == "out_proj.bias") nn::init::constant(p.tensor, 0.25);
  }
  const Array hidden = Array::from(std::vector<std::int64_t>{1, 1, 1, 0, 0, 0}, {2, 3});
  const Tensor y = attention(normal({2, 3, 4}, 1), {.hidden_keys = hidden});
  CHECK(difference(slice(y, 0, 0, 1), Tensor(Array::full({1, 3, 4}, 0.25))) == 0);
  CHECK(difference(slice(y, 0, 1, 2), Tensor(Array::full({1, 3, 4}, 0.25))) > 0);
  CHECK(attention.describe() == "MultiheadAttention(4, 2 heads, dropout 0.5)");
  CHECK(error_text([] { nn::MultiheadAttention({.width = 4, .heads = 3}); }) ==
        "MultiheadAttention: heads must divide width: width 4, heads 3");
  CHECK(error_text([&] {
          attention(normal({2, 3, 5}, 1));
        }) == "MultiheadAttention(4, 2 heads, dropout 0.5): attention: x must be [B, T, 4]: x [2, 3, 5]");
}

TEST_CASE("attention: token by token with a cache equals all at once") {
  nn::MultiheadAttention attention({.width = 8, .heads = 2});
  const Tensor x = normal({3, 5, 8}, 1);
  const Tensor all = attention(x, {.causal = true});
  nn::KeyValueCache cache;
  CHECK(error_text([&] { attention.step(slice(x, 1, 0, 1), cache); }) ==
        "MultiheadAttention(8, 2 heads): step: a cache passes no gradients on; decode under a NoGradGuard");
  const NoGradGuard guard;
  CHECK(difference(attention.step(slice(x, 1, 0, 2), cache), slice(all, 1, 0, 2)) < 1e-6);
  for (std::int64_t t = 2; t < 5; ++t)
    CHECK(difference(attention.step(slice(x, 1, t, t + 1), cache), slice(all, 1, t, t + 1)) < 1e-6);
  CHECK(cache.size() == 5);
  cache.reorder(Array::from(std::vector<std::int64_t>{2, 2}, {2}));
  CHECK(cache.k.shape() == Shape{2, 5, 8});
}

TEST_CASE("attention: a step that throws leaves the cache as it was") {
  nn::MultiheadAttention attention({.width = 8, .heads = 2});
  const Tensor x = normal({3, 5, 8}, 1);
  const Array wrong = Array::zeros({3, 9}, DType::u8);
  const NoGradGuard guard;
  nn::KeyValueCache cache, memory;
  attention.step(slice(x, 1, 0, 2), cache);
  const Array k = cache.k.clone(), v = cache.v.clone();
  CHECK(
      error_text([&] { attention.step(slice(x, 1, 2, 3), cache, {.hidden_keys = wrong}); }) ==
      "MultiheadAttention(8, 2 heads): scaled_dot_product_attention: hidden_keys must be [3, 3]: hidden_keys [3, 9], q "
      "[3, 2, 1, 4], k [3, 2, 3, 4], v [3, 2, 3, 4]");
  CHECK(cache.size() == 2);
  CHECK(identical(cache.k, k));
  CHECK(identical(cache.v, v));
  CHECK(
      error_text([&] { attention.step_on_memory(slice(x, 1, 2, 3), x, memory, {.hidden_keys = wrong}); }) ==
      "MultiheadAttention(8, 2 heads): scaled_dot_product_attention: hidden_keys must be [3, 5]: hidden_keys [3, 9], q "
      "[3, 2, 1, 4], k [3, 2, 5, 4], v [3, 2, 5, 4]");
  CHECK(memory.size() == 0);
}

TEST_CASE("transformer: decoding token by token equals all at once, with padding and reordered beams") {
  nn::seed(4);
  nn::Transformer model(tiny());
  model.evaluate();
  const NoGradGuard guard;
  const Tensor source = ids({1, 2, 3, 4, 5, 6, 0, 0}, {2, 4}), target = ids({1, 2, 3, 4, 5, 6}, {2, 3});
  const Tensor all = model(source, target);
  CHECK(all.shape() == Shape{2, 3, 7});
  nn::TransformerCache cache = model.start(source);
  for (std::int64_t t = 0; t < 3; ++t) {
    const Tensor step = model.step(slice(target, 1, t, t + 1), cache);
    CHECK(difference(step, reshape(slice(all, 1, t, t + 1), {2, 7})) < 1e-5);
    if (t == 1) {  // swap the sentences and back
      cache.reorder(Array::from(std::vector<std::int64_t>{1, 0}, {2}));
      cache.reorder(Array::from(std::vector<std::int64_t>{1, 0}, {2}));
    }
  }
  // padding changes nothing
  const Tensor alone = model(ids({5, 6}, {1, 2}), ids({4, 5, 6}, {1, 3}));
  CHECK(difference(alone, slice(all, 0, 1, 2)) < 1e-5);
}

TEST_CASE("transformer: tied weights, names, errors") {
  nn::Transformer model(tiny());
  const NamedTensors parameters = model.parameters();
  CHECK(parameters[0].name == "source_embedding.weight");
  CHECK(parameters[1].name == "target_embedding.weight");
  CHECK(parameters[2].name == "encoder.0.self_attn.in_proj_weight");
  CHECK(parameters.back().name == "output.bias");
  nn::TransformerOptions shared = tiny();
  shared.shared_vocabulary = true;
  CHECK(error_text([&] { nn::Transformer m(shared); }) ==
        "Transformer: a shared vocabulary has one size: source 9, target 7 tokens");
  shared.source_tokens = 7;
  CHECK(nn::Transformer(shared).parameters()[0].name == "target_embedding.weight");
  CHECK(error_text([&] {
          model(ids({1, 2, 3, 4, 5, 6, 7}, {1, 7}), ids({1}, {1, 1}));
        }) ==
        "layer \"position\" SinusoidalPosition(6 positions, 8): position: a sentence of 7 tokens is longer than the 6 "
        "positions: x [1, 7, 8]; cut it, or make the model with more positions");
  CHECK(error_text([&] {
          model(normal({1, 2}, 1));
        }) ==
        "Transformer(9 -> 7 tokens, width 8, 2 heads, feedforward 12, 2 + 2 layers): forward: the layer is not called "
        "with one input: x [1, 2]; give it all that its operator() takes");
}

TEST_CASE("transformer layers: gradcheck in double, also of second order") {
  nn::seed(5);
  const nn::TransformerLayerOptions options{.width = 4,
                                            .heads = 2,
                                            .feedforward = 5,
                                            .dropout = 0,
                                            .activation = nn::TransformerLayerOptions::Activation::gelu};
  nn::TransformerEncoderLayer encoder(options);
  nn::TransformerDecoderLayer decoder(options);
  encoder.to(DType::f64);
  decoder.to(DType::f64);
  const Tensor x = normal({2, 3, 4}, 1).value().to(DType::f64), memory = normal({2, 2, 4}, 2).value().to(DType::f64);
  const auto encode = [&](const std::vector<Tensor>& in) { return encoder(in[0], {.causal = true}); };
  const auto decode = [&](const std::vector<Tensor>& in) { return decoder(in[0], in[1], {.causal = true}); };
  const GradcheckResult first = gradcheck(encode, {x}, {.second_order = true});
  CHECK_MESSAGE(first.passed(), first.to_string());
  const GradcheckResult second = gradcheck(decode, {x, memory}, {.second_order = true});
  CHECK_MESSAGE(second.passed(), second.to_string());
}
