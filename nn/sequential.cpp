// See sequential.h.
#include <map>

#include <fmt/format.h>

#include <tandem/nn/clone.h>
#include <tandem/nn/sequential.h>

namespace tandem::nn {

Sequential::Sequential(std::initializer_list<std::shared_ptr<Module>> layers) {
  for (const std::shared_ptr<Module>& l : layers) add(l);
}

Sequential& Sequential::add(std::shared_ptr<Module> layer) {
  return add(std::to_string(layers_.size()), std::move(layer));
}

Sequential& Sequential::add(std::string name, std::shared_ptr<Module> layer) {
  if (!layer) fail("Sequential", fmt::format("layer \"{}\" is an empty pointer", name));
  child(std::move(name), *layer);
  layers_.push_back(std::move(layer));
  return *this;
}

std::shared_ptr<Module> Sequential::fresh() const {
  auto copy = std::make_shared<Sequential>();
  std::map<const Module*, std::shared_ptr<Module>> made;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    std::shared_ptr<Module>& layer = made[layers_[i].get()];
    if (!layer) layer = fresh_as(*layers_[i]);
    copy->add(children()[i].name, layer);
  }
  return copy;
}

Module& Sequential::operator[](std::size_t i) const {
  if (i >= layers_.size()) fail("Sequential", fmt::format("there is no layer {}", i), fmt::format("{} layers", size()));
  return *layers_[i];
}

Tensor Sequential::forward(const Tensor& x) {
  Tensor y = x;
  for (const std::shared_ptr<Module>& l : layers_) y = (*l)(y);
  return y;
}

}  // namespace tandem::nn
