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
/// Until the op runs backward it may be without: of a Tensor that can be made again, what makes it and its history.
struct SavedValue {
  std::shared_ptr<TensorState> tensor;
  Array array;
  std::shared_ptr<Remade> remade;
  std::shared_ptr<Node> history;
  std::uint64_t storage = 0, version = 0;
  bool is_output = false;

  /// Undefined when nothing was kept.
  const Array& value() const { return tensor ? tensor->value : array; }
  bool is_kept() const { return remade || value().defined(); }
  /// The value, of what is kept without it.
  void make_again();
};

class CheckpointFrame;
class Remade;

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

  /// What the frame took of the saved values is given back by it when this runs.
  void set_frame(std::shared_ptr<CheckpointFrame> frame, std::size_t place);
  const CheckpointFrame* frame() const { return frame_.get(); }

  const char* op() const { return op_; }
  const std::vector<Edge>& edges() const { return edges_; }
  std::uint64_t sequence() const { return sequence_; }

  std::shared_ptr<GradientHooks> hooks;      ///< of the output; null without
  std::unique_ptr<const LayerNames> layers;  ///< where it was recorded; known while a DetectAnomaly lives

 private:
  friend class Graveyard;

  void check_saved() const;
  void count_saved();
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
  std::shared_ptr<CheckpointFrame> frame_;  // null outside of a checkpoint, and once it has given all back
  std::size_t place_ = 0;                   // in the frame
  std::mutex mutex_;                        // run and release

  // While it waits to be destroyed: itself, and who waits behind it.
  std::shared_ptr<Node> own_;
  Node* next_ = nullptr;
};

}  // namespace tandem
