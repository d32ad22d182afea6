// One recorded op: running its backward with the checks on it, and destruction without recursion. See node.h.
#include <tandem/autograd/node.h>

#include <atomic>

#include <fmt/format.h>

#include <tandem/autograd/array_ops.h>
#include <tandem/autograd/backward.h>
#include <tandem/autograd/checkpoint_frame.h>
#include <tandem/autograd/remade.h>
#include <tandem/core/error.h>

namespace tandem {

namespace {

std::atomic<std::uint64_t> next_sequence{1};
std::atomic<std::int64_t> living_nodes{0};
std::atomic<std::int64_t> living_saved_bytes{0};

std::string where_of(const char* op) { return fmt::format("backward of {}", op); }

/// x with a Node of its own: what a definition is differentiated by, also when one Tensor is two of its inputs.
Tensor stand_in(const Tensor& x) {
  if (!x.requires_grad()) return Tensor(x.value(), true);  // a leaf that was frozen after forward
  return record("input", x.value(), {x}, {}, [](const Tensor& dy, const Saved&, Needs) { return Grads{dy}; });
}

}  // namespace

/// Nodes whose last owner is being destroyed wait here, each linked to the next, so that a chain of a million is
/// destroyed without recursion. It has nothing to destroy itself: Tensors in static variables may go after it.
class Graveyard {
 public:
  static void bury(std::shared_ptr<Node> node) {
    if (node.use_count() != 1) return;  // others own it
    Node* dead = node.get();
    dead->own_ = std::move(node);
    dead->next_ = waiting_;
    waiting_ = dead;
  }

  static void empty() {
    if (is_emptying_) return;
    is_emptying_ = true;
    while (waiting_ != nullptr) {
      const std::shared_ptr<Node> last = std::move(waiting_->own_);
      waiting_ = waiting_->next_;
    }
    is_emptying_ = false;
  }

 private:
  static thread_local Node* waiting_;
  static thread_local bool is_emptying_;
};

thread_local Node* Graveyard::waiting_ = nullptr;
thread_local bool Graveyard::is_emptying_ = false;

GraphStats graph_stats() { return {living_nodes.load(), living_saved_bytes.load()}; }

void SavedValue::make_again() {
  if (!remade) return;
  tensor = std::make_shared<TensorState>();
  tensor->value = remade->value();
  tensor->node = std::move(history);
  tensor->remade = std::move(remade);
  tensor->requires_grad = true;
  storage = tensor->value.storage()->id();
  version = tensor->value.version();
}

Node::Node(const char* op, std::vector<Edge> edges, std::vector<SavedValue> saved, Backward backward,
           const RecordOptions& options)
    : op_(op),
      edges_(std::move(edges)),
      saved_(std::move(saved)),
      backward_(std::move(backward)),
      options_(options),
      sequence_(next_sequence.fetch_add(1, std::memory_order_relaxed)) {
  count_saved();
  living_nodes.fetch_add(1, std::memory_order_relaxed);
}

void Node::count_saved() {
  std::int64_t bytes = 0;
  for (const SavedValue& s : saved_) {
    const Array& value = s.value();
    if (value.defined()) bytes += value.size() * static_cast<std::int64_t>(size_of(value.dtype()));
  }
  living_saved_bytes.fetch_add(bytes - saved_bytes_, std::memory_order_relaxed);
  saved_bytes_ = bytes;
}

void Node::set_frame(std::shared_ptr<CheckpointFrame> frame, std::size_t place) {
  frame_ = std::move(frame);
  place_ = place;
}

Node::~Node() {
  release();
  for (Edge& edge : edges_) Graveyard::bury(std::move(edge.node));
  living_nodes.fetch_sub(1, std::memory_order_relaxed);
  Graveyard::empty();
}

void Node::release() {
  {
    const std::lock_guard guard(mutex_);
    for (SavedValue& s : saved_) {  // the last owner of a Tensor buries its history
      if (s.tensor.use_count() == 1) Graveyard::bury(std::move(s.tensor->node));
    }
    saved_.clear();
    frame_ = nullptr;
    backward_ = nullptr;
    options_.definition = nullptr;
    living_saved_bytes.fetch_sub(saved_bytes_, std::memory_order_relaxed);
    saved_bytes_ = 0;
    released_ = true;
  }
  Graveyard::empty();
}

void Node::check_saved() const {
  for (const SavedValue& s : saved_) {
    const Array& value = s.value();
    if (!value.defined()) continue;
    const bool is_replaced = value.storage()->id() != s.storage;
    if (value.version() == s.version && !is_replaced) continue;
    fail(where_of(op_), "a saved value was changed in place after forward",
         is_replaced
             ? fmt::format("another Array has taken the place of {}", value.shape().to_string())
             : fmt::format("{} is at version {}, was {}", value.shape().to_string(), value.version(), s.version),
         "clone() it before changing it, or call backward first");
  }
}

Tensor Node::saved_tensor(const SavedValue& saved, bool with_history) {
  if (!saved.value().defined()) return {};
  if (with_history && saved.tensor) return Tensor(saved.tensor);
  Tensor tensor(saved.value());
  if (with_history && saved.is_output) {
    tensor.state()->node = shared_from_this();
    tensor.state()->requires_grad = true;
  }
  return tensor;
}

Grads Node::run(const Tensor& dy, Needs needs, bool create_graph) {
  const std::lock_guard guard(mutex_);
  if (released_) fail(where_of(op_), "the graph was freed by an earlier backward", {}, "give it retain_graph");
  if (create_graph && !options_.twice_differentiable) {
    fail(where_of(op_), "has no second derivative", {},
         "leave out create_graph, or give record its definition or a backward written with ops");
  }
  if (frame_) {
    frame_->restore(place_, saved_);
    frame_ = nullptr;
  }
  for (SavedValue& s : saved_) s.make_again();
  count_saved();
  check_saved();
  const bool by_definition = create_graph && options_.definition != nullptr;
  std::vector<Tensor> tensors;
  tensors.reserve(saved_.size());
  // Nothing is recorded without create_graph: then a Tensor may as well come with its history, and its own output need
  // not. A definition gets constants.
  for (const SavedValue& s : saved_) {
    tensors.push_back(saved_tensor(s, s.is_output ? create_graph && !by_definition : !by_definition));
  }
  const Saved saved(op_, tensors);
  Grads grads = by_definition ? run_definition(dy, saved, needs) : backward_(dy, saved, needs);
  check(grads, needs);
  return grads;
}

Grads Node::run_definition(const Tensor& dy, const Saved& saved, Needs needs) {
  std::vector<Tensor> inputs(edges_.size()), wanted;
  for (std::size_t i = 0; i < edges_.size(); ++i) {
    const Edge& edge = edges_[i];
    if (edge.saved >= 0) {
      inputs[i] = saved_tensor(saved_[static_cast<std::size_t>(edge.saved)], true);
    } else if (edge.is_needed()) {
      inputs[i] = Tensor(Array::scalar(0, edge.dtype).expand(edge.shape), true);
    }
    if (!edge.is_needed() || !needs[i]) continue;
    inputs[i] = stand_in(inputs[i]);
    wanted.push_back(inputs[i]);
  }
  const Tensor y = options_.definition(inputs, saved);
  if (!(y.shape() == dy.shape()) || y.dtype() != dy.dtype()) {
    fail(where_of(op_), "the definition does not give what the op gives",
         fmt::format("definition {} {}, op {} {}", to_string(y.shape()), name(y.dtype()), to_string(dy.shape()),
                     name(dy.dtype())));
  }
  Grads found(wanted.size()), grads(edges_.size());
  if (y.requires_grad()) found = grad({y}, wanted, {.create_graph = true, .allow_unused = true, .seeds = {dy}});
  for (std::size_t i = 0, next = 0; i < edges_.size(); ++i) {
    if (!edges_[i].is_needed() || !needs[i]) continue;
    grads[i] = found[next++];
    if (!grads[i].defined()) grads[i] = Tensor(Array::zeros(edges_[i].shape, edges_[i].dtype));
  }
  return grads;
}

void Node::check(Grads& grads, Needs needs) const {
  if (grads.size() != edges_.size()) {
    fail(where_of(op_), "wrong number of gradients", fmt::format("{} for {} inputs", grads.size(), edges_.size()));
  }
  for (std::size_t i = 0; i < grads.size(); ++i) {
    if (!edges_[i].is_needed() || !needs[i]) continue;
    if (!grads[i].defined()) fail(where_of(op_), "a needed gradient is missing", fmt::format("of input {}", i));
    // An input that was promoted gets its gradient in its own dtype.
    if (grads[i].shape() == edges_[i].shape && is_floating(grads[i].dtype())) grads[i] = to(grads[i], edges_[i].dtype);
    if (!(grads[i].shape() == edges_[i].shape) || grads[i].dtype() != edges_[i].dtype) {
      fail(where_of(op_), "a gradient does not fit its input",
           fmt::format("input {} is {} {}, its gradient {} {}", i, edges_[i].shape.to_string(), name(edges_[i].dtype),
                       grads[i].shape().to_string(), name(grads[i].dtype())));
    }
  }
}

}  // namespace tandem
