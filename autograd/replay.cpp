// Which pass may be replayed, and when one is to be kept anew. See replay.h; the list of kernels: core/capture.h.
#include <tandem/autograd/replay.h>

#include <algorithm>
#include <cstring>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include <tandem/autograd/anomaly.h>
#include <tandem/autograd/arrivals.h>
#include <tandem/autograd/autocast.h>
#include <tandem/autograd/checkpoint_frame.h>
#include <tandem/autograd/gradient_places.h>
#include <tandem/autograd/hooks.h>
#include <tandem/autograd/node.h>
#include <tandem/core/capture.h>
#include <tandem/core/error.h>
#include <tandem/core/profile.h>

namespace tandem {

namespace {

constexpr std::size_t kShapes = 16;  // sets of shapes that are remembered

/// A parameter as it was when the pass was kept.
struct Leaf {
  std::shared_ptr<TensorState> state;
  const Storage *value, *grad;

  /// Its gradient is memory of an Optimizer in which none has arrived, and nobody looks on.
  static bool is_ready(const TensorState& s) {
    return s.grad_bound && !s.grad_arrived && (s.hooks == nullptr || s.hooks->list.empty()) && s.locked == nullptr;
  }
  bool is_same() const {
    return state->requires_grad && state->grad_bound && state->value.storage().get() == value &&
           state->grad.storage().get() == grad;
  }
};

/// The leaves below a result that get a gradient.
std::vector<std::shared_ptr<TensorState>> leaves_below(const Tensor& y) {
  std::vector<std::shared_ptr<TensorState>> leaves;
  std::vector<const Node*> open{y.state()->node.get()};
  std::unordered_set<const void*> seen;
  while (!open.empty()) {
    const Node* node = open.back();
    open.pop_back();
    if (node == nullptr || !seen.insert(node).second) continue;
    for (const Edge& edge : node->edges()) {
      open.push_back(edge.node.get());
      if (edge.leaf && seen.insert(edge.leaf.get()).second) leaves.push_back(edge.leaf);
    }
  }
  return leaves;
}

/// Whether passes of this thread do more now than kernels.
bool is_watched() {
  return !is_recording() || profile::is_on() || is_detecting_anomalies() || capture::is_on() ||
         Arrivals::asked() != nullptr || CheckpointFrame::current() != nullptr;
}

/// Whether the elements of two dense Arrays of one shape have one order in memory.
bool lies_alike(const Array& a, const Array& b) {
  for (int dim = 0; dim < a.rank(); ++dim) {
    if (a.shape(dim) != 1 && a.stride(dim) != b.stride(dim)) return false;
  }
  return true;
}

/// The passes for inputs of one set of shapes.
struct Pass {
  std::vector<Array> inputs;  // what the kernels read
  std::unique_ptr<capture::Tape> tape;
  Array loss;
  std::vector<Leaf> leaves;
  std::uint64_t age = 0;
  DType autocast = DType::f32;
  bool is_hopeless = false;  // what was kept at this age was not whole

  bool fits(std::initializer_list<const Array*> given) const {
    return std::equal(given.begin(), given.end(), inputs.begin(), inputs.end(), [](const Array* x, const Array& own) {
      return x->shape() == own.shape() && x->dtype() == own.dtype() && lies_alike(*x, own);
    });
  }
  bool is_current() const { return age == capture::age() && autocast == autocast_dtype(); }
  bool is_same() const {
    return is_current() && tape->is_in_place() &&
           std::all_of(leaves.begin(), leaves.end(), [](const Leaf& leaf) { return leaf.is_same(); });
  }
  bool is_ready() const {
    return std::all_of(leaves.begin(), leaves.end(), [](const Leaf& leaf) { return Leaf::is_ready(*leaf.state); });
  }
  void take(std::initializer_list<const Array*> given) {
    Array* own = inputs.data();
    for (const Array* x : given) {
      std::memcpy(own->bytes(), x->bytes(), static_cast<std::size_t>(x->size()) * size_of(x->dtype()));
      own++->storage()->mark_changed();
    }
  }
};

}  // namespace

class Replay::Impl {
 public:
  explicit Impl(Loss l) : loss(std::move(l)) {}

  Tensor run(std::initializer_list<const Array*> given) {
    bool is_dense = true;
    for (const Array* x : given) {
      require_defined("replay", "an input", *x);
      is_dense = is_dense && x->is_dense();
    }
    if (!is_dense || is_watched()) return compute(tensors(given));
    const auto found = std::find_if(passes.begin(), passes.end(), [&](const Pass& pass) { return pass.fits(given); });
    if (found == passes.end()) {
      if (passes.size() == kShapes) passes.erase(passes.begin());
      Pass& pass = passes.emplace_back();
      for (const Array* x : given) pass.inputs.push_back(x->clone());
      return compute(tensors(given));
    }
    Pass& pass = *found;
    if (pass.tape && !pass.is_same()) pass.tape.reset();
    if (pass.tape) {
      if (!pass.is_ready()) return compute(tensors(given));
      return replay(pass, given);
    }
    if (pass.is_hopeless && pass.is_current()) return compute(tensors(given));
    return keep(pass, given);
  }

  Loss loss;
  std::vector<Pass> passes;
  std::int64_t replayed = 0;
  std::string why_not;
  bool has_warned = false;

 private:
  static std::vector<Tensor> tensors(std::initializer_list<const Array*> given) {
    std::vector<Tensor> inputs;
    for (const Array* x : given) inputs.emplace_back(*x);
    return inputs;
  }

  /// The loss with its history.
  Tensor forward(const std::vector<Tensor>& inputs) const {
    Tensor y = loss(inputs);
    if (!y.defined()) fail("replay", "the loss is not defined");
    return y;
  }

  Tensor compute(const std::vector<Tensor>& inputs) const {
    const Tensor y = forward(inputs);
    y.backward();
    return y.detach();
  }

  Tensor replay(Pass& pass, std::initializer_list<const Array*> given) {
    pass.take(given);
    pass.tape->replay();
    for (const Leaf& leaf : pass.leaves) leaf.state->grad_arrived = true;
    ++replayed;
    if (pass.loss.rank() > 0) return Tensor(pass.loss.clone());
    return Tensor(Array::scalar(pass.loss.item(), pass.loss.dtype()));
  }

  /// A pass whose kernels are kept, if they can be.
  Tensor keep(Pass& pass, std::initializer_list<const Array*> given) {
    pass.take(given);
    pass.leaves.clear();
    pass.age = capture::age();
    pass.autocast = autocast_dtype();
    auto tape = std::make_unique<capture::Tape>();
    bool is_adding = false;  // to gradients that are there: another time, then
    {
      const capture::CaptureScope scope(*tape);
      const ReachedLeaves reached;
      std::vector<Tensor> inputs(pass.inputs.begin(), pass.inputs.end());
      const Tensor y = forward(inputs);
      pass.loss = y.value();
      const std::vector<std::shared_ptr<TensorState>> below = leaves_below(y);
      for (const std::shared_ptr<TensorState>& leaf : below) {
        if (!leaf->grad_bound) capture::refuse("a parameter", "belongs to no Optimizer");
        is_adding = is_adding || leaf->grad_arrived;
        pass.leaves.push_back({leaf, leaf->value.storage().get(), leaf->grad.storage().get()});
      }
      y.backward();
      for (const TensorState* leaf : reached.list()) {
        const auto is_it = [leaf](const std::shared_ptr<TensorState>& one) { return one.get() == leaf; };
        if (std::none_of(below.begin(), below.end(), is_it))
          capture::refuse("a gradient", "arrives outside of the loss's graph");
      }
    }
    why_not = tape->why_not();
    pass.is_hopeless = !tape->is_whole();
    if (pass.is_hopeless && !std::exchange(has_warned, true)) {
      warn(fmt::format("replay: passes are computed as usual: {}", why_not));
    }
    if (!pass.is_hopeless && !is_adding) pass.tape = std::move(tape);
    return Tensor(pass.loss.clone());
  }
};

Replay::Replay(Loss loss) {
  if (!loss) fail("replay", "the loss is not a function");
  impl_ = std::make_unique<Impl>(std::move(loss));
}
Replay::~Replay() = default;
Replay::Replay(Replay&&) noexcept = default;
Replay& Replay::operator=(Replay&&) noexcept = default;

Replay::Impl& Replay::impl() const {
  if (impl_ == nullptr) fail("replay", "it was moved from");
  return *impl_;
}

Tensor Replay::run(std::initializer_list<const Array*> inputs) { return impl().run(inputs); }
std::int64_t Replay::replayed() const { return impl().replayed; }
const std::string& Replay::why_not() const { return impl().why_not; }

}  // namespace tandem
