// A step of one group: the rule's phases over the blocks of the arena. See bound.h.
#include <tandem/optim/group.h>

#include <algorithm>

namespace tandem {
namespace {

/// The gradients as they arrived.
template <class T>
class ArrivedGradients : public GradientSource<T> {
 public:
  ArrivedGradients(const T* gradients, const std::vector<Run>& runs) : gradients_(gradients), runs_(runs) {}
  const T* read(std::int64_t begin, std::int64_t, T*) const override { return gradients_ + begin; }
  const std::vector<Run>& runs() const override { return runs_; }

 private:
  const T* gradients_;
  const std::vector<Run>& runs_;
};

/// Lends Frame::evaluator for the time of a step with a closure.
template <class T>
class OtherWeights : public Evaluator {
 public:
  OtherWeights(Arena& arena, const std::function<void()>* evaluate) : arena_(arena), evaluate_(evaluate) {
    if (evaluate != nullptr) arena_.set_evaluator(this);
  }
  ~OtherWeights() override { arena_.set_evaluator(nullptr); }
  OtherWeights(const OtherWeights&) = delete;
  OtherWeights& operator=(const OtherWeights&) = delete;

  const void* gradients(void* point) override {
    const Exchange exchange(arena_, static_cast<T*>(point));
    (*evaluate_)();
    arena_.gather_arrived();
    return arena_.gradients<T>();
  }

 private:
  /// Marks the weights changed, which packed copies of weights depend on; an exception brings them back too.
  struct Exchange {
    Exchange(Arena& a, T* p) : arena(a), point(p) { swap(); }
    ~Exchange() { swap(); }
    void swap() const {
      if (point != nullptr) std::swap_ranges(point, point + arena.frame().size, arena.template weights<T>());
      arena.mark_changed(true);
    }
    Arena& arena;
    T* point;
  };

  Arena& arena_;
  const std::function<void()>* evaluate_;
};

template <class T>
class Collector : public StateVisitor<T> {
 public:
  void buffer(const std::string& path, Array& flat) override { entries.push_back({path, &flat, nullptr}); }
  void counter(const std::string& path, std::int64_t& value) override { entries.push_back({path, nullptr, &value}); }
  std::vector<StateEntry> entries;
};

template <class T>
class GroupOf : public BoundGroup {
 public:
  GroupOf(std::vector<Slot> slots, const Rule& rule, const void* owner)
      : BoundGroup(std::move(slots), rule, owner), bound_(bind_as<T>(*node, arena.frame())) {
    start_cycles();
  }

  void step(std::int64_t index, const std::function<void()>* evaluate) override {
    OtherWeights<T> other(arena, evaluate);
    arena.gather_arrived();
    const Frame& frame = arena.frame();
    T* const weights = arena.weights<T>();
    const ArrivedGradients<T> gradients(arena.gradients<T>(), frame.arrived);
    bound_->prepare(index);
    for (int phase = 0; phase < bound_->phases(); ++phase) {
      if (bound_->measures()) bound_->measure(weights, gradients, phase);
      for_blocks<T>(frame.size, [&](std::int64_t begin, std::int64_t end, T* scratch) {
        bound_->update({begin, end, weights, gradients.read(begin, end, scratch), &frame.arrived, scratch}, phase);
      });
    }
    const bool all = bound_->moves_all();
    bound_->finish();
    arena.mark_changed(all);
  }

  bool needs_closure() const override { return bound_->needs_closure(); }

  void start_cycles() override {
    for_blocks<T>(arena.frame().size,
                  [&](std::int64_t begin, std::int64_t end, T*) { bound_->anchor(arena.weights<T>(), begin, end); });
    bound_->restart_cycles();
    bound_->restart_averages();
    arena.accept_changes();
  }

  bool swap_evaluation_weights() override {
    T* const slow = bound_->evaluation_weights();
    if (slow == nullptr || bound_->is_at_sync()) return false;
    T* const weights = arena.weights<T>();
    for_blocks<T>(arena.frame().size, [&](std::int64_t begin, std::int64_t end, T*) {
      std::swap_ranges(weights + begin, weights + end, slow + begin);
    });
    arena.mark_changed(true);
    return true;
  }

  std::vector<StateEntry> state(const std::string& path) override {
    Collector<T> collector;
    bound_->state(path, collector);
    return std::move(collector.entries);
  }

 private:
  std::unique_ptr<Bound<T>> bound_;
};

}  // namespace

std::unique_ptr<BoundGroup> make_group(std::vector<Slot> slots, const Rule& rule, const void* owner) {
  if (slots.front().tensor.dtype() == DType::f64) {
    return std::make_unique<GroupOf<double>>(std::move(slots), rule, owner);
  }
  return std::make_unique<GroupOf<float>>(std::move(slots), rule, owner);
}

}  // namespace tandem
