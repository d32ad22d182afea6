// GradientHook: the handle of a function that sees the gradient of one Tensor, made by Tensor::on_gradient.
// Not here: where hooks run (backward.cpp). Read next: tensor.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace tandem {

struct GradientHooks;  // hooks.h

/// Takes its hook away when it is destroyed. Moves, does not copy.
class GradientHook {
 public:
  GradientHook() = default;
  GradientHook(std::weak_ptr<GradientHooks> hooks, std::uint64_t id) : hooks_(std::move(hooks)), id_(id) {}
  GradientHook(GradientHook&&) noexcept = default;
  GradientHook& operator=(GradientHook&& other) noexcept;
  ~GradientHook() { remove(); }

  /// Takes the hook away now; the second time nothing.
  void remove();
  /// Leaves the hook until its Tensor goes: this handle does not know it any longer.
  void keep() { hooks_.reset(); }

 private:
  std::weak_ptr<GradientHooks> hooks_;
  std::uint64_t id_ = 0;
};

}  // namespace tandem
