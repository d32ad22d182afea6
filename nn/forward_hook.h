// Forward hooks: functions that see every call of one Module and may change its input or output. How they are
// registered stands in module.h (register_forward_hook); what they see of a result with several parts, in output_of.
// Here is where a Module keeps them, and CallScope, which knows the module that runs.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <tandem/autograd/tensor.h>
#include <tandem/core/capture.h>

namespace tandem::nn {

class Module;

/// What takes the place of x, or y; undefined: leave it.
using ForwardPreHook = std::function<Tensor(Module& module, const Tensor& x)>;
using ForwardHook = std::function<Tensor(Module& module, const Tensor& x, const Tensor& y)>;

/// The hook runs while a copy of its handle lives; `handle.reset()` removes it. It may outlive the module.
using HookHandle = std::shared_ptr<const void>;

/// The output of a call, as hooks see it: the Tensor; the member y of a struct; the first of a pair or tuple. For other
/// results a function of this name stands beside their type: `inline Tensor& output_of(Mine& m) { return m.logits; }`.
inline Tensor& output_of(Tensor& y) { return y; }

template <class Result>
requires requires(Result& result) {
  { (result.y) } -> std::same_as<Tensor&>;
}
Tensor& output_of(Result& result) { return result.y; }

template <class Result>
requires requires(Result& result) {
  { std::get<0>(result) } -> std::same_as<Tensor&>;
}
Tensor& output_of(Result& result) { return std::get<0>(result); }

/// The module that runs on this thread, while it lives. Hooks run outside any module: they may call what they like.
class CallScope {
 public:
  explicit CallScope(const Module* module);
  ~CallScope();
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

  /// Null outside any call.
  static const Module* running();

 private:
  const Module* before_;
};

/// f as a Hook, also when it returns nothing.
template <class Hook, class F>
Hook tensor_valued(F f) {
  if constexpr (std::is_constructible_v<Hook, F>) {
    return f;
  } else {
    return [f = std::move(f)](auto&&... arguments) mutable {
      f(arguments...);
      return Tensor();
    };
  }
}

/// The hooks of one kind of one Module.
template <class Hook>
class HookList {
 public:
  HookHandle add(Hook hook) {
    if (!hooks_) hooks_ = std::make_shared<Hooks>();
    auto kept = std::make_shared<const Hook>(std::move(hook));
    hooks_->push_back(kept);
    capture::grow_older();
    return HookHandle(kept.get(), [kept, list = std::weak_ptr<Hooks>(hooks_)](const void*) {
      capture::grow_older();
      if (const auto alive = list.lock()) std::erase(*alive, kept);
    });
  }

  /// What each hook gives takes the place of `changing`, the last argument of a hook.
  template <class... Before>
  void run(Module& module, Tensor& changing, const Before&... before) const {
    if (!hooks_ || hooks_->empty()) return;
    capture::refuse("a forward hook", "runs code");
    const CallScope outside(nullptr);
    const Hooks now = *hooks_;  // hooks may add and remove hooks
    for (const std::shared_ptr<const Hook>& hook : now) {
      const Tensor given = (*hook)(module, before..., std::as_const(changing));
      if (given.defined()) changing = given;
    }
  }

 private:
  using Hooks = std::vector<std::shared_ptr<const Hook>>;
  std::shared_ptr<Hooks> hooks_;
};

struct ForwardHooks {
  HookList<ForwardPreHook> before;
  HookList<ForwardHook> after;
};

}  // namespace tandem::nn
