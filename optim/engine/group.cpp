// The sweeps of one group over the blocks of its arena. See running.h.
#include <tandem/optim/engine/group.h>

#include <algorithm>
#include <limits>

#include <tandem/optim/engine/running.h>

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

template <class T>
class StateCollector : public StateVisitor<T> {
 public:
  void buffer(const std::string& path, Numbers<T>& numbers) override { add(path).buffer = &numbers.array(); }
  void counter(const std::string& path, std::int64_t& value) override { add(path).counter = &value; }
  void counters(const std::string& path, std::vector<std::int64_t>& values) override { add(path).counters = &values; }
  void array(const std::string& path, Array& array) override { add(path).array = array; }
  std::vector<StateEntry> entries;

 private:
  StateEntry& add(const std::string& path) {
    entries.push_back({path});
    return entries.back();
  }
};

template <class T>
class MeasuredCollector : public MeasuredVisitor<T> {
 public:
  void number(const std::string& path, double& value) override { entries.push_back({.path = path, .number = &value}); }
  void numbers(const std::string& path, std::vector<double>& values) override {
    entries.push_back({.path = path, .numbers = &values});
  }
  void buffer(const std::string& path, Numbers<T>& values) override {
    entries.push_back({.path = path, .buffer = &values.array()});
  }
  std::vector<StateEntry> entries;
};

template <class T>
class GroupOf : public RunningGroup {
 public:
  GroupOf(std::vector<Slot> slots, const Rule& rule, const void* owner)
      : RunningGroup(std::move(slots), rule, owner), running_(bind_as<T>(*node, arena.frame())) {
    running_->join(roll_);
    for (const auto& loop : roll_.loops) loops_.push_back({loop.name, &loop.slow->array()});
    start_cycles();
  }

  void begin(std::int64_t index, bool splits_syncs, bool has_closure) override {
    arena.split_syncs(splits_syncs);
    arena.gather_arrived();
    if (arena.frame().watch != nullptr) prepare_watch(has_closure);
    running_->begin(index);
    is_swept_ = false;
  }

  bool look(Seat& seat) override {
    if (!is_swept_ && !running_->looks()) return false;
    return running_->look({arena.weights<T>(), ArrivedGradients<T>(arena.gradients<T>(), arena.frame().arrived), seat});
  }

  void update() override {
    const Frame& frame = arena.frame();
    T* const weights = arena.weights<T>();
    const T* const gradients = arena.gradients<T>();
    for_blocks<T>(frame.size, [&](std::int64_t begin, std::int64_t end, T* scratch) {
      const Block<T> block{begin, end, weights + begin, gradients + begin, &frame.arrived, scratch};
      if (frame.watch == nullptr) {
        running_->update(block);
      } else {
        watched_update(block);
      }
    });
    is_swept_ = true;
    running_->settle();
    measure_update();
  }

  bool waits() const override { return running_->waits(); }
  int next_sync() const override { return running_->next_sync(); }
  void resume() override {
    const Frame& frame = arena.frame();
    T* const weights = arena.weights<T>();
    for_blocks<T>(frame.size, [&](std::int64_t begin, std::int64_t end, T* scratch) {
      running_->resume({begin, end, weights + begin, nullptr, &frame.arrived, scratch});
    });
    running_->settle();
    measure_update();
  }

  void end() override {
    const bool all = running_->moves_all();
    running_->end();
    arena.mark_changed(all);
    arena.split_syncs(false);
  }

  bool evaluates_late() const override { return running_->evaluates_late(); }

  void exchange(void* point) override {
    if (point != nullptr) {
      T* const other = static_cast<T*>(point);
      std::swap_ranges(other, other + arena.frame().size, arena.weights<T>());
    }
    arena.mark_changed(true);
  }

  void keep_gradients() override {
    if (!kept_) kept_ = std::make_unique<Numbers<T>>(arena.frame());
    swap_gradients();
  }
  void take_evaluated() override {
    arena.fill_missing_gradients();
    swap_gradients();
    arena.set_arrived();
  }
  const void* evaluated() const override { return kept_ ? kept_->at(0) : nullptr; }

  const std::vector<Loop>& loops() const override { return loops_; }
  Array* fast(std::size_t loop) override {
    std::unique_ptr<Numbers<T>>& fast = *roll_.loops[loop].fast;
    if (fast) return &fast->array();
    fast = std::make_unique<Numbers<T>>(arena.frame());
    return nullptr;
  }
  const std::vector<const char*>& sums() const override { return roll_.sums; }

  void watch(bool on) override {
    arena.set_watch(on ? &watch_ : nullptr);
    if (!on) return;
    const auto blocks = static_cast<std::size_t>((arena.frame().size + kBlock - 1) / kBlock);
    watch_.gradient.resize(blocks);
    watch_.update.resize(blocks);
    watch_.levels.resize(loops_.size());
    for (LevelWatch& level : watch_.levels) level.distance.resize(blocks);
    watch_.leaf_is_update = loops_.size() < 2 && !roll_.changes_updates;
    if (!watch_.leaf_is_update) watch_.before = Array::empty({arena.frame().size}, arena.frame().dtype);
  }

  bool needs_closure() const override { return running_->needs_closure(); }
  std::int64_t copies() const override { return roll_.copies; }
  bool is_over_workers() const override { return roll_.loops_over_workers > 0; }

  void start_cycles() override {
    for_blocks<T>(arena.frame().size, [&](std::int64_t begin, std::int64_t end, T*) {
      running_->anchor(arena.weights<T>() + begin, begin, end);
    });
    running_->restart_cycles();
    running_->restart_averages();
    arena.accept_changes();
  }

  bool swap_evaluation_weights() override {
    T* const slow = running_->evaluation_weights();
    if (slow == nullptr || running_->is_at_sync()) return false;
    T* const weights = arena.weights<T>();
    for_blocks<T>(arena.frame().size, [&](std::int64_t begin, std::int64_t end, T*) {
      std::swap_ranges(weights + begin, weights + end, slow + begin);
    });
    arena.mark_changed(true);
    return true;
  }

  std::vector<StateEntry> state(const std::string& path) override {
    StateCollector<T> collector;
    running_->state(path, collector);
    return std::move(collector.entries);
  }
  std::vector<StateEntry> measured(const std::string& path) override {
    MeasuredCollector<T> collector;
    running_->measured(path, collector);
    return std::move(collector.entries);
  }

 private:
  void swap_gradients() {
    T* const gradients = arena.gradients<T>();
    std::swap_ranges(gradients, gradients + arena.frame().size, kept_->at(0));
  }

  void prepare_watch(bool has_closure) {
    watch_.clip_factor = 1;
    watch_.leaf_sees_gradient = !has_closure && !roll_.changes_gradients;
    std::fill(watch_.gradient.begin(), watch_.gradient.end(), Squares{});
    std::fill(watch_.update.begin(), watch_.update.end(), Squares{});
    for (LevelWatch& level : watch_.levels) {  // levels that take no part in this step write nothing (accumulate)
      level.synced = false;
      level.alpha = std::numeric_limits<double>::quiet_NaN();
      std::fill(level.distance.begin(), level.distance.end(), Squares{});
    }
    is_gradient_watched_ = watch_.leaf_sees_gradient || has_closure;
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
    watch_.gradient[detail::block_number(begin)] = all;
  }

  /// The update of a rule without loops is measured here, where the leaf does not; of others by the outermost loop.
  bool measures_update() const { return loops_.empty() && !watch_.leaf_is_update && arena.frame().watch != nullptr; }
  void watched_update(const Block<T>& block) {
    if (!is_gradient_watched_) watch_gradient(block.begin, block.end, block.gradient);
    if (measures_update()) {
      std::copy(block.weight, block.weight + block.size(), watch_.before.template data<T>() + block.begin);
    }
    running_->update(block);
  }
  void measure_update() {
    if (!measures_update() || running_->waits()) return;
    const T* const now = arena.weights<T>();
    const T* const before = watch_.before.template data<T>();
    for_blocks<T>(arena.frame().size, [&](std::int64_t begin, std::int64_t end, T*) {
      watch_.update[detail::block_number(begin)] =
          detail::squared_distance(arena.frame(), begin, end, now + begin, before + begin);
    });
  }

  std::unique_ptr<Running<T>> running_;
  Roll<T> roll_;
  std::vector<Loop> loops_;
  std::unique_ptr<Numbers<T>> kept_;  // gradients of the step, or of an evaluation, while the others are in the arena
  bool is_swept_ = false;
  bool is_gradient_watched_ = false;
};

}  // namespace

std::unique_ptr<RunningGroup> make_group(std::vector<Slot> slots, const Rule& rule, const void* owner) {
  if (!slots.empty() && slots.front().tensor.dtype() == DType::f64) {
    return std::make_unique<GroupOf<double>>(std::move(slots), rule, owner);
  }
  return std::make_unique<GroupOf<float>>(std::move(slots), rule, owner);
}

}  // namespace tandem
