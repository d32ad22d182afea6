// One recorded op: running its backward with the checks on it, and destruction without recursion. See node.h.
#include <tandem/autograd/node.h>

#include <atomic>

#include <fmt/format.h>

#include <tandem/autograd/array_ops.h>
#include <tandem/autograd/autocast.h>
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

Node::Node(const char* op, Backward backward, const RecordOptions* options)
    : op_(op), backward_(std::move(backward)), sequence_(next_sequence.fetch_add(1, std::memory_order_relaxed)) {
  if (options != nullptr) {
    definition_ = options->definition;
    twice_differentiable_ = options->twice_differentiable;
  }
  living_nodes.fetch_add(1, std::memory_order_relaxed);
}

Node::~Node() {
  free_saved();
  for (Edge& edge : edges_) Graveyard::bury(std::move(edge.node));
  living_nodes.fetch_sub(1, std::memory_order_relaxed);
  Graveyard::empty();
}

void Node::reserve(std::size_t inputs, std::size_t saved) {
  edges_.reserve(inputs);
  saved_.reserve(saved);
  notes_.reserve(saved);
}

void Node::save(Tensor tensor, Save::Kind kind) {
  SavedNote& note = notes_.emplace_back(SavedNote{kind, 0, 0, nullptr, nullptr});
  if (tensor.defined()) {
    const Array& value = tensor.value();
    note.storage = value.storage()->id();
    note.version = value.version();
    const std::int64_t bytes = value.size() * static_cast<std::int64_t>(size_of(value.dtype()));
    saved_bytes_ += bytes;
    living_saved_bytes.fetch_add(bytes, std::memory_order_relaxed);
  }
  saved_.emplace_back(std::move(tensor));
}

void Node::save_remade(const Tensor& tensor) {
  notes_.emplace_back(SavedNote{Save::Kind::tensor, 0, 0, tensor.state()->remade, tensor.state()->node});
  saved_.emplace_back();
  is_whole_ = false;
}

void Node::set_frame(std::shared_ptr<CheckpointFrame> frame, std::size_t place) {
  frame_ = std::move(frame);
  place_ = place;
  is_whole_ = false;
}

void Node::drop_saved(std::size_t i) {
  saved_[i] = Tensor();
  notes_[i] = SavedNote{notes_[i].kind, 0, 0, nullptr, nullptr};
  count_saved();
}

void Node::give_saved(std::size_t i, SavedValue value) {
  saved_[i] = std::move(value.tensor);
  notes_[i] = std::move(value.note);
}

/// Gives back what a frame took, and makes again what was kept without its value.
void Node::make_saved() {
  if (frame_) {
    frame_->restore(place_, *this);
    frame_ = nullptr;
  }
  for (std::size_t i = 0; i < notes_.size(); ++i) {
    SavedNote& note = notes_[i];
    if (!note.remade) continue;
    Tensor tensor(note.remade->value());
    note.storage = tensor.value().storage()->id();
    note.version = tensor.value().version();
    tensor.state()->node = std::move(note.history);
    tensor.state()->remade = std::move(note.remade);
    tensor.state()->requires_grad = true;
    saved_[i] = std::move(tensor);
  }
  count_saved();
  is_whole_ = true;
}

void Node::count_saved() {
  std::int64_t bytes = 0;
  for (const Tensor& tensor : saved_) {
    if (tensor.defined()) bytes += tensor.size() * static_cast<std::int64_t>(size_of(tensor.dtype()));
  }
  living_saved_bytes.fetch_add(bytes - saved_bytes_, std::memory_order_relaxed);
  saved_bytes_ = bytes;
}

/// Nobody else uses it: what waits in the graveyard is to be emptied afterwards.
void Node::free_saved() {
  for (Tensor& tensor : saved_) {  // the last owner of a Tensor buries its history
    if (tensor.handle().use_count() == 1) Graveyard::bury(std::move(tensor.state()->node));
  }
  for (SavedNote& note : notes_) {
    if (note.history) Graveyard::bury(std::move(note.history));
  }
  saved_.clear();
  notes_.clear();
  frame_ = nullptr;
  backward_ = nullptr;
  definition_ = nullptr;
  if (saved_bytes_ != 0) living_saved_bytes.fetch_sub(saved_bytes_, std::memory_order_relaxed);
  saved_bytes_ = 0;
  released_ = true;
}

void Node::check_saved() const {
  for (std::size_t i = 0; i < saved_.size(); ++i) {
    if (!saved_[i].defined()) continue;
    const Array& value = saved_[i].value();
    const SavedNote& note = notes_[i];
    const bool is_replaced = value.storage()->id() != note.storage;
    if (value.version() == note.version && !is_replaced) continue;
    fail(where_of(op_), "a saved value was changed in place after forward",
         is_replaced
             ? fmt::format("another Array has taken the place of {}", value.shape().to_string())
             : fmt::format("{} is at version {}, was {}", value.shape().to_string(), value.version(), note.version),
         "clone() it before changing it, or call backward first");
  }
}

Grads Node::run(const Tensor& dy, Needs needs, bool create_graph, bool retain) {
  Grads grads;
  {
    const std::lock_guard guard(mutex_);
    if (released_) fail(where_of(op_), "the graph was freed by an earlier backward", {}, "give it retain_graph");
    if (!is_whole_) make_saved();
    check_saved();
    const AutocastScope by_saved_values(DType::f32);
    // Nothing is recorded without create_graph: then a saved Tensor may as well come with its history, and the output
    // need not.
    grads = create_graph ? run_twice_differentiable(dy, needs) : backward_(dy, Saved(op_, saved_), needs);
    check(grads, needs);
    if (!retain) free_saved();
  }
  if (!retain) Graveyard::empty();
  return grads;
}

/// A backward gets its output with this history; a definition gets constants.
Grads Node::run_twice_differentiable(const Tensor& dy, Needs needs) {
  if (!twice_differentiable_) {
    fail(where_of(op_), "has no second derivative", {},
         "leave out create_graph, or give record its definition or a backward written with ops");
  }
  std::vector<Tensor> tensors(saved_.begin(), saved_.end());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (!tensors[i].defined()) continue;
    if (definition_ && notes_[i].kind == Save::Kind::tensor) tensors[i] = tensors[i].detach();
    if (definition_ || notes_[i].kind != Save::Kind::output) continue;
    tensors[i] = tensors[i].detach();
    tensors[i].state()->node = shared_from_this();
    tensors[i].state()->requires_grad = true;
  }
  const Saved saved(op_, tensors);
  return definition_ ? run_definition(dy, saved, needs) : backward_(dy, saved, needs);
}

Grads Node::run_definition(const Tensor& dy, const Saved& saved, Needs needs) {
  std::vector<Tensor> inputs(edges_.size()), wanted;
  for (std::size_t i = 0; i < edges_.size(); ++i) {
    const Edge& edge = edges_[i];
    if (edge.saved >= 0) {
      inputs[i] = saved_[static_cast<std::size_t>(edge.saved)];
    } else if (edge.is_needed()) {
      inputs[i] = Tensor(Array::scalar(0, edge.dtype).expand(edge.shape), true);
    }
    if (!edge.is_needed() || !needs[i]) continue;
    inputs[i] = stand_in(inputs[i]);
    wanted.push_back(inputs[i]);
  }
  Tensor y = definition_(inputs, saved);
  if (y.shape() == dy.shape() && is_floating(y.dtype())) y = to(y, dy.dtype());  // of inputs that were promoted
  if (!(y.shape() == dy.shape()) || y.dtype() != dy.dtype()) {
    fail(where_of(op_), "the definition does not give what the op gives",
         fmt::format("definition {} {}, op {} {}", to_string(y.shape()), name(y.dtype()), to_string(dy.shape()),
                     name(dy.dtype())));
  }
  std::vector<Tensor> found(wanted.size());
  Grads grads(edges_.size());
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
    if (needs.is_placed(i)) continue;
    if (!grads[i].defined()) fail(where_of(op_), "a needed gradient is missing", fmt::format("of input {}", i));
    const Array& value = grads[i].value();
    if (value.shape() == edges_[i].shape && value.dtype() == edges_[i].dtype) continue;
    // An input that was promoted gets its gradient in its own dtype.
    if (value.shape() == edges_[i].shape && is_floating(value.dtype())) {
      grads[i] = to(grads[i], edges_[i].dtype);
    } else {
      fail(where_of(op_), "a gradient does not fit its input",
           fmt::format("input {} is {} {}, its gradient {} {}", i, edges_[i].shape.to_string(), name(edges_[i].dtype),
                       grads[i].shape().to_string(), name(grads[i].dtype())));
    }
  }
}

}  // namespace tandem
