// Handles, leaves and their gradients. The graph is in record.cpp, the traversal in backward.cpp. See tensor.h.
#include <array>
#include <functional>
#include <mutex>

#include <fmt/format.h>

#include <tandem/autograd/tensor.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/elementwise/elementwise.h>

namespace tandem {

namespace {

TensorState& state_of(const Tensor& x, const char* where) {
  if (!x.defined()) fail(where, "tensor is not defined");
  return *x.state();
}

/// One of a few locks for all leaves: two threads may run backward into the same leaf.
std::mutex& lock_of(const TensorState* leaf) {
  static std::array<std::mutex, 64> locks;
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
  const std::lock_guard guard(lock_of(&s));
  if (s.locked != nullptr) {
    fail("backward", fmt::format("parameter {} is locked", s.value.shape().to_string()), s.locked);
  }
  if (!(grad.shape() == s.value.shape()) || grad.dtype() != s.value.dtype()) {
    fail("accumulate_grad", "gradient does not fit",
         fmt::format("gradient {} {}, value {} {}", grad.shape().to_string(), name(grad.dtype()),
                     s.value.shape().to_string(), name(s.value.dtype())));
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
}

}  // namespace

Tensor::Tensor(Array value, bool requires_grad) : state_(std::make_shared<TensorState>()) {
  require_defined("tensor", "value", value);
  state_->value = std::move(value);
  if (requires_grad) set_requires_grad(true);
}

Tensor::Tensor(std::initializer_list<double> values, const Shape& shape, DType dtype)
    : Tensor(Array::from(values, shape, dtype)) {}

const Array& Tensor::value() const { return state_of(*this, "value").value; }

Array Tensor::mutable_value() { return state_of(*this, "mutable_value").value; }

std::string Tensor::to_string() const {
  if (!defined()) return "undefined";
  return value().to_string() + (requires_grad() ? is_leaf() ? "  leaf" : "  recorded" : "");
}

bool Tensor::requires_grad() const { return defined() && state_->requires_grad; }

Tensor& Tensor::set_requires_grad(bool needed) {
  TensorState& s = state_of(*this, "set_requires_grad");
  if (s.node) fail("set_requires_grad", "only leaves can ask for a gradient", {}, "use detach()");
  if (needed && !is_floating(s.value.dtype())) {
    fail("set_requires_grad", "only floating numbers have gradients",
         fmt::format("dtype is {}", name(s.value.dtype())));
  }
  s.requires_grad = needed;
  return *this;
}

bool Tensor::is_leaf() const { return defined() && !state_->node; }

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
