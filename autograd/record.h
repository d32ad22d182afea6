// record(): the one door into the graph. An op computes its output with a kernel, then calls record with what its
// backward needs. Example: autograd/ops/conv2d.cpp. Not here: the traversal (backward.h).
//
// A backward is written with ops on Tensors, so that it can be recorded itself (create_graph). Its closure captures
// options, never Tensors: everything else goes through `saved`, where it is version-checked, counted and released.
#pragma once

#include <cstdint>
#include <functional>
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
  explicit Saved(const std::vector<Tensor>& tensors) : tensors_(&tensors) {}
  const Tensor& operator[](std::size_t i) const { return tensors_->at(i); }
  std::size_t size() const { return tensors_->size(); }

 private:
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

struct RecordOptions {
  /// False: backward under create_graph throws Error naming the op.
  bool twice_differentiable = true;
};

/// A Tensor over y whose backward is `backward`; a plain leaf when recording is off or no input needs a gradient.
/// Undefined inputs are allowed and need nothing.
Tensor record(const char* op, Array y, std::vector<Tensor> inputs, std::vector<Save> saved, Backward backward,
              const RecordOptions& options = {});

/// True while ops are recorded on this thread.
bool is_recording();

/// Ops inside the scope are not recorded.
class NoGradGuard {
 public:
  NoGradGuard();
  ~NoGradGuard();
  NoGradGuard(const NoGradGuard&) = delete;
  NoGradGuard& operator=(const NoGradGuard&) = delete;

 private:
  bool before_;
};

/// Counts for tests and tools: nodes alive, and bytes held by saved values of living nodes.
struct GraphStats {
  std::int64_t nodes = 0;
  std::int64_t saved_bytes = 0;
};
GraphStats graph_stats();

}  // namespace tandem
