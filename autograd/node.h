// Node: one recorded op. Private to autograd: record.cpp makes it, backward.cpp walks it.
//
//   y.state -> Node(op) --edges--> Node of each input that needs a gradient, or the leaf itself
//                       --saved--> Arrays with their versions, and the history they had
//
// A Node knows no Tensor of its own output, so none owns itself. Sequence numbers rise with recording: an input's Node
// always has a smaller one, which is the topological order that backward follows. Once recorded, edges do not change,
// and run() and release() take turns by a lock: several threads may walk graphs that share Nodes.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include <tandem/autograd/anomaly.h>
#include <tandem/autograd/hooks.h>
#include <tandem/autograd/record.h>

namespace tandem {

/// Where a gradient goes: a Node, or a leaf, or nowhere.
struct Edge {
  std::shared_ptr<Node> node;
  std::shared_ptr<TensorState> leaf;
  Shape shape;
  DType dtype = DType::f32;
  int saved = -1;  ///< the place of this input among the saved values; -1: it is none
  bool is_needed() const { return node != nullptr || leaf != nullptr; }
};

/// A saved value, with the identity and version it had: a Tensor with its history, or an Array, or the op's own output.
struct SavedValue {
  std::shared_ptr<TensorState> tensor;
  Array array;
  std::uint64_t storage = 0, version = 0;
  bool is_output = false;

  /// Undefined when nothing was kept.
  const Array& value() const { return tensor ? tensor->value : array; }
};

class Node : public std::enable_shared_from_this<Node> {
 public:
  Node(const char* op, std::vector<Edge> edges, std::vector<SavedValue> saved, Backward backward,
       const RecordOptions& options);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// Runs the op's backward, or under create_graph that of its definition. Throws Error when saved values changed, were
  /// freed, or gradients do not fit.
  Grads run(const Tensor& dy, Needs needs, bool create_graph);
  /// Frees what backward needed.
  void release();

  const char* op() const { return op_; }
  const std::vector<Edge>& edges() const { return edges_; }
  std::uint64_t sequence() const { return sequence_; }

  std::shared_ptr<GradientHooks> hooks;      ///< of the output; null without
  std::unique_ptr<const LayerNames> layers;  ///< where it was recorded; known while a DetectAnomaly lives
  std::uint32_t profiled_layer = 0;          ///< the same for a profile; 0: none was taken

 private:
  friend class Graveyard;

  void check_saved() const;
  Tensor saved_tensor(const SavedValue& saved, bool with_history);
  Grads run_definition(const Tensor& dy, const Saved& saved, Needs needs);
  /// Casts gradients of promoted inputs to the inputs' dtypes, then throws Error where one does not fit.
  void check(Grads& grads, Needs needs) const;

  const char* op_;
  std::vector<Edge> edges_;
  std::vector<SavedValue> saved_;
  Backward backward_;
  RecordOptions options_;
  std::uint64_t sequence_;
  std::int64_t saved_bytes_ = 0;
  bool released_ = false;
  std::mutex mutex_;  // run and release

  // While it waits to be destroyed: itself, and who waits behind it.
  std::shared_ptr<Node> own_;
  Node* next_ = nullptr;
};

}  // namespace tandem
