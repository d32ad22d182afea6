// record(): the one door into the graph. An op computes its output with a kernel, then calls record with what its
// backward needs. Example: autograd/ops/conv2d.cpp. Not here: the traversal (backward.h).
//
// A backward is written with ops on Tensors, so that it can be recorded itself (create_graph). Its closure captures
// options, never Tensors: everything else goes through `saved`, where it is version-checked, counted and released.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include <tandem/autograd/small_list.h>
#include <tandem/autograd/tensor.h>

namespace tandem {

class GradientPlaces;

/// Which inputs need a gradient: needs[i].
class Needs {
 public:
  explicit Needs(std::uint64_t bits, GradientPlaces* places = nullptr) : bits_(bits), places_(places) {}
  bool operator[](std::size_t i) const { return i < 64 ? ((bits_ >> i) & 1U) != 0 : true; }

  /// The memory of a parameter's gradient, row major and of its shape, for a backward that calls kernels: the gradient
  /// of input i is then written there (by kernels, or from Array::write()) and not returned. Null where there is none;
  /// to be asked once, for a gradient that is needed.
  Array* place(std::size_t i) const;
  /// Whether place(i) was given.
  bool is_placed(std::size_t i) const;

 private:
  std::uint64_t bits_;
  GradientPlaces* places_;
};

/// One gradient per input, undefined where not needed or written to its place: Grads{dx, dw}, or Grads grads(2).
class Grads : public SmallList<Tensor, 4> {
 public:
  using SmallList::SmallList;
  template <class... T>
  requires(std::convertible_to<T, Tensor>&&...) Grads(T&&... gradients) {
    reserve(sizeof...(T));
    (emplace_back(std::forward<T>(gradients)), ...);
  }
};

/// The saved Tensors, as backward sees them, in the order of the list given to record.
class Saved {
 public:
  Saved(const char* op, std::span<const Tensor> tensors) : op_(op), tensors_(tensors) {}
  /// Throws Error when nothing was saved at this place.
  const Tensor& operator[](std::size_t i) const {
    if (i >= tensors_.size()) fail_index(i);
    return tensors_[i];
  }
  std::size_t size() const { return tensors_.size(); }

 private:
  [[noreturn]] void fail_index(std::size_t i) const;
  const char* op_;
  std::span<const Tensor> tensors_;
};

/// dy -> gradients of the inputs. dy is defined and has the output's shape.
using Backward = std::function<Grads(const Tensor& dy, const Saved& saved, Needs needs)>;

/// A value that backward needs. An input or intermediate Tensor, an extra Array (mask, statistics), or the output
/// itself. `for_inputs`: bits of the inputs whose gradient uses it; kept only when one of them is needed (default:
/// any).
struct Save {
  enum class Kind : std::uint8_t { tensor, array, output };
  Kind kind;
  Tensor tensor;  ///< undefined for the output
  std::uint64_t for_inputs = ~std::uint64_t{0};

  Save(const Tensor& t, std::uint64_t uses = ~std::uint64_t{0}) : kind(Kind::tensor), tensor(t), for_inputs(uses) {}
  Save(Array a, std::uint64_t uses = ~std::uint64_t{0}) : kind(Kind::array), for_inputs(uses) {
    if (a.defined()) tensor = Tensor(std::move(a));
  }
  /// The op's own output.
  static Save output(std::uint64_t uses = ~std::uint64_t{0});

 private:
  explicit Save(Kind k) : kind(k) {}
};

/// The op's value written with ops, from its inputs: what create_graph differentiates in place of a fused backward.
/// An input that is among the saved is itself; any other arrives as zeros of its shape when it needs a gradient, which
/// serves where the value is affine in it (a bias, a residual), and undefined when not. `saved` holds constants: masks,
/// options' Arrays, the output.
using Definition = std::function<Tensor(const std::vector<Tensor>& inputs, const Saved& saved)>;

struct RecordOptions {
  /// Given: `backward` may call kernels only; second derivatives are those of the definition.
  Definition definition = nullptr;
  /// False: backward under create_graph throws Error naming the op.
  bool twice_differentiable = true;
};

/// The inputs of an op, in braces or as a vector; they live as long as the call of record.
class InputList {
 public:
  struct Input {
    const Tensor* tensor;
    Input(const Tensor& t) : tensor(&t) {}
  };
  InputList(std::initializer_list<Input> list) : list_(list), size_(list.size()) {}
  InputList(const std::vector<Tensor>& tensors) : vector_(tensors.data()), size_(tensors.size()) {}

  std::size_t size() const { return size_; }
  const Tensor& operator[](std::size_t i) const { return vector_ != nullptr ? vector_[i] : *list_.begin()[i].tensor; }

 private:
  std::initializer_list<Input> list_;
  const Tensor* vector_ = nullptr;
  std::size_t size_;
};

/// The values that an op saves, in braces or as a vector.
class SaveList {
 public:
  SaveList(std::initializer_list<Save> list) : saves_(list.begin(), list.size()) {}
  SaveList(const std::vector<Save>& saves) : saves_(saves) {}
  std::span<const Save> span() const { return saves_; }

 private:
  std::span<const Save> saves_;
};

namespace detail {
/// Whether an op with these inputs is recorded: recording is on and one of them needs a gradient.
bool is_recorded(const InputList& inputs);
Tensor plain_result(const char* op, Array y, const InputList& inputs);
Tensor recorded_result(const char* op, Array y, const InputList& inputs, std::span<const Save> saved, Backward backward,
                       const RecordOptions* options);
}  // namespace detail

/// A Tensor over y whose backward is `backward`, called as Backward is; a plain leaf when recording is off or no input
/// needs a gradient. Undefined inputs are allowed and need nothing.
template <class F>
Tensor record(const char* op, Array y, const InputList& inputs, const SaveList& saved, F&& backward) {
  if (!detail::is_recorded(inputs)) return detail::plain_result(op, std::move(y), inputs);
  return detail::recorded_result(op, std::move(y), inputs, saved.span(), Backward(std::forward<F>(backward)), nullptr);
}
template <class F>
Tensor record(const char* op, Array y, const InputList& inputs, const SaveList& saved, F&& backward,
              const RecordOptions& options) {
  if (!detail::is_recorded(inputs)) return detail::plain_result(op, std::move(y), inputs);
  return detail::recorded_result(op, std::move(y), inputs, saved.span(), Backward(std::forward<F>(backward)), &options);
}

/// True while ops are recorded on this thread.
bool is_recording();

/// Ops inside the scope are recorded, or are not.
class RecordingScope {
 public:
  explicit RecordingScope(bool recording);
  ~RecordingScope();
  RecordingScope(const RecordingScope&) = delete;
  RecordingScope& operator=(const RecordingScope&) = delete;

 private:
  bool before_;
};

/// Ops inside the scope are not recorded.
class NoGradGuard : public RecordingScope {
 public:
  NoGradGuard() : RecordingScope(false) {}
};

/// Counts for tests and tools: nodes alive, and bytes held by saved values of living nodes.
struct GraphStats {
  std::int64_t nodes = 0;
  std::int64_t saved_bytes = 0;
};
GraphStats graph_stats();

}  // namespace tandem
