// Adding, running and removing gradient hooks. See gradient_hook.h and hooks.h.
#include <tandem/autograd/hooks.h>

#include <algorithm>

#include <fmt/format.h>

#include <tandem/autograd/node.h>
#include <tandem/core/capture.h>
#include <tandem/core/error.h>

namespace tandem {

GradientHook& GradientHook::operator=(GradientHook&& other) noexcept {
  if (this == &other) return *this;
  remove();
  hooks_ = std::move(other.hooks_);
  id_ = other.id_;
  return *this;
}

void GradientHook::remove() {
  if (const std::shared_ptr<GradientHooks> hooks = hooks_.lock()) {
    capture::grow_older();
    std::erase_if(hooks->list, [this](const auto& hook) { return hook.first == id_; });
  }
  hooks_.reset();
}

Tensor GradientHooks::apply(Tensor gradient) const {
  if (!list.empty()) capture::refuse("a gradient hook", "runs code");
  const auto hooks = list;  // a hook may remove itself
  for (const auto& [id, hook] : hooks) {
    Tensor given = hook(gradient);
    if (!given.defined()) continue;
    if (!(given.shape() == gradient.shape()) || given.dtype() != gradient.dtype()) {
      fail("on_gradient", "the gradient that the hook gives does not fit",
           fmt::format("hook {} {}, gradient {} {}", to_string(given.shape()), name(given.dtype()),
                       to_string(gradient.shape()), name(gradient.dtype())));
    }
    gradient = std::move(given);
  }
  return gradient;
}

GradientHook Tensor::add_hook(std::function<Tensor(const Tensor&)> f) const {
  if (!defined()) fail("on_gradient", "tensor is not defined");
  if (!requires_grad()) {
    fail("on_gradient", "the tensor asks for no gradient", shape().to_string(), "set_requires_grad(true) on a leaf");
  }
  std::shared_ptr<GradientHooks>& hooks = state_->node ? state_->node->hooks : state_->hooks;
  if (!hooks) hooks = std::make_shared<GradientHooks>();
  capture::grow_older();
  const std::uint64_t id = hooks->next_id++;
  hooks->list.emplace_back(id, std::move(f));
  return GradientHook(hooks, id);
}

}  // namespace tandem
