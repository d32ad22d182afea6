// Handles, leaves and their gradients. The graph is in record.cpp, the traversal in backward.cpp. See tensor.h.
#include <array>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <tandem/autograd/gradient_places.h>
#include <tandem/autograd/tensor.h>
#include <tandem/core/capture.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/pooled.h>

namespace tandem {

namespace {

[[noreturn]] void fail_undefined_tensor(const char* where) { fail(where, "tensor is not defined"); }

TensorState& state_of(const Tensor& x, const char* where) {
  if (!x.defined()) fail_undefined_tensor(where);
  return *x.state();
}

void require_differentiable(const Array& value) {
  if (is_floating(value.dtype())) return;
  fail("set_requires_grad", "only floating numbers have gradients", fmt::format("dtype is {}", name(value.dtype())));
}

/// A leaf whose gradient is being written in place, and the sum of those that arrived meanwhile.
struct Taken {
  const TensorState* leaf;
  Array waiting;
};

/// One of a few locks for all leaves: two threads may run backward into the same leaf.
struct LeafLock {
  std::mutex mutex;
  std::vector<Taken> taken;

  Taken* find(const TensorState& leaf) {
    for (Taken& one : taken) {
      if (one.leaf == &leaf) return &one;
    }
    return nullptr;
  }
};

LeafLock& lock_of(const TensorState* leaf) {
  static std::array<LeafLock, 64> locks;
  return locks[std::hash<const void*>{}(leaf) / sizeof(TensorState) % locks.size()];
}

/// True when `grad` can be the leaf's own gradient: nobody else's memory, dense, in the order of the value.
bool is_own(const Array& grad, const Array& value) {
  if (grad.storage().use_count() != 1 || grad.storage()->buffer() != nullptr) return false;
  const std::size_t bytes = static_cast<std::size_t>(grad.size()) * size_of(grad.dtype());
  if (bytes < grad.storage()->bytes() / 2 || !value.is_dense()) return false;  // a small view would keep all
  for (int dim = 0; dim < value.rank(); ++dim) {
    if (value.shape(dim) != 1 && grad.stride(dim) != value.stride(dim)) return false;
  }
  return true;
}

Array own_copy(const Array& grad, const Array& value) {
  Array copy = Array::empty_like(value);
  copy.copy_from(grad);
  return copy;
}

/// Locks, checks, and adds; `first` puts down the first gradient of a leaf whose memory is not bound.
template <class First>
void accumulate(TensorState& s, const Array& grad, First&& first) {
  LeafLock& lock = lock_of(&s);
  const std::lock_guard guard(lock.mutex);
  if (s.locked != nullptr) {
    fail("backward", fmt::format("parameter {} is locked", s.value.shape().to_string()), s.locked);
  }
  if (!(grad.shape() == s.value.shape()) || grad.dtype() != s.value.dtype()) {
    fail("accumulate_grad", "gradient does not fit",
         fmt::format("gradient {} {}, value {} {}", grad.shape().to_string(), name(grad.dtype()),
                     s.value.shape().to_string(), name(s.value.dtype())));
  }
  if (Taken* const taken = lock.find(s)) {
    if (taken->waiting.defined()) {
      kernels::add_into(taken->waiting, grad);
    } else {
      taken->waiting = own_copy(grad, s.value);
    }
    return;
  }
  if (s.grad_arrived) {
    // What the user may hold as grad() is not written into unless an optimizer has bound it.
    if (!s.grad_bound && s.grad.storage().use_count() > 1) s.grad = own_copy(s.grad, s.value);
    kernels::add_into(s.grad, grad);
  } else if (s.grad_bound) {
    s.grad.copy_from(grad);
  } else {
    s.grad = first();
  }
  s.grad_arrived = true;
  ReachedLeaves::note(s);
}

}  // namespace

Array* take_gradient(TensorState& leaf) {
  LeafLock& lock = lock_of(&leaf);
  const std::lock_guard guard(lock.mutex);
  if (!leaf.grad_bound || leaf.grad_arrived || leaf.locked != nullptr || lock.find(leaf) != nullptr) return nullptr;
  if (!leaf.grad.is_contiguous() || !(leaf.grad.shape() == leaf.value.shape())) return nullptr;
  lock.taken.push_back({&leaf, {}});
  return &leaf.grad;
}

void give_back_gradient(TensorState& leaf, bool is_written) {
  LeafLock& lock = lock_of(&leaf);
  const std::lock_guard guard(lock.mutex);
  Taken* const taken = lock.find(leaf);
  const Array waiting = std::move(taken->waiting);
  std::swap(*taken, lock.taken.back());
  lock.taken.pop_back();
  if (waiting.defined()) {
    if (is_written) {
      kernels::add_into(leaf.grad, waiting);
    } else {
      leaf.grad.copy_from(waiting);
    }
  }
  leaf.grad_arrived = is_written || waiting.defined();
  if (leaf.grad_arrived) ReachedLeaves::note(leaf);
}

Tensor::Tensor(Array value, bool requires_grad) {
  require_defined("tensor", "value", value);
  state_ = std::allocate_shared<TensorState>(Pooled<TensorState>{}, std::move(value));
  if (!requires_grad) return;
  require_differentiable(state_->value);
  state_->requires_grad = true;
}

Tensor::Tensor(std::initializer_list<double> values, const Shape& shape, DType dtype)
    : Tensor(Array::from(values, shape, dtype)) {}

void Tensor::fail_undefined(const char* where) { fail_undefined_tensor(where); }

Array Tensor::mutable_value() { return state_of(*this, "mutable_value").value; }

std::string Tensor::to_string() const {
  if (!defined()) return "undefined";
  return value().to_string() + (requires_grad() ? is_leaf() ? "  leaf" : "  recorded" : "");
}

Tensor& Tensor::set_requires_grad(bool needed) {
  TensorState& s = state_of(*this, "set_requires_grad");
  if (s.node) fail("set_requires_grad", "only leaves can ask for a gradient", {}, "use detach()");
  if (needed && !is_floating(s.value.dtype())) {
    fail("set_requires_grad", "only floating numbers have gradients",
         fmt::format("dtype is {}", name(s.value.dtype())));
  }
  if (s.requires_grad != needed) capture::grow_older();
  s.requires_grad = needed;
  return *this;
}

Tensor Tensor::detach() const { return Tensor(value()); }

Array Tensor::grad() const { return has_grad() ? state_->grad : Array{}; }

bool Tensor::has_grad() const { return defined() && state_->grad_arrived; }

void Tensor::zero_grad() {
  TensorState& s = state_of(*this, "zero_grad");
  s.grad_arrived = false;
  if (!s.grad_bound) s.grad = Array{};
}

void Tensor::accumulate_grad(const Array& grad) {
  TensorState& s = state_of(*this, "accumulate_grad");
  require_defined("accumulate_grad", "grad", grad);
  accumulate(s, grad, [&] { return own_copy(grad, s.value); });
}

void Tensor::accumulate_grad(Array&& grad) {
  TensorState& s = state_of(*this, "accumulate_grad");
  require_defined("accumulate_grad", "grad", grad);
  accumulate(s, grad, [&] { return is_own(grad, s.value) ? std::move(grad) : own_copy(grad, s.value); });
}

Tensor scalar(double value, DType dtype) { return Tensor(Array::scalar(value, dtype)); }

}  // namespace tandem
