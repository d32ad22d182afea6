// record(): the one door into the graph. An op computes its output with a kernel, then calls record with what its
// backward needs. Example: autograd/ops/conv2d.cpp. Not here: the traversal (backward.h).
//
// A backward is written with ops on Tensors, so that it can be recorded itself (create_graph). Its closure captures
// options, never Tensors: everything else goes through `saved`, where it is version-checked, counted and released.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include <tandem/autograd/tensor.h>

namespace tandem {

/// Which inputs need a gradient: needs[i].
class Needs {
 public:
  explicit Needs(std::uint64_t bits) : bits_(bits) {}
  bool operator[](std::size_t i) const { return i < 64 ? ((bits_ >> i) & 1U) != 0 : true; }

 private:
  std::uint64_t bits_;
};

/// One gradient per input, undefined where not needed.
using Grads = std::vector<Tensor>;

/// The saved Tensors, as backward sees them, in the order of the list given to record.
class Saved {
 public:
  Saved(const char* op, const std::vector<Tensor>& tensors) : op_(op), tensors_(&tensors) {}
  /// Throws Error when nothing was saved at this place.
  const Tensor& operator[](std::size_t i) const {
    if (i >= tensors_->size()) fail_index(i);
    return (*tensors_)[i];
  }
  std::size_t size() const { return tensors_->size(); }

 private:
  [[noreturn]] void fail_index(std::size_t i) const;
  const char* op_;
  const std::vector<Tensor>* tensors_;
};

/// dy -> gradients of the inputs. dy is defined and has the output's shape.
using Backward = std::function<Grads(const Tensor& dy, const Saved& saved, Needs needs)>;

/// A value that backward needs. An input or intermediate Tensor, an extra Array (mask, statistics), or the output
/// itself. `for_inputs`: bits of the inputs whose gradient uses it; kept only when one of them is needed (default:
/// any).
struct Save {
  enum class Kind { tensor, array, output };
  Kind kind;
  Tensor tensor;
  Array array_value;
  std::uint64_t for_inputs = ~std::uint64_t{0};

  Save(const Tensor& t, std::uint64_t uses = ~std::uint64_t{0}) : kind(Kind::tensor), tensor(t), for_inputs(uses) {}
  Save(Array a, std::uint64_t uses = ~std::uint64_t{0})
      : kind(Kind::array), array_value(std::move(a)), for_inputs(uses) {}
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

/// A list in braces, or a vector.
template <class T>
class ListOf {
 public:
  ListOf(std::initializer_list<T> list) : list_(list) {}
  ListOf(const std::vector<T>& list) : vector_(&list) {}
  std::span<const T> span() const {
    return vector_ ? std::span<const T>(*vector_) : std::span<const T>(list_.begin(), list_.size());
  }

 private:
  std::initializer_list<T> list_;
  const std::vector<T>* vector_ = nullptr;
};

namespace detail {
/// Whether an op with these inputs is recorded: recording is on and one of them needs a gradient.
bool is_recorded(std::span<const Tensor> inputs);
Tensor plain_result(const char* op, Array y, std::span<const Tensor> inputs);
Tensor recorded_result(const char* op, Array y, std::span<const Tensor> inputs, std::span<const Save> saved,
                       Backward backward, const RecordOptions& options);
}  // namespace detail

/// A Tensor over y whose backward is `backward`, called as Backward is; a plain leaf when recording is off or no input
/// needs a gradient. Undefined inputs are allowed and need nothing.
template <class F>
Tensor record(const char* op, Array y, ListOf<Tensor> inputs, ListOf<Save> saved, F&& backward,
              const RecordOptions& options = {}) {
  if (!detail::is_recorded(inputs.span())) return detail::plain_result(op, std::move(y), inputs.span());
  return detail::recorded_result(op, std::move(y), inputs.span(), saved.span(), Backward(std::forward<F>(backward)),
                                 options);
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
