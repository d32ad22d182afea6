// The traversal: nodes are taken from a heap, largest sequence number first, so that every consumer of a node has run
// before it; no recursion, no counting of dependencies. A node's saved values are freed as soon as it has run.
#include <algorithm>
#include <atomic>
#include <optional>
#include <unordered_map>

#include <fmt/format.h>

#include <tandem/autograd/backward.h>
#include <tandem/autograd/node.h>
#include <tandem/autograd/ops.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/elementwise.h>

namespace tandem {

namespace {

std::atomic<std::uint64_t> next_visit{1};

bool runs_before(const std::shared_ptr<Node>& a, const std::shared_ptr<Node>& b) {
  return a->sequence() < b->sequence();
}

class Traversal {
 public:
  Traversal(bool create_graph, bool retain_graph)
      : create_graph_(create_graph), retain_graph_(retain_graph || create_graph), visit_(next_visit.fetch_add(1)) {}

  /// Asks for the gradients of these Tensors instead of accumulating into leaves.
  void set_targets(const std::vector<Tensor>& outputs, const std::vector<Tensor>& targets) {
    has_targets_ = true;
    for (const Tensor& t : targets) {
      if (t.is_leaf()) {
        leaf_targets_[t.state()];
      } else {
        node_targets_[t.state()->node.get()];
      }
    }
    mark_paths(outputs);
  }

  void add_root(const Tensor& output, const Tensor& seed) {
    if (output.is_leaf()) {
      arrive_at_leaf(output.handle(), seed);
    } else {
      arrive_at_node(output.state()->node, seed);
    }
  }

  void run() {
    while (!heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end(), runs_before);
      const std::shared_ptr<Node> node = std::move(heap_.back());
      heap_.pop_back();
      const Tensor dy = std::exchange(node->gradient, Tensor{});
      if (const auto target = node_targets_.find(node.get()); target != node_targets_.end()) target->second = dy;
      const Needs needs = needs_of(*node);
      if (has_targets_ && !leads_further(*node)) continue;
      Grads grads = node->run(dy, needs, create_graph_);
      for (std::size_t i = 0; i < grads.size(); ++i) {
        const Edge& edge = node->edges()[i];
        if (!is_wanted(edge)) continue;
        if (edge.leaf) {
          arrive_at_leaf(edge.leaf, grads[i]);
        } else {
          arrive_at_node(edge.node, grads[i]);
        }
        grads[i] = Tensor{};
      }
      if (!retain_graph_) node->release();
    }
  }

  /// The gradient of a target; undefined when nothing reached it.
  Tensor gradient_of(const Tensor& target) const {
    return target.is_leaf() ? leaf_targets_.at(target.state()) : node_targets_.at(target.state()->node.get());
  }

  ~Traversal() {  // after an error: leave no half-made gradients in nodes
    for (const auto& node : heap_) node->gradient = Tensor{};
  }
  Traversal(const Traversal&) = delete;
  Traversal& operator=(const Traversal&) = delete;

 private:
  // Marks the nodes from which a target can be reached: sorted by sequence, inputs come first.
  void mark_paths(const std::vector<Tensor>& outputs) {
    std::vector<Node*> all, open;
    const auto visit = [&](Node* node) {
      if (node == nullptr || node->visit == visit_) return;
      node->visit = visit_;
      node->leads_to_target = false;
      open.push_back(node);
      all.push_back(node);
    };
    for (const Tensor& y : outputs) visit(y.state()->node.get());
    while (!open.empty()) {
      const Node* node = open.back();
      open.pop_back();
      for (const Edge& edge : node->edges()) visit(edge.node.get());
    }
    std::sort(all.begin(), all.end(), [](const Node* a, const Node* b) { return a->sequence() < b->sequence(); });
    for (Node* node : all) node->leads_to_target = node_targets_.contains(node) || leads_further(*node);
  }

  bool is_wanted(const Edge& edge) const {
    if (!has_targets_) return edge.is_needed();
    if (edge.leaf) return leaf_targets_.contains(edge.leaf.get());
    return edge.node && edge.node->leads_to_target;
  }

  bool leads_further(const Node& node) const {
    return std::any_of(node.edges().begin(), node.edges().end(), [&](const Edge& edge) { return is_wanted(edge); });
  }

  Needs needs_of(const Node& node) const {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < node.edges().size() && i < 64; ++i) {
      if (is_wanted(node.edges()[i])) bits |= std::uint64_t{1} << i;
    }
    return Needs(bits);
  }

  Tensor sum(const Tensor& a, const Tensor& b) const {
    return create_graph_ ? add(a, b) : Tensor(kernels::add(a.value(), b.value()));
  }

  void arrive_at_node(const std::shared_ptr<Node>& node, const Tensor& gradient) {
    if (has_targets_ && !node->leads_to_target) return;
    if (node->gradient.defined()) {
      node->gradient = sum(node->gradient, gradient);
      return;
    }
    node->gradient = gradient;
    heap_.push_back(node);
    std::push_heap(heap_.begin(), heap_.end(), runs_before);
  }

  void arrive_at_leaf(const std::shared_ptr<TensorState>& leaf, const Tensor& gradient) {
    if (!has_targets_) {
      Tensor(leaf).accumulate_grad(gradient.value());
    } else if (const auto target = leaf_targets_.find(leaf.get()); target != leaf_targets_.end()) {
      target->second = target->second.defined() ? sum(target->second, gradient) : gradient;
    }
  }

  bool create_graph_, retain_graph_, has_targets_ = false;
  std::uint64_t visit_;
  std::vector<std::shared_ptr<Node>> heap_;
  std::unordered_map<const Node*, Tensor> node_targets_;
  std::unordered_map<const TensorState*, Tensor> leaf_targets_;
};

Tensor checked_seed(const char* where, const Tensor& output, const Tensor& seed) {
  if (!output.requires_grad()) {
    fail(where, "the output has no history", "no input of it requires a gradient, or recording was off");
  }
  if (!seed.defined()) {
    if (output.size() != 1) {
      fail(where, "the output is not a scalar", output.shape().to_string(), "give dy as a seed, or reduce it by sum()");
    }
    return Tensor(Array::full(output.shape(), 1, output.dtype()));
  }
  if (!(seed.shape() == output.shape()) || seed.dtype() != output.dtype()) {
    fail(where, "the seed does not fit the output",
         fmt::format("seed {}, output {}", seed.shape().to_string(), output.shape().to_string()));
  }
  return seed;
}

void backward_from(const Tensor& output, const Tensor& seed, bool retain_graph) {
  if (!output.defined()) fail("backward", "tensor is not defined");
  const Tensor dy = checked_seed("backward", output, seed);
  const NoGradGuard guard;
  Traversal traversal(false, retain_graph);
  traversal.add_root(output, dy);
  traversal.run();
}

}  // namespace

void Tensor::backward(bool retain_graph) const { backward_from(*this, {}, retain_graph); }

void Tensor::backward(const Array& seed, bool retain_graph) const { backward_from(*this, Tensor(seed), retain_graph); }

std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const GradOptions& options) {
  if (!options.seeds.empty() && options.seeds.size() != outputs.size()) {
    fail("grad", "one seed per output is needed",
         fmt::format("{} seeds, {} outputs", options.seeds.size(), outputs.size()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].requires_grad()) fail("grad", "an input does not require a gradient", fmt::format("input {}", i));
  }
  std::vector<Tensor> seeds;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    seeds.push_back(checked_seed("grad", outputs[i], options.seeds.empty() ? Tensor{} : options.seeds[i]));
  }
  std::optional<NoGradGuard> guard;
  if (!options.create_graph) guard.emplace();
  Traversal traversal(options.create_graph, options.retain_graph);
  traversal.set_targets(outputs, inputs);
  for (std::size_t i = 0; i < outputs.size(); ++i) traversal.add_root(outputs[i], seeds[i]);
  traversal.run();
  std::vector<Tensor> result;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    result.push_back(traversal.gradient_of(inputs[i]));
    if (!result.back().defined() && !options.allow_unused) {
      fail("grad", "an output does not depend on an input", fmt::format("input {}", i), "give allow_unused");
    }
  }
  return result;
}

}  // namespace tandem
