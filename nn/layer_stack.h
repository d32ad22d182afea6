// LayerStack: layers of one kind, called one after the other by a function that knows their further inputs. Children
// are named "0", "1", ... Not here: layers with one input (sequential.h).
#pragma once

#include <string>
#include <vector>

#include <tandem/nn/sub.h>

namespace tandem::nn {

template <class Layer>
class LayerStack : public Module {
 public:
  /// A layer for each element of `options`, weights of its own each.
  explicit LayerStack(const std::vector<typename Layer::Options>& options) {
    for (const auto& each : options) layers_.emplace_back(this, std::to_string(layers_.size()), each);
  }
  /// `count` layers of the same options.
  LayerStack(std::int64_t count, const typename Layer::Options& options)
      : LayerStack(std::vector<typename Layer::Options>(static_cast<std::size_t>(count), options)) {}

  using Module::operator();
  /// x = f(layer, number, x) for each layer in turn.
  template <class F>
  Tensor operator()(const Tensor& x, F&& f) {
    return enter(x, [&](const Tensor& in) { return in_turn(in, f); });
  }

  std::size_t size() const { return layers_.size(); }
  Layer& operator[](std::size_t i) { return *layers_.at(i); }
  std::string describe() const override { return std::to_string(size()) + " layers"; }

 protected:
  Tensor forward(const Tensor& x) override {
    return in_turn(x, [](Layer& layer, std::size_t, const Tensor& v) { return layer(v); });
  }

 private:
  template <class F>
  Tensor in_turn(const Tensor& x, F&& f) {
    Tensor y = x;
    for (std::size_t i = 0; i < layers_.size(); ++i) y = f(*layers_[i], i, y);
    return y;
  }

  std::vector<Sub<Layer>> layers_;
};

}  // namespace tandem::nn
