// The traversal: of the nodes that a gradient has reached, the one with the largest sequence number runs next, so that
// every consumer of a node has run before it; no recursion, no counting of dependencies. A node's saved values are
// freed as soon as it has run. All that a traversal knows of nodes is its own, so that several threads may walk graphs
// that share nodes.
#include <algorithm>
#include <limits>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include <tandem/autograd/arrivals.h>
#include <tandem/autograd/backward.h>
#include <tandem/autograd/gradient_places.h>
#include <tandem/autograd/node.h>
#include <tandem/autograd/ops.h>
#include <tandem/autograd/reached_nodes.h>
#include <tandem/core/error.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/profile.h>

namespace tandem {

namespace {

thread_local const Arrivals::Function* asked_arrivals = nullptr;

class Traversal {
 public:
  Traversal(bool create_graph, bool retain_graph)
      : create_graph_(create_graph), retain_graph_(retain_graph || create_graph) {}

  /// Asks for the gradients of these Tensors instead of accumulating into leaves.
  void set_targets(const std::vector<Tensor>& outputs, const std::vector<Tensor>& targets) {
    has_targets_ = true;
    std::uint64_t first = std::numeric_limits<std::uint64_t>::max();
    for (const Tensor& t : targets) {
      if (t.is_leaf()) {
        leaf_targets_[t.state()];
        first = 0;
      } else {
        node_targets_[t.state()->node.get()];
        first = std::min(first, t.state()->node->sequence());
      }
    }
    mark_paths(outputs, first);
  }

  /// Tells of each leaf when its gradient is complete.
  void tell_arrivals(const Tensor& output, const Arrivals::Function& f) {
    arrivals_ = &f;
    for_nodes({output}, 0, [&](const Node* node) {
      for (const Edge& edge : node->edges()) uses_left_[edge.leaf.get()] += edge.leaf ? 1 : 0;
    });
  }

  void add_root(const Tensor& output, Tensor seed) {
    if (output.is_leaf())
      arrive_at_leaf(output.handle(), std::move(seed));
    else
      arrive_at_node(output.state()->node, std::move(seed));
  }

  void run() {
    const profile::PhaseScope phase(profile::Phase::backward);
    const profile::OpScope sums("sum of gradients", 0);  // what no op of the graph does
    while (!reached_.empty()) {
      auto [node, dy] = reached_.take_last();
      if (node->hooks) dy = node->hooks->apply(std::move(dy));
      if (has_targets_) {
        if (const auto target = node_targets_.find(node.get()); target != node_targets_.end()) target->second = dy;
        if (!leads_further(*node)) continue;
      }
      Grads grads = run(*node, dy);
      dy = Tensor{};  // a gradient that is dy itself has one owner now
      for (std::size_t i = 0; i < grads.size(); ++i) {
        const Edge& edge = node->edges()[i];
        if (!is_wanted(edge)) continue;
        if (!grads[i].defined()) {  // it was written to its place
          if (edge.leaf) count_arrival(edge.leaf);
        } else if (edge.leaf) {
          arrive_at_leaf(edge.leaf, std::move(grads[i]));
        } else {
          arrive_at_node(edge.node, std::move(grads[i]));
        }
      }
    }
    finish_leaves();
  }

  /// The gradient of a target; undefined when nothing reached it.
  Tensor gradient_of(const Tensor& target) const {
    return target.is_leaf() ? leaf_targets_.at(target.state()) : node_targets_.at(target.state()->node.get());
  }

 private:
  struct HookedLeaf {
    std::shared_ptr<TensorState> leaf;
    Tensor gradient;
  };

  Grads run(Node& node, const Tensor& dy) const {
    const profile::OpScope profiled(node.op(), node.profiled_layer);
    if (!is_detecting_anomalies()) {
      if (has_targets_ || create_graph_) return node.run(dy, Needs(needs_of(node)), create_graph_, retain_graph_);
      GradientPlaces places(node.edges());
      Grads grads = node.run(dy, Needs(needs_of(node), &places), create_graph_, retain_graph_);
      places.finish();
      return grads;
    }
    detail::check_arrived(node.op(), dy, node.layers.get());
    const detail::InsideBackward inside;
    Grads grads = node.run(dy, Needs(needs_of(node)), create_graph_, retain_graph_);
    detail::check_backward(node.op(), dy, {grads.data(), grads.size()}, node.layers.get());
    return grads;
  }

  /// Calls f once for each node that the outputs lead to and that was not recorded before `first`.
  template <class F>
  static void for_nodes(const std::vector<Tensor>& outputs, std::uint64_t first, F&& f) {
    std::vector<const Node*> open;
    std::unordered_set<const Node*> seen;
    const auto visit = [&](const Node* node) {
      if (node != nullptr && node->sequence() >= first && seen.insert(node).second) open.push_back(node);
    };
    for (const Tensor& y : outputs) visit(y.state()->node.get());
    while (!open.empty()) {
      const Node* node = open.back();
      open.pop_back();
      f(node);
      for (const Edge& edge : node->edges()) visit(edge.node.get());
    }
  }

  // Finds the nodes from which a target can be reached: sorted by sequence, inputs come first. Nodes recorded before
  // `first` lead to none.
  void mark_paths(const std::vector<Tensor>& outputs, std::uint64_t first) {
    std::vector<const Node*> all;
    for_nodes(outputs, first, [&](const Node* node) { all.push_back(node); });
    std::sort(all.begin(), all.end(), [](const Node* a, const Node* b) { return a->sequence() < b->sequence(); });
    for (const Node* node : all) {
      if (node_targets_.contains(node) || leads_further(*node)) leading_.insert(node);
    }
  }

  bool is_wanted(const Edge& edge) const {
    if (!has_targets_) return edge.is_needed();
    if (edge.leaf) return leaf_targets_.contains(edge.leaf.get());
    return edge.node && leading_.contains(edge.node.get());
  }

  bool leads_further(const Node& node) const {
    return std::any_of(node.edges().begin(), node.edges().end(), [&](const Edge& edge) { return is_wanted(edge); });
  }

  std::uint64_t needs_of(const Node& node) const {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < node.edges().size() && i < 64; ++i) {
      if (is_wanted(node.edges()[i])) bits |= std::uint64_t{1} << i;
    }
    return bits;
  }

  /// Whether a sum may be written into x: no one else has its memory, and it has a place for each number.
  static bool is_own(const Tensor& x) {
    return x.handle().use_count() == 1 && x.value().storage().use_count() == 1 &&
           x.value().storage()->buffer().use_count() <= 1 && x.value().is_dense();
  }

  /// a + b, in the memory of one of them where it is free.
  Tensor sum(Tensor a, Tensor b) const {
    if (create_graph_) return add(a, b);
    if (a.dtype() != b.dtype()) return Tensor(kernels::add(a.value(), b.value()));
    if (!is_own(a)) std::swap(a, b);
    if (!is_own(a)) return Tensor(kernels::add(a.value(), b.value()));
    kernels::add_into(a.state()->value, b.value());
    return a;
  }

  void arrive(Tensor& place, Tensor gradient) const {
    place = place.defined() ? sum(std::move(place), std::move(gradient)) : std::move(gradient);
  }

  void arrive_at_node(const std::shared_ptr<Node>& node, Tensor gradient) {
    if (has_targets_ && !leading_.contains(node.get())) return;
    arrive(reached_.gradient_of(node), std::move(gradient));
  }

  void arrive_at_leaf(const std::shared_ptr<TensorState>& leaf, Tensor gradient) {
    if (has_targets_) {
      const auto target = leaf_targets_.find(leaf.get());
      if (target != leaf_targets_.end()) arrive(target->second, std::move(gradient));
    } else if (leaf->hooks) {
      auto hooked = std::find_if(hooked_leaves_.begin(), hooked_leaves_.end(),
                                 [&](const HookedLeaf& known) { return known.leaf == leaf; });
      if (hooked == hooked_leaves_.end()) hooked = hooked_leaves_.insert(hooked, {leaf, {}});
      arrive(hooked->gradient, std::move(gradient));
    } else {
      give_to_leaf(leaf, std::move(gradient));
      count_arrival(leaf);
    }
  }

  void count_arrival(const std::shared_ptr<TensorState>& leaf) {
    if (arrivals_ != nullptr && --uses_left_[leaf.get()] == 0) (*arrivals_)(leaf.get());
  }

  static void give_to_leaf(const std::shared_ptr<TensorState>& leaf, Tensor gradient) {
    if (is_detecting_anomalies()) detail::check_arrived("accumulate_grad", gradient, nullptr);
    Tensor owner(leaf);
    if (gradient.handle().use_count() == 1)
      owner.accumulate_grad(std::move(gradient.state()->value));
    else
      owner.accumulate_grad(gradient.value());
  }

  /// The hooks of leaves see the sum over all uses.
  void finish_leaves() {
    for (HookedLeaf& hooked : hooked_leaves_) {
      give_to_leaf(hooked.leaf, hooked.leaf->hooks->apply(std::move(hooked.gradient)));
      if (arrivals_ != nullptr) (*arrivals_)(hooked.leaf.get());
    }
    for (auto& [state, gradient] : leaf_targets_) {
      if (gradient.defined() && state->hooks) gradient = state->hooks->apply(std::move(gradient));
    }
  }

  bool create_graph_, retain_graph_, has_targets_ = false;
  ReachedNodes reached_;
  std::unordered_set<const Node*> leading_;  // to a target
  std::unordered_map<const Node*, Tensor> node_targets_;
  std::unordered_map<const TensorState*, Tensor> leaf_targets_;
  std::vector<HookedLeaf> hooked_leaves_;
  const Arrivals::Function* arrivals_ = nullptr;
  std::unordered_map<const TensorState*, std::int64_t> uses_left_;  // of leaves, where somebody wants to know
};

Tensor checked_seed(const char* where, const Tensor& output, const Tensor& seed) {
  if (!output.requires_grad())
    fail(where, "the output has no history", "no input of it requires a gradient, or recording was off");
  if (!seed.defined()) {
    if (output.size() != 1)
      fail(where, "the output is not a scalar", output.shape().to_string(), "give dy as a seed, or reduce it by sum()");
    return Tensor(output.rank() == 0 ? Array::scalar(1, output.dtype())
                                     : Array::full(output.shape(), 1, output.dtype()));
  }
  if (!(seed.shape() == output.shape()) || seed.dtype() != output.dtype())
    fail(where, "the seed does not fit the output",
         fmt::format("seed {}, output {}", seed.shape().to_string(), output.shape().to_string()));
  return seed;
}

void backward_from(const Tensor& output, const Tensor& seed, bool retain_graph) {
  if (!output.defined()) fail("backward", "tensor is not defined");
  Tensor dy = checked_seed("backward", output, seed);
  const NoGradGuard guard;
  Traversal traversal(false, retain_graph);
  if (Arrivals::asked() != nullptr) traversal.tell_arrivals(output, *Arrivals::asked());
  traversal.add_root(output, std::move(dy));
  traversal.run();
}

}  // namespace

Arrivals::Arrivals(Function f) : f_(std::move(f)), outside_(std::exchange(asked_arrivals, &f_)) {}
Arrivals::~Arrivals() { asked_arrivals = outside_; }
const Arrivals::Function* Arrivals::asked() { return asked_arrivals; }

void Tensor::backward(bool retain_graph) const { backward_from(*this, {}, retain_graph); }

void Tensor::backward(const Array& seed, bool retain_graph) const { backward_from(*this, Tensor(seed), retain_graph); }

std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const GradOptions& options) {
  if (!options.seeds.empty() && options.seeds.size() != outputs.size())
    fail("grad", "one seed per output is needed",
         fmt::format("{} seeds, {} outputs", options.seeds.size(), outputs.size()));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].requires_grad()) fail("grad", "an input does not require a gradient", fmt::format("input {}", i));
  }
  std::vector<Tensor> seeds;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    seeds.push_back(checked_seed("grad", outputs[i], options.seeds.empty() ? Tensor{} : options.seeds[i]));
  }
  const RecordingScope recorded(options.create_graph);
  Traversal traversal(options.create_graph, options.retain_graph);
  traversal.set_targets(outputs, inputs);
  for (std::size_t i = 0; i < outputs.size(); ++i) traversal.add_root(outputs[i], seeds[i]);
  traversal.run();
  std::vector<Tensor> result;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    result.push_back(traversal.gradient_of(inputs[i]));
    if (!result.back().defined() && !options.allow_unused)
      fail("grad", "an output does not depend on an input", fmt::format("input {}", i), "give allow_unused");
  }
  return result;
}

}  // namespace tandem
