// Node: one recorded op. Private to autograd: record.cpp makes it, backward.cpp walks it.
//
//   y.state -> Node(op) --edges--> Node of each input that needs a gradient, or the leaf itself
//                       --saved--> Arrays with their versions, and the history they had
//
// A Node knows no Tensor of its own output, so none owns itself. Sequence numbers rise with recording: an input's Node
// always has a smaller one, which is the topological order that backward follows. Once recorded, edges do not change,
// and run() takes turns by a lock: several threads may walk graphs that share Nodes.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include <tandem/autograd/anomaly.h>
#include <tandem/autograd/hooks.h>
#include <tandem/autograd/record.h>

namespace tandem {

class CheckpointFrame;

/// Where a gradient goes: a Node, or a leaf, or nowhere.
struct Edge {
  std::shared_ptr<Node> node;
  std::shared_ptr<TensorState> leaf;
  Shape shape;
  DType dtype = DType::f32;
  int saved = -1;  ///< the place of this input among the saved values; -1: it is none
  bool is_needed() const { return node != nullptr || leaf != nullptr; }
};

/// What a saved Tensor is: an input or intermediate with its history, an Array, or the op's own output; and the
/// identity and version that its value had. Until the op runs backward the Tensor may be undefined: `remade` makes its
/// value again, `history` is its Node.
struct SavedNote {
  Save::Kind kind;
  std::uint64_t storage = 0, version = 0;
  std::shared_ptr<Remade> remade;
  std::shared_ptr<Node> history;
};

/// One of them, as a checkpoint takes it away and gives it back.
struct SavedValue {
  Tensor tensor;
  SavedNote note;

  bool is_kept() const { return tensor.defined() || note.remade != nullptr; }
};

class Node : public std::enable_shared_from_this<Node> {
 public:
  Node(const char* op, Backward backward, const RecordOptions* options);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // What record does, in this order.
  void reserve(std::size_t inputs, std::size_t saved);
  Edge& add_edge() { return edges_.emplace_back(); }
  /// Undefined where no needed gradient uses it.
  void save(Tensor tensor, Save::Kind kind);
  /// A Tensor that can be made again: that is kept in place of its value.
  void save_remade(const Tensor& tensor);

  /// Runs the op's backward, or under create_graph that of its definition. Throws Error when saved values changed, were
  /// freed, or gradients do not fit. Then frees what backward needed, but where it is to be retained.
  Grads run(const Tensor& dy, Needs needs, bool create_graph, bool retain);

  // For checkpoints. What a frame took of the saved values is given back by it when this runs.
  void set_frame(std::shared_ptr<CheckpointFrame> frame, std::size_t place);
  const CheckpointFrame* frame() const { return frame_.get(); }
  std::size_t saved_size() const { return saved_.size(); }
  SavedValue saved(std::size_t i) const { return {saved_[i], notes_[i]}; }
  /// Leaves nothing but its kind.
  void drop_saved(std::size_t i);
  void give_saved(std::size_t i, SavedValue value);

  const char* op() const { return op_; }
  const SmallList<Edge, 3>& edges() const { return edges_; }
  std::uint64_t sequence() const { return sequence_; }

  std::shared_ptr<GradientHooks> hooks;      ///< of the output; null without
  std::unique_ptr<const LayerNames> layers;  ///< where it was recorded; known while a DetectAnomaly lives
  std::uint32_t profiled_layer = 0;          ///< the same for a profile; 0: none was taken

 private:
  friend class Graveyard;

  void check_saved() const;
  void make_saved();
  void count_saved();
  Grads run_twice_differentiable(const Tensor& dy, Needs needs);
  Grads run_definition(const Tensor& dy, const Saved& saved, Needs needs);
  /// Casts gradients of promoted inputs to the inputs' dtypes, then throws Error where one does not fit.
  void check(Grads& grads, Needs needs) const;
  void free_saved();

  const char* op_;
  SmallList<Edge, 3> edges_;
  SmallList<Tensor, 4> saved_;
  SmallList<SavedNote, 4> notes_;  // of each of saved_
  Backward backward_;
  Definition definition_;
  std::uint64_t sequence_;
  std::int64_t saved_bytes_ = 0;
  bool twice_differentiable_ = true, released_ = false;
  bool is_whole_ = true;                    // no saved value is to be made again
  std::shared_ptr<CheckpointFrame> frame_;  // null outside of a checkpoint, and once it has given all back
  std::size_t place_ = 0;                   // in the frame
  std::mutex mutex_;                        // run

  // While it waits to be destroyed: itself, and who waits behind it.
  std::shared_ptr<Node> own_;
  Node* next_ = nullptr;
};

}  // namespace tandem
