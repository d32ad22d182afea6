// Sequential: layers one after the other, which it owns or shares. Children are named "0", "1", ... or as given.
#pragma once

#include <concepts>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <tandem/nn/module.h>

namespace tandem::nn {

/// A layer on the heap, for Sequential: layer<Linear>({.in = 3, .out = 2}), layer<ReLU>().
template <class M>
std::shared_ptr<M> layer(const typename M::Options& options) {
  return std::make_shared<M>(options);
}
template <class M, class... Arguments>
requires std::constructible_from<M, Arguments...> std::shared_ptr<M> layer(Arguments&&... arguments) {
  return std::make_shared<M>(std::forward<Arguments>(arguments)...);
}

/// y = last(... second(first(x))). Without layers it is the identity.
///   nn::Sequential model{nn::layer<nn::Flatten>(), nn::layer<nn::Linear>({.in = 3072, .out = 10})};
///   model.add("softplus", nn::layer<nn::Softplus>());
/// A layer that stands in two places is shared: its parameters are tied.
class Sequential : public Module {
 public:
  Sequential() = default;
  Sequential(std::initializer_list<std::shared_ptr<Module>> layers);

  /// Appends; the name is its number. Throws Error for an empty pointer.
  Sequential& add(std::shared_ptr<Module> layer);
  /// Appends under a name. Throws Error for a name that is taken, empty or holds a dot.
  Sequential& add(std::string name, std::shared_ptr<Module> layer);

  /// The layers made anew; a layer in two places is shared again. Throws Error naming a layer that cannot be.
  std::shared_ptr<Module> fresh() const override;

  std::size_t size() const { return layers_.size(); }
  /// Layer i from the front. Throws Error when there is none.
  Module& operator[](std::size_t i) const;

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  std::vector<std::shared_ptr<Module>> layers_;
};

}  // namespace tandem::nn
