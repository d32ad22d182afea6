// Sub: a child in one line: it declares a layer, builds it, and registers it with its parent under a name.
//   struct Head : nn::Module {
//     nn::Sub<nn::Linear> fc{this, "fc", {.in = 64, .out = 10}};
//     nn::Sub<nn::ReLU> act{this, "act"};
//     Tensor forward(const Tensor& x) override { return act(fc(x)); }
//   };
// Children stand in the state dict, and draw their initial values, in the order of their declaration.
// Not here: layers in a row (sequential.h, layer_stack.h). A number of children that only options know:
// std::vector<Sub<...>>.
#pragma once

#include <concepts>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>

#include <tandem/nn/module.h>

namespace tandem::nn {

/// Layer::Options, or a type that nobody can make for layers without.
template <class Layer>
struct OptionsOf {
  class type {
    type() = default;
  };
};
template <class Layer>
requires requires { typename Layer::Options; }
struct OptionsOf<Layer> {
  using type = typename Layer::Options;
};

/// Owns the layer; it may move, the layer stays where it is. It lives as long as its parent.
template <class Layer>
class Sub {
 public:
  /// No layer yet: `head = {this, "head", {.in = 8, .out = 2}};` in the constructor's body.
  Sub() = default;

  /// From options, and what else the layer takes: {this, "fc", {.in = 64, .out = 10}}.
  template <class... Further>
  Sub(Module* parent, std::string name, typename OptionsOf<Layer>::type options, Further&&... further)
      : Sub(parent, std::move(name), std::make_shared<Layer>(std::move(options), std::forward<Further>(further)...)) {}

  /// From anything else that it takes, or nothing: {this, "act"}.
  template <class... Arguments>
  requires std::constructible_from<Layer, Arguments...> Sub(Module* parent, std::string name, Arguments&&... arguments)
      : Sub(parent, std::move(name), std::make_shared<Layer>(std::forward<Arguments>(arguments)...)) {}

  /// A Sequential from its layers: {this, "features", {layer<Conv2d>({...}), layer<ReLU>()}}.
  Sub(Module* parent, std::string name, std::initializer_list<std::shared_ptr<Module>> layers) requires
      std::constructible_from<Layer, std::initializer_list<std::shared_ptr<Module>>>
      : Sub(parent, std::move(name), std::make_shared<Layer>(layers)) {}

  /// A layer that exists; for Sub<Module> of any class. From an empty pointer there is no layer, and no child.
  template <std::derived_from<Layer> Made>
  Sub(Module* parent, std::string name, std::shared_ptr<Made> layer) : layer_(std::move(layer)) {
    if (layer_) parent->child(std::move(name), *layer_);
  }

  Sub(Sub&&) noexcept = default;
  Sub& operator=(Sub&&) noexcept = default;

  /// Calls the layer.
  template <class... Arguments>
  decltype(auto) operator()(Arguments&&... arguments) {
    if (!layer_) fail("Sub", "there is no layer to call", {}, "ask it first: if (sub) ...");
    return (*layer_)(std::forward<Arguments>(arguments)...);
  }

  explicit operator bool() const { return layer_ != nullptr; }
  Layer& operator*() { return *layer_; }
  const Layer& operator*() const { return *layer_; }
  Layer* operator->() { return layer_.get(); }
  const Layer* operator->() const { return layer_.get(); }

 private:
  std::shared_ptr<Layer> layer_;
};

}  // namespace tandem::nn
