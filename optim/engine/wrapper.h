// What levels round an inner rule share. Wrapper: passes everything on; a subclass overrides what it changes.
// Follower: a level that does something to a block when the inner rule is through with it, in the same sweep where it
// can. GradientTransform: a level that changes gradients on their way in.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <tandem/optim/engine/running.h>

namespace tandem {

template <class T>
class Wrapper : public Running<T> {
 public:
  explicit Wrapper(std::unique_ptr<Running<T>> inner) : inner_(std::move(inner)) {}

  void begin(std::int64_t index) override { inner_->begin(index); }
  bool looks() const override { return inner_->looks(); }
  bool look(const Look<T>& look) override { return inner_->look(look); }
  void update(const Block<T>& block) override { inner_->update(block); }
  bool waits() const override { return inner_->waits(); }
  void resume(const Block<T>& block) override { inner_->resume(block); }
  void settle() override { inner_->settle(); }
  void end() override { inner_->end(); }
  void clear(std::int64_t begin, std::int64_t end) override { inner_->clear(begin, end); }
  void restart_count() override { inner_->restart_count(); }
  void anchor(const T* weight, std::int64_t begin, std::int64_t end) override { inner_->anchor(weight, begin, end); }
  void restart_cycles() override { inner_->restart_cycles(); }
  void restart_averages() override { inner_->restart_averages(); }
  void first_moments(const std::string& path, std::vector<Moment<T>>& moments) override {
    inner_->first_moments(path + "inner/", moments);
  }
  void state(const std::string& path, StateVisitor<T>& visitor) override { inner_->state(path + "inner/", visitor); }
  void measured(const std::string& path, MeasuredVisitor<T>& visitor) override {
    inner_->measured(path + "inner/", visitor);
  }
  void recall() override { inner_->recall(); }
  T* evaluation_weights() override { return inner_->evaluation_weights(); }
  bool is_at_sync() const override { return inner_->is_at_sync(); }
  bool needs_closure() const override { return inner_->needs_closure(); }
  bool evaluates_late() const override { return inner_->evaluates_late(); }
  bool moves_all() const override { return inner_->moves_all(); }
  void join(Roll<T>& roll) override { inner_->join(roll); }
  int next_sync() const override { return inner_->next_sync(); }

 protected:
  Running<T>& inner() { return *inner_; }
  const Running<T>& inner() const { return *inner_; }

 private:
  std::unique_ptr<Running<T>> inner_;
};

/// A subclass says in begin() whether it acts in this step, and whether act() must see all blocks first (then
/// look_before_act() may look at them).
template <class T>
class Follower : public Wrapper<T> {
 public:
  using Wrapper<T>::Wrapper;

  bool look(const Look<T>& look) override {
    return !is_swept_ || this->inner().waits() ? this->inner().look(look) : look_before_act(look);
  }
  void update(const Block<T>& block) override {
    this->inner().update(block);
    if (acts_ && !waits_) act(block);
  }
  bool waits() const override { return waits_ || this->inner().waits(); }
  void resume(const Block<T>& block) override { this->inner().waits() ? this->inner().resume(block) : act(block); }
  void settle() override {
    if (!is_swept_ || this->inner().waits()) {
      this->inner().settle();
      is_swept_ = true;
    } else {
      waits_ = !has_acted();
    }
  }

 protected:
  /// Called by begin(), after the inner rule's.
  void plan(bool acts, bool sees_all_blocks) {
    acts_ = acts;
    waits_ = acts && (sees_all_blocks || this->inner().waits());
    is_swept_ = false;
  }
  virtual void act(const Block<T>& block) = 0;
  virtual bool look_before_act(const Look<T>& look) { return (void)look, false; }
  /// After a sweep of act(): false when it wants another.
  virtual bool has_acted() { return true; }
  bool is_swept() const { return is_swept_; }

 private:
  bool acts_ = false, waits_ = false, is_swept_ = false;
};

template <class T>
class GradientTransform : public Wrapper<T> {
 public:
  using Wrapper<T>::Wrapper;

  bool look(const Look<T>& look) override {
    return this->inner().look({look.weight, Transformed(look.gradients, *this), look.seat});
  }
  void update(const Block<T>& block) override {
    Block<T> changed = block;
    changed.gradient = transform(block.gradient, block.begin, block.end, block.scratch);
    this->inner().update(changed);
  }
  void join(Roll<T>& roll) override {
    roll.changes_gradients = true;
    this->inner().join(roll);
  }

 protected:
  /// The gradients of elements [begin, end), in place (unchanged) or in scratch, where they may already stand.
  virtual const T* transform(const T* gradient, std::int64_t begin, std::int64_t end, T* scratch) const = 0;

  class Transformed : public GradientSource<T> {
   public:
    Transformed(const GradientSource<T>& source, const GradientTransform& transform)
        : source_(source), transform_(transform) {}
    const T* read(std::int64_t begin, std::int64_t end, T* scratch) const override {
      return transform_.transform(source_.read(begin, end, scratch), begin, end, scratch);
    }
    const std::vector<Interval>& runs() const override { return source_.runs(); }

   private:
    const GradientSource<T>& source_;
    const GradientTransform& transform_;
  };
};

}  // namespace tandem
