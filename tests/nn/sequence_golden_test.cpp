// Recurrent layers, attention and Transformer layers against PyTorch: outputs, gradients of inputs and of parameters by
// name. The numbers stand in tests/golden/sequence_layers.safetensors, made by make_sequence_golden.py.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>

#include <tandem/autograd/backward.h>
#include <tandem/autograd/ops.h>
#include <tandem/nn/gru.h>
#include <tandem/nn/layer_norm.h>
#include <tandem/nn/lstm.h>
#include <tandem/nn/transformer_layer.h>

#include "golden/golden_file.h"

using namespace tandem;

namespace {

using Tensors = std::vector<Tensor>;
using Call = std::function<Tensors(const Tensors& x, const std::vector<Array>& a)>;

struct Case {
  std::shared_ptr<nn::Module> module;
  Call call;
};

template <class Layer>
Case recurrent(const nn::RecurrentLayerOptions& options) {
  const auto layer = std::make_shared<Layer>(options);
  return {layer, [layer](const Tensors& x, const std::vector<Array>& a) {
            const std::vector<std::int64_t> lengths =
                a.empty() ? std::vector<std::int64_t>() : a[0].to_vector<std::int64_t>();
            const nn::RecurrentOutput r = (*layer)(x[0], {x[1], x.size() > 2 ? x[2] : Tensor{}}, lengths);
            Tensors y{r.y, r.state.h};
            if (r.state.c.defined()) y.push_back(r.state.c);
            return y;
          }};
}

template <class Layer, class F>
Case with(const typename Layer::Options& options, F f) {
  const auto layer = std::make_shared<Layer>(options);
  return {layer, [layer, f](const Tensors& x, const std::vector<Array>&) { return Tensors{f(*layer, x)}; }};
}

Array flags(std::initializer_list<double> values, const Shape& shape) { return Array::from(values, shape, DType::i64); }

const Array& hidden() {
  static const Array array = flags({0, 0, 0, 0, 0, 0, 0, 0, 1, 1}, {2, 5});
  return array;
}
const Array& keys() {
  static const Array array = flags({0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0}, {2, 7});
  return array;
}

std::map<std::string, Case> all_cases() {
  std::map<std::string, Case> cases;
  const auto add_recurrent = [&]<class Layer>(const std::string& kind, std::type_identity<Layer>) {
    cases[kind + ".one"] = recurrent<Layer>({.in = 5, .hidden = 4});
    cases[kind + ".deep"] = recurrent<Layer>({.in = 5, .hidden = 4, .layers = 3});
    cases[kind + ".no_bias"] = recurrent<Layer>({.in = 5, .hidden = 4, .layers = 2, .bias = false});
    cases[kind + ".both_ways"] = recurrent<Layer>({.in = 5, .hidden = 4, .layers = 2, .bidirectional = true});
    cases[kind + ".batch_first"] = recurrent<Layer>({.in = 5, .hidden = 4, .layers = 2, .batch_first = true});
    cases[kind + ".lengths"] = recurrent<Layer>({.in = 5, .hidden = 4, .layers = 2, .bidirectional = true});
  };
  add_recurrent("lstm", std::type_identity<nn::LSTM>{});
  add_recurrent("gru", std::type_identity<nn::GRU>{});

  using nn::MultiheadAttention;
  const MultiheadAttention::Options attention{.width = 8, .heads = 2};
  const auto on_itself = [](nn::AttentionMasks masks) {
    return [masks](MultiheadAttention& m, const Tensors& x) { return m(x[0], masks); };
  };
  cases["attention.self"] = with<MultiheadAttention>(attention, on_itself({}));
  cases["attention.causal"] = with<MultiheadAttention>(attention, on_itself({.causal = true}));
  cases["attention.padding"] = with<MultiheadAttention>(attention, on_itself({.hidden_keys = hidden()}));
  cases["attention.cross"] = with<MultiheadAttention>(
      attention, [](MultiheadAttention& m, const Tensors& x) { return m(x[0], x[1], x[1], {.hidden_keys = keys()}); });
  cases["attention.apart"] =
      with<MultiheadAttention>(attention, [](MultiheadAttention& m, const Tensors& x) { return m(x[0], x[1], x[2]); });
  cases["attention.no_bias"] = with<MultiheadAttention>({.width = 8, .heads = 2, .bias = false}, on_itself({}));
  cases["layer_norm"] = with<nn::LayerNorm>({.width = 8}, [](nn::LayerNorm& m, const Tensors& x) { return m(x[0]); });

  using Options = nn::TransformerLayerOptions;
  for (const bool norm_first : {false, true}) {
    for (const auto activation : {Options::Activation::relu, Options::Activation::gelu}) {
      const std::string name =
          std::string(norm_first ? "pre" : "post") + (activation == Options::Activation::gelu ? "_gelu" : "_relu");
      const Options options{
          .width = 8, .heads = 2, .feedforward = 12, .dropout = 0, .activation = activation, .norm_first = norm_first};
      cases["encoder." + name] = with<nn::TransformerEncoderLayer>(
          options, [](nn::TransformerEncoderLayer& m, const Tensors& x) { return m(x[0]); });
      cases["encoder." + name + "_masked"] =
          with<nn::TransformerEncoderLayer>(options, [](nn::TransformerEncoderLayer& m, const Tensors& x) {
            return m(x[0], {.causal = true, .hidden_keys = hidden()});
          });
      cases["decoder." + name] =
          with<nn::TransformerDecoderLayer>(options, [](nn::TransformerDecoderLayer& m, const Tensors& x) {
            return m(x[0], x[1], {.causal = true, .hidden_keys = hidden()}, {.hidden_keys = keys()});
          });
    }
  }
  return cases;
}

void compare(const Safetensors& file, const std::string& name, const Case& c, DType dtype, double tolerance) {
  CAPTURE(name);
  const auto near = [&](const std::string& what, const Array& got, const Array& expected) {
    CAPTURE(what);
    CHECK(golden::relative_error(got, expected) <= tolerance);
  };
  NamedTensors weights;
  for (const NamedTensor& p : c.module->parameters())
    weights.push_back({p.name, golden::at(file, name + "/w/" + p.name)});
  c.module->load_state_dict(weights);
  c.module->to(dtype);
  Tensors x;
  for (const Array& array : golden::family(file, name, "x")) x.emplace_back(array.to(dtype), true);

  const Tensors y = c.call(x, golden::family(file, name, "a"));
  const std::vector<Array> expected = golden::family(file, name, "y"), dx = golden::family(file, name, "dx");
  REQUIRE(y.size() == expected.size());
  Tensors wanted = x, seeds;
  for (const NamedTensor& p : c.module->parameters()) wanted.push_back(p.tensor);
  for (const Array& dy : golden::family(file, name, "dy")) seeds.emplace_back(dy.to(dtype));
  for (std::size_t i = 0; i < y.size(); ++i) near("y", y[i].value(), expected[i]);
  const std::vector<Tensor> grads = grad(y, wanted, {.seeds = seeds});
  for (std::size_t i = 0; i < x.size(); ++i) near("dx", grads[i].value(), dx[i]);
  for (std::size_t i = 0; i < weights.size(); ++i)
    near(weights[i].name, grads[x.size() + i].value(), golden::at(file, name + "/dw/" + weights[i].name));
}

}  // namespace

TEST_CASE("golden: layers of sequences equal PyTorch's, in f64 and f32") {
  const Safetensors file = golden::load("sequence_layers.safetensors");
  std::set<std::string> in_file, in_table;
  for (const auto& [name, c] : all_cases()) {
    in_table.insert(name);
    compare(file, name, c, DType::f64, 1e-12);
    compare(file, name, c, DType::f32, 1e-5);
  }
  for (const NamedArray& entry : file.arrays) in_file.insert(entry.name.substr(0, entry.name.find('/')));
  CHECK(in_file == in_table);
}
