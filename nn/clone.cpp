// See clone.h.
#include <tandem/nn/clone.h>

#include <typeinfo>

#include <fmt/format.h>

#include <tandem/nn/keep_generator.h>

namespace tandem::nn {

std::shared_ptr<Module> fresh_as(const Module& module) {
  std::shared_ptr<Module> made = module.fresh();
  const Module* const same = made.get();
  if (same == nullptr || typeid(*same) != typeid(module)) {
    fail("fresh", fmt::format("{} makes {}", module.describe(), same != nullptr ? same->describe() : "nothing"),
         "another class", "override fresh() in the class itself");
  }
  return made;
}

std::shared_ptr<Module> clone(const Module& model) {
  const KeepGenerator keep;
  std::shared_ptr<Module> copy = fresh_as(model);
  const NamedTensors parameters = model.parameters();
  if (!parameters.empty() && parameters.front().tensor.dtype() != copy->parameters().front().tensor.dtype())
    copy->to(parameters.front().tensor.dtype());
  copy->load_state_dict(model.state_dict());
  copy->load_random_state(model.random_state());
  NamedTensors own = copy->parameters();  // the names fit: load_state_dict was strict
  for (std::size_t i = 0; i < own.size(); ++i) own[i].tensor.set_requires_grad(parameters[i].tensor.requires_grad());
  // The list of modules is only read.
  const std::vector<NamedModule> from = const_cast<Module&>(model).modules(), to = copy->modules();
  if (from.size() != to.size()) {
    fail("clone", fmt::format("fresh() of {} makes another structure", model.describe()),
         fmt::format("{} modules, {} in the copy", from.size(), to.size()));
  }
  for (std::size_t i = 0; i < from.size(); ++i) to[i].module->set_training(from[i].module->is_training());
  copy->set_origin(model.origin());
  return copy;
}

}  // namespace tandem::nn
