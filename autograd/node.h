// Node: one recorded op. Private to autograd: record.cpp makes it, backward.cpp walks it.
//
//   y.state -> Node(op) --edges--> Node of each input that needs a gradient, or the leaf itself
//                       --saved--> Arrays with their versions, and the history they had
//
// A Node knows no Tensor of its own output, so none owns itself. Sequence numbers rise with recording: an input's Node
// always has a smaller one, which is the topological order that backward follows.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <tandem/autograd/record.h>

namespace tandem {

/// Where a gradient goes: a Node, or a leaf, or nowhere.
struct Edge {
  std::shared_ptr<Node> node;
  std::shared_ptr<TensorState> leaf;
  Shape shape;
  DType dtype = DType::f32;
  bool is_needed() const { return node != nullptr || leaf != nullptr; }
};

/// A saved value with the version it had. `node` or `leaf` is its history, for create_graph.
struct SavedValue {
  Array value;
  std::uint64_t version = 0;
  std::shared_ptr<Node> node;
  std::shared_ptr<TensorState> leaf;
  bool is_output = false;
};

class Node : public std::enable_shared_from_this<Node> {
 public:
  Node(const char* op, std::vector<Edge> edges, Backward backward, const RecordOptions& options);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  void save(SavedValue value);
  /// Runs the op's backward. Throws Error when saved values changed, were freed, or gradients do not fit.
  Grads run(const Tensor& dy, Needs needs, bool create_graph);
  /// Frees what backward needed.
  void release();

  const char* op() const { return op_; }
  const std::vector<Edge>& edges() const { return edges_; }
  std::uint64_t sequence() const { return sequence_; }

  // Scratch of one traversal.
  Tensor gradient;
  std::uint64_t visit = 0;
  bool leads_to_target = false;

 private:
  const char* op_;
  std::vector<Edge> edges_;
  std::vector<SavedValue> saved_;
  Backward backward_;
  RecordOptions options_;
  std::uint64_t sequence_;
  std::int64_t saved_bytes_ = 0;
  bool released_ = false;
};

}  // namespace tandem
