// Tensor: an Array with a history. Models and users speak Tensor; it feels like PyTorch's.
// Not here: how ops enter the graph (record.h), the ops (ops.h), gradients of gradients by grad() (backward.h).
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <tandem/autograd/gradient_hook.h>
#include <tandem/autograd/indexing.h>
#include <tandem/core/array.h>

namespace tandem {

class Node;          // record.h
class Remade;        // remade.h
struct TensorState;  // below

class Tensor {
 public:
  /// An undefined Tensor.
  Tensor() = default;
  /// A leaf over `value` (shared, not copied). Implicit: batches of Arrays go straight into models.
  Tensor(Array value, bool requires_grad = false);
  /// A leaf from numbers: Tensor({1, 2, 3, 4}, {2, 2}).
  Tensor(std::initializer_list<double> values, const Shape& shape, DType dtype = DType::f32);

  bool defined() const { return state_ != nullptr; }
  inline const Array& value() const;
  /// The same Storage, for writing (optimizers, initialisers); the writer marks the change. A handle by value: the
  /// numbers can be changed, the Array behind a recorded graph cannot be replaced.
  Array mutable_value();

  inline const Shape& shape() const;
  inline std::int64_t shape(int dim) const;
  inline int rank() const;
  inline std::int64_t size() const;
  inline DType dtype() const;
  double item() const { return value().item(); }

  // Ops of array_ops.h: another dtype, and parts. x[i] is x at i of the first dim, x(slice(0, 5), all, -1) one index a
  // dim; negative indices count from the back.
  Tensor to(DType dtype) const;
  Tensor operator[](std::int64_t element) const;
  template <class... I>
  Tensor operator()(const I&... indices) const {
    return at({Index(indices)...});
  }
  Tensor at(const std::vector<Index>& indices) const;
  std::string to_string() const;

  /// True for leaves that ask for a gradient and for results computed from them while recording.
  inline bool requires_grad() const;
  /// Leaves only (Error otherwise).
  Tensor& set_requires_grad(bool needed);
  inline bool is_leaf() const;
  /// The same value without history.
  Tensor detach() const;

  /// The gradient that backward left in this leaf; undefined when none has arrived since the last zero_grad.
  Array grad() const;
  bool has_grad() const;
  /// Forgets the gradient; memory bound by an arena stays.
  void zero_grad();
  /// Adds to the gradient (the first one assigns). Shape and dtype must fit (Error). The gradient of a leaf is memory
  /// of its own, dense and in the order of its value (PyTorch's gradient layout contract): `grad` is copied, and kept
  /// as it is only when it is handed over as the last handle and lies so already. Safe from several threads.
  void accumulate_grad(const Array& grad);
  void accumulate_grad(Array&& grad);

  /// Gradients of this scalar into all leaves below it; frees the graph as it goes unless retain_graph.
  /// Throws Error when this is not a scalar (give `seed` = dy), has no history, or was freed already.
  void backward(bool retain_graph = false) const;
  void backward(const Array& seed, bool retain_graph = false) const;

  /// `f` sees the gradient of this Tensor, leaf or not, in each backward or grad() that reaches it, summed over its
  /// uses and before anything else uses it. f(const Tensor& gradient) gives nothing, or a Tensor that takes its place
  /// (an undefined one changes nothing), of the same shape and dtype (Error); it does not write into what it sees.
  /// Hooks run in the order in which they came; under create_graph their ops are recorded. A hook of a leaf sees what
  /// one backward adds, not the sum. Throws Error when this asks for no gradient. The hook goes with the handle: keep()
  /// leaves it.
  ///   const GradientHook hook = h.on_gradient([&](const Tensor& dh) { norms.push_back(norm(dh.value())); });
  template <class F>
  [[nodiscard]] GradientHook on_gradient(F f) const {
    if constexpr (std::is_void_v<std::invoke_result_t<F&, const Tensor&>>) {
      return add_hook([f = std::move(f)](const Tensor& gradient) mutable {
        f(gradient);
        return Tensor{};
      });
    } else {
      return add_hook(std::move(f));
    }
  }

  /// The identity of the variable: equal handles share it.
  TensorState* state() const { return state_.get(); }
  const std::shared_ptr<TensorState>& handle() const { return state_; }
  explicit Tensor(std::shared_ptr<TensorState> state) : state_(std::move(state)) {}

 private:
  [[noreturn]] static void fail_undefined(const char* where);
  GradientHook add_hook(std::function<Tensor(const Tensor&)> f) const;

  std::shared_ptr<TensorState> state_;
};

/// What a Tensor's handles share. Library code (record, optim) reaches in; users need not.
struct TensorState {
  TensorState() = default;
  explicit TensorState(Array v) : value(std::move(v)) {}

  Array value;
  std::shared_ptr<Node> node;      // null for leaves
  std::shared_ptr<Remade> remade;  // null where ops that save the value keep it
  bool requires_grad = false;

  // Leaves: where the gradient goes. `grad` is bound memory when an Optimizer owns the parameter, else made on demand.
  Array grad;
  bool grad_arrived = false;
  bool grad_bound = false;
  std::shared_ptr<GradientHooks> hooks;  // null without; those of recorded results are their node's

  // The live Optimizer that owns this parameter, and why writing or backward is locked (evaluation_weights scopes).
  const void* owner = nullptr;
  const char* locked = nullptr;
};

inline const Array& Tensor::value() const {
  if (!state_) fail_undefined("value");
  return state_->value;
}
inline const Shape& Tensor::shape() const { return value().shape(); }
inline std::int64_t Tensor::shape(int dim) const { return value().shape(dim); }
inline int Tensor::rank() const { return value().rank(); }
inline std::int64_t Tensor::size() const { return value().size(); }
inline DType Tensor::dtype() const { return value().dtype(); }
inline bool Tensor::requires_grad() const { return state_ && state_->requires_grad; }
inline bool Tensor::is_leaf() const { return state_ && !state_->node; }

/// A leaf copy of the numbers as scalar.
Tensor scalar(double value, DType dtype = DType::f32);

}  // namespace tandem
