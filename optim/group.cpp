// A step of one group: the rule's phases over the blocks of the arena. See bound.h.
#include <tandem/optim/group.h>

#include <algorithm>
#include <optional>

namespace tandem {
namespace {

/// The gradients as they arrived.
template <class T>
class ArrivedGradients : public GradientSource<T> {
 public:
  ArrivedGradients(const T* gradients, const std::vector<Interval>& runs) : gradients_(gradients), runs_(runs) {}
  const T* read(std::int64_t begin, std::int64_t, T*) const override { return gradients_ + begin; }
  const std::vector<Interval>& runs() const override { return runs_; }

 private:
  const T* gradients_;
  const std::vector<Interval>& runs_;
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
  void counters(const std::string& path, std::vector<std::int64_t>& values) override {
    entries.push_back({path, nullptr, nullptr, &values});
  }
  std::vector<StateEntry> entries;
};

template <class T>
class GroupOf : public BoundGroup {
 public:
  GroupOf(std::vector<Slot> slots, const Rule& rule, const void* owner)
      : BoundGroup(std::move(slots), rule, owner), bound_(bind_as<T>(*node, arena.frame())) {
    bound_->join_report(loops_);
    start_cycles();
  }

  void begin(std::int64_t index, const std::function<void()>* evaluate, bool split_syncs) override {
    other_.emplace(arena, evaluate);
    arena.split_syncs(split_syncs);
    arena.gather_arrived();
    bound_->prepare(index);
    phase_ = 0;
    is_stopped_ = false;
    if (arena.frame().watch != nullptr) prepare_watch(evaluate != nullptr);
  }

  int run() override {
    const Frame& frame = arena.frame();
    T* const weights = arena.weights<T>();
    const ArrivedGradients<T> gradients(arena.gradients<T>(), frame.arrived);
    for (; phase_ < bound_->phases(); ++phase_) {
      const int loop = frame.splits_syncs && !is_stopped_ ? bound_->sync_before(phase_) : -1;
      is_stopped_ = loop >= 0;
      if (is_stopped_) return loop;
      if (bound_->measures()) bound_->measure(weights, gradients, phase_);
      for_blocks<T>(frame.size, [&](std::int64_t begin, std::int64_t end, T* scratch) {
        const Block<T> block{begin, end, weights, gradients.read(begin, end, scratch), &frame.arrived, scratch};
        if (frame.watch == nullptr) {
          bound_->update(block, phase_);
        } else {
          watch_block(block);
        }
      });
    }
    return -1;
  }

  void end() override {
    const bool all = bound_->moves_all();
    bound_->finish();
    arena.mark_changed(all);
    abandon();
  }

  void abandon() override {
    other_.reset();
    arena.split_syncs(false);
  }

  const std::vector<const char*>& loops() const override { return loops_; }

  void watch(bool on) override {
    arena.set_watch(on ? &watch_ : nullptr);
    if (!on) return;
    const auto blocks = static_cast<std::size_t>((arena.frame().size + kBlock - 1) / kBlock);
    watch_.gradient.resize(blocks);
    watch_.update.resize(blocks);
    watch_.levels.resize(loops_.size());
    for (LevelWatch& level : watch_.levels) level.distance.resize(blocks);
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
  void prepare_watch(bool has_closure) {
    watch_.clip_factor = 1;
    if (bound_->phases() > 1 && !watch_.before.defined()) {
      watch_.before = Array::empty({arena.frame().size}, arena.frame().dtype);
    }
    // A rule that calls the closure may replace the gradients before the pass.
    is_gradient_watched_ = has_closure;
    if (!has_closure) return;
    const T* const gradients = arena.gradients<T>();
    for_blocks<T>(arena.frame().size,
                  [&](std::int64_t begin, std::int64_t end, T*) { watch_gradient(begin, end, gradients + begin); });
  }

  void watch_gradient(std::int64_t begin, std::int64_t end, const T* gradient) {
    Squares all;
    for_runs(arena.frame().arrived, begin, end, [&](std::int64_t from, std::int64_t to, bool) {
      all.add(detail::report_pass<T>(gradient + (from - begin), to - from));
    });
    watch_.gradient[static_cast<std::size_t>(begin / kBlock)] = all;
  }

  /// The outermost loop measures what its inner rule does; a rule without loops is measured as a whole.
  void watch_block(const Block<T>& block) {
    if (phase_ == 0 && !is_gradient_watched_) watch_gradient(block.begin, block.end, block.gradient);
    if (loops_.empty()) {
      detail::watch_update(arena.frame(), block, phase_, bound_->phases(), [&] { bound_->update(block, phase_); });
    } else {
      bound_->update(block, phase_);
    }
  }

  std::unique_ptr<Bound<T>> bound_;
  std::vector<const char*> loops_;
  std::optional<OtherWeights<T>> other_;  // in a step
  int phase_ = 0;
  bool is_stopped_ = false;  // before a sync
  bool is_gradient_watched_ = false;
};

}  // namespace

std::unique_ptr<BoundGroup> make_group(std::vector<Slot> slots, const Rule& rule, const void* owner) {
  if (slots.front().tensor.dtype() == DType::f64) {
    return std::make_unique<GroupOf<double>>(std::move(slots), rule, owner);
  }
  return std::make_unique<GroupOf<float>>(std::move(slots), rule, owner);
}

}  // namespace tandem
