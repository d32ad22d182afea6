// Recording ops, and running one recorded backward with its checks. See record.h and node.h.
#include <atomic>

#include <fmt/format.h>

#include <tandem/autograd/array_ops.h>
#include <tandem/autograd/node.h>
#include <tandem/core/error.h>

namespace tandem {

namespace {

thread_local bool recording = true;
std::atomic<std::uint64_t> next_sequence{1};
std::atomic<std::int64_t> living_nodes{0};
std::atomic<std::int64_t> living_saved_bytes{0};

// Nodes whose last owner is being destroyed wait here, so that a chain of a million is destroyed without recursion.
thread_local std::vector<std::shared_ptr<Node>> graveyard;
thread_local bool is_burying = false;

void bury(std::shared_ptr<Node> node) {
  if (node) graveyard.push_back(std::move(node));
}

void empty_graveyard() {
  if (is_burying) return;
  is_burying = true;
  while (!graveyard.empty()) {
    const std::shared_ptr<Node> last = std::move(graveyard.back());
    graveyard.pop_back();
  }
  is_burying = false;
}

std::string where_of(const char* op) { return fmt::format("backward of {}", op); }

}  // namespace

Save Save::output(std::uint64_t uses) {
  Save save(Kind::output);
  save.for_inputs = uses;
  return save;
}

bool is_recording() { return recording; }

NoGradGuard::NoGradGuard() : before_(recording) { recording = false; }

NoGradGuard::~NoGradGuard() { recording = before_; }

GraphStats graph_stats() { return {living_nodes.load(), living_saved_bytes.load()}; }

Node::Node(const char* op, std::vector<Edge> edges, Backward backward, const RecordOptions& options)
    : op_(op),
      edges_(std::move(edges)),
      backward_(std::move(backward)),
      options_(options),
      sequence_(next_sequence.fetch_add(1, std::memory_order_relaxed)) {
  living_nodes.fetch_add(1, std::memory_order_relaxed);
}

Node::~Node() {
  release();
  for (Edge& edge : edges_) bury(std::move(edge.node));
  living_nodes.fetch_sub(1, std::memory_order_relaxed);
  empty_graveyard();
}

void Node::save(SavedValue value) {
  if (value.value.defined()) {
    const auto bytes = value.value.size() * static_cast<std::int64_t>(size_of(value.value.dtype()));
    saved_bytes_ += bytes;
    living_saved_bytes.fetch_add(bytes, std::memory_order_relaxed);
  }
  saved_.push_back(std::move(value));
}

void Node::release() {
  for (SavedValue& value : saved_) bury(std::move(value.node));
  saved_.clear();
  backward_ = nullptr;
  living_saved_bytes.fetch_sub(saved_bytes_, std::memory_order_relaxed);
  saved_bytes_ = 0;
  released_ = true;
  empty_graveyard();
}

Grads Node::run(const Tensor& dy, Needs needs, bool create_graph) {
  if (released_) fail(where_of(op_), "the graph was freed by an earlier backward", {}, "give it retain_graph");
  if (create_graph && !options_.twice_differentiable) {
    fail(where_of(op_), "has no second derivative", {}, "leave out create_graph, or write its backward with ops");
  }
  std::vector<Tensor> saved;
  saved.reserve(saved_.size());
  for (const SavedValue& s : saved_) {
    if (!s.value.defined()) {
      saved.emplace_back();
      continue;
    }
    if (s.value.version() != s.version) {
      fail(where_of(op_), "a saved value was changed in place after forward",
           fmt::format("{} is at version {}, was {}", s.value.shape().to_string(), s.value.version(), s.version),
           "clone() it before changing it, or call backward first");
    }
    if (create_graph && s.leaf) {
      saved.emplace_back(s.leaf);
    } else {
      Tensor tensor(s.value);
      if (create_graph && (s.node || s.is_output)) {
        tensor.state()->node = s.is_output ? shared_from_this() : s.node;
        tensor.state()->requires_grad = true;
      }
      saved.push_back(std::move(tensor));
    }
  }
  Grads grads = backward_(dy, Saved(saved), needs);
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
  return grads;
}

Tensor record(const char* op, Array y, std::vector<Tensor> inputs, std::vector<Save> saved, Backward backward,
              const RecordOptions& options) {
  std::uint64_t needed = 0;
  bool any = false;
  if (recording) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!inputs[i].requires_grad()) continue;
      any = true;
      needed |= i < 64 ? std::uint64_t{1} << i : ~std::uint64_t{0};
    }
  }
  Tensor result(std::move(y));
  if (!any) return result;

  std::vector<Edge> edges(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].requires_grad()) continue;
    edges[i].shape = inputs[i].shape();
    edges[i].dtype = inputs[i].dtype();
    if (inputs[i].is_leaf()) {
      edges[i].leaf = inputs[i].handle();
    } else {
      edges[i].node = inputs[i].state()->node;
    }
  }
  auto node = std::make_shared<Node>(op, std::move(edges), std::move(backward), options);
  for (Save& s : saved) {
    SavedValue value;
    if ((s.for_inputs & needed) != 0) {
      value.is_output = s.kind == Save::Kind::output;
      if (value.is_output) {
        value.value = result.value();
      } else if (s.kind == Save::Kind::array) {
        value.value = std::move(s.array_value);
      } else if (s.tensor.defined()) {
        value.value = s.tensor.value();
        value.node = s.tensor.state()->node;
        if (s.tensor.is_leaf()) value.leaf = s.tensor.handle();
      }
      if (value.value.defined()) value.version = value.value.version();
    }
    node->save(std::move(value));
  }
  result.state()->node = std::move(node);
  result.state()->requires_grad = true;
  return result;
}

}  // namespace tandem
