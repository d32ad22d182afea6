// LayerStack: layers of one kind, called one after the other by a function that knows their further inputs. Children
// are named "0", "1", ... Not here: layers with one input (sequential.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <tandem/nn/module.h>

namespace tandem::nn {

template <class Layer>
class LayerStack : public Module {
 public:
  /// `count` layers of the same options, each with weights of its own.
  LayerStack(std::int64_t count, const typename Layer::Options& options) {
    for (std::int64_t i = 0; i < count; ++i) {
      layers_.push_back(std::make_unique<Layer>(options));
      child(std::to_string(i), *layers_.back());
    }
  }

  /// x = f(layer, number, x) for each layer in turn.
  template <class F>
  Tensor operator()(const Tensor& x, F&& f) {
    return enter(x, [&] {
      Tensor y = x;
      for (std::size_t i = 0; i < layers_.size(); ++i) y = f(*layers_[i], i, y);
      return y;
    });
  }

  std::size_t size() const { return layers_.size(); }
  Layer& operator[](std::size_t i) const { return *layers_.at(i); }
  std::string describe() const override { return std::to_string(size()) + " layers"; }

 protected:
  Tensor forward(const Tensor& x) override {
    return (*this)(x, [](Layer& layer, std::size_t, const Tensor& v) { return layer(v); });
  }

 private:
  std::vector<std::unique_ptr<Layer>> layers_;
};

}  // namespace tandem::nn
