// Bound<T>: a rule at work on the arena of one group: state, counters, and an update of blocks of elements. What
// combinators and the lift of leaves implement; users of optimizers need not read it.
//
// A step is: prepare() once; then for each phase: measure() once, update() for every block, in parallel; finish() once.
// All levels of a rule update a block of 8,192 elements together, so that it is read from memory once. There is one
// phase, unless an outer rule needs a measurement of the pseudo-gradient, which exists only when all blocks are
// updated.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <tandem/core/array.h>
#include <tandem/core/threads.h>
#include <tandem/optim/rule.h>

namespace tandem {

inline constexpr std::int64_t kBlock = 8192;

struct GroupWatch;

/// A stretch of the arena whose parameters are updated in the same way.
struct Interval {
  std::int64_t begin = 0, end = 0;
  bool is_decayed = true;  ///< false: parameters of rank <= 1, which no_bias_decay leaves without weight decay
};

/// The loss once more, inside Optimizer::step(closure): for rules that need gradients at other weights.
class Evaluator {
 public:
  virtual ~Evaluator() = default;
  /// Gradients of the closure's loss with the weights exchanged for `point` (T*, of the arena's size; null: with the
  /// weights as they are), which are as before when it returns. They replace those of the step: element 0 of the arena,
  /// good where Frame::arrived has runs. Call it from measure().
  virtual const void* gradients(void* point) = 0;
};

/// What the rules of one group share. Memory of the arena, in elements:
///   | conv1.weight | pad | conv2.weight | pad | ... | bn1.weight | pad | ...   (ranks above 1 first)
struct Frame {
  std::int64_t size = 0;
  DType dtype = DType::f32;
  std::vector<Interval> tensors;   ///< each parameter on its own, without padding: what norms per tensor are of
  std::vector<Interval> all;       ///< every parameter: what a pull covers
  std::vector<Interval> arrived;   ///< parameters with a gradient in this step: what a leaf covers
  std::vector<char> has_gradient;  ///< of each of `tensors`, in this step
  Evaluator* evaluator = nullptr;  ///< inside step(closure)
  GroupWatch* watch = nullptr;     ///< where a watched step is measured (watch.h)
  bool splits_syncs = false;       ///< every sync is a phase of its own, after the inner update of all blocks
};

/// Elements [begin, end) of the arena. weight points to element 0 of the arena, as state does in Bound; gradient and
/// scratch (kBlock elements) to element `begin`.
template <class T>
struct Block {
  std::int64_t begin, end;
  T* weight;
  const T* gradient;
  const std::vector<Interval>* runs;  ///< the stretches in which gradients exist
  T* scratch;                         ///< where a level may put a gradient that it changes
};

/// Where a measurement reads gradients: element `begin` .. `end` - 1, in place or written to scratch.
template <class T>
class GradientSource {
 public:
  virtual ~GradientSource() = default;
  /// A pointer to element `begin`.
  virtual const T* read(std::int64_t begin, std::int64_t end, T* scratch) const = 0;
  virtual const std::vector<Interval>& runs() const = 0;
};

/// Receives the named state of a rule: per-parameter buffers of the arena's size, and counters.
template <class T>
class StateVisitor {
 public:
  virtual ~StateVisitor() = default;
  virtual void buffer(const std::string& path, Array& flat) = 0;
  virtual void counter(const std::string& path, std::int64_t& value) = 0;
  /// Counters of each of Frame::tensors, most of them 0.
  virtual void counters(const std::string& path, std::vector<std::int64_t>& values) = 0;
};

/// A live buffer of first moments.
template <class T>
struct Moment {
  std::string path;
  T* data;
};

template <class T>
class Bound {
 public:
  virtual ~Bound() = default;

  /// Counts, and computes the coefficients of the step that schedules call `index`.
  virtual void prepare(std::int64_t index) = 0;
  virtual int phases() const { return 1; }
  /// True when measure() must see all gradients before a block is updated.
  virtual bool measures() const { return false; }
  virtual void measure(const T* weight, const GradientSource<T>& source, int phase) {
    (void)weight, (void)source, (void)phase;
  }
  virtual void update(const Block<T>& block, int phase) = 0;
  virtual void finish() {}

  /// Zeros the state of elements [begin, end) (a reset); restart_count() does the same to the step count.
  virtual void clear(std::int64_t begin, std::int64_t end) = 0;
  virtual void restart_count() = 0;
  /// Slow weights of all loops := weight on [begin, end); restart_cycles() puts all loops at the start of a cycle.
  virtual void anchor(const T* weight, std::int64_t begin, std::int64_t end) = 0;
  virtual void restart_cycles() = 0;
  /// Averages forget what they have taken; the others have none.
  virtual void restart_averages() {}

  /// Buffers that are first moments, for interpolation, with their paths below this level.
  virtual void first_moments(const std::string& path, std::vector<Moment<T>>& moments) { (void)path, (void)moments; }
  virtual void state(const std::string& path, StateVisitor<T>& visitor) = 0;

  /// The slow (or averaged) weights that stand for the model, or null; is_at_sync(): they equal the weights.
  virtual T* evaluation_weights() { return nullptr; }
  virtual bool is_at_sync() const { return true; }
  /// True when only step(closure) will do: update() relies on Frame::evaluator.
  virtual bool needs_closure() const { return false; }
  /// True in a step in which some loop syncs: every weight changes, also those without a gradient.
  virtual bool moves_all() const { return false; }

  /// Called once, for the rule and its inner rules, not for outer ones: loops add their names, and whoever is called
  /// may write to Frame::watch.
  virtual void join_report(std::vector<const char*>& loops) { (void)loops; }
  /// The loop (its place in `loops`) whose slow weights are about to step in a phase of their own, or -1.
  virtual int sync_before(int phase) const { return (void)phase, -1; }
};

/// A level round one inner rule, to which it passes everything; combinators override what they change.
template <class T>
class Wrapper : public Bound<T> {
 public:
  explicit Wrapper(std::unique_ptr<Bound<T>> inner) : inner_(std::move(inner)) {}
  void prepare(std::int64_t index) override { inner_->prepare(index); }
  int phases() const override { return inner_->phases(); }
  bool measures() const override { return inner_->measures(); }
  void measure(const T* weight, const GradientSource<T>& source, int phase) override {
    inner_->measure(weight, source, phase);
  }
  void update(const Block<T>& block, int phase) override { inner_->update(block, phase); }
  void finish() override { inner_->finish(); }
  void clear(std::int64_t begin, std::int64_t end) override { inner_->clear(begin, end); }
  void restart_count() override { inner_->restart_count(); }
  void anchor(const T* weight, std::int64_t begin, std::int64_t end) override { inner_->anchor(weight, begin, end); }
  void restart_cycles() override { inner_->restart_cycles(); }
  void restart_averages() override { inner_->restart_averages(); }
  void first_moments(const std::string& path, std::vector<Moment<T>>& moments) override {
    inner_->first_moments(path + "inner/", moments);
  }
  void state(const std::string& path, StateVisitor<T>& visitor) override { inner_->state(path + "inner/", visitor); }
  T* evaluation_weights() override { return inner_->evaluation_weights(); }
  bool is_at_sync() const override { return inner_->is_at_sync(); }
  bool needs_closure() const override { return inner_->needs_closure(); }
  bool moves_all() const override { return inner_->moves_all(); }
  void join_report(std::vector<const char*>& loops) override { inner_->join_report(loops); }
  int sync_before(int phase) const override { return inner_->sync_before(phase); }

 protected:
  Bound<T>& inner() { return *inner_; }
  const Bound<T>& inner() const { return *inner_; }

 private:
  std::unique_ptr<Bound<T>> inner_;
};

/// f(begin, end, scratch) on all blocks of [0, size), in parallel. The division into blocks depends on size alone.
template <class T, class F>
void for_blocks(std::int64_t size, F&& f) {
  constexpr std::int64_t kBlocksPerThread = 4;  // about 15 us of Adam: below, a second thread costs more than it gives
  parallel_for((size + kBlock - 1) / kBlock, kBlocksPerThread, [&](std::int64_t first, std::int64_t last) {
    alignas(64) T scratch[kBlock];
    for (std::int64_t i = first; i < last; ++i) f(i * kBlock, std::min(size, (i + 1) * kBlock), scratch);
  });
}

/// f(begin, end, is_decayed) on the parts of runs inside [begin, end).
template <class F>
void for_runs(const std::vector<Interval>& runs, std::int64_t begin, std::int64_t end, F&& f) {
  auto run = std::lower_bound(runs.begin(), runs.end(), begin,
                              [](const Interval& r, std::int64_t element) { return r.end <= element; });
  for (; run != runs.end() && run->begin < end; ++run) {
    f(std::max(begin, run->begin), std::min(end, run->end), run->is_decayed);
  }
}

}  // namespace tandem
