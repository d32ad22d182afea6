// Copies: an inner rule at work several times, each with weights, gradients and a state of its own (lookaround.cpp).
// Copy 0 is the weights of the optimizer. A step first evaluates the loss at the weights of every other copy; then all
// look, sweep and end like one rule.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <tandem/optim/engine/running.h>

namespace tandem {

template <class T>
class Copies : public Running<T> {
 public:
  Copies(RuleNode& inner, std::int64_t count, const Frame& frame) : frame_(frame), first_(bind_as<T>(inner, frame)) {
    for (std::int64_t i = 1; i < count; ++i) others_.push_back(std::make_unique<Other>(inner, frame));
  }

  /// The weights of copy i = 1, ... from element `begin` on.
  T* weights(std::size_t i, std::int64_t begin) const { return others_[i - 1]->weights.at(begin); }
  std::size_t size() const { return others_.size() + 1; }

  void begin(std::int64_t index) override {
    is_swept_ = has_asked_ = false;
    evaluated_ = looked_ = 0;
    first_->begin(index);
    for (const auto& other : others_) {
      other->frame.arrived = frame_.arrived;
      other->frame.has_gradient = frame_.has_gradient;
      other->rule->begin(index);
    }
  }
  bool looks() const override { return true; }
  bool look(const Look<T>& look) override {
    for (; !is_swept_ && evaluated_ < others_.size(); ++evaluated_) {
      Other& other = *others_[evaluated_];
      if (!has_asked_) {
        look.seat.ask(other.weights.at(0), static_cast<std::int64_t>(evaluated_) + 1);
        return has_asked_ = true;
      }
      const T* const gradients = static_cast<const T*>(look.seat.gradients());
      std::copy(gradients, gradients + frame_.size, other.gradients.at(0));
      other.loss = look.seat.loss();
      has_asked_ = false;
    }
    for (; looked_ < size(); ++looked_) {
      if (looked_ == 0 ? first_->look(look) : look_of(looked_, look.seat)) return true;
    }
    looked_ = 0;
    return false;
  }
  void update(const Block<T>& block) override {
    first_->update(block);
    for (const auto& other : others_) other->rule->update(other->block(block));
  }
  bool waits() const override {
    return any([](const Running<T>& rule) { return rule.waits(); });
  }
  void resume(const Block<T>& block) override {
    if (first_->waits()) first_->resume(block);
    for (const auto& other : others_) {
      Block<T> own = other->block(block);
      own.gradient = nullptr;
      if (other->rule->waits()) other->rule->resume(own);
    }
  }
  void settle() override {
    is_swept_ = true;
    each([](Running<T>& rule) { rule.settle(); });
  }
  void end() override {
    each([](Running<T>& rule) { rule.end(); });
  }

  void clear(std::int64_t begin, std::int64_t end) override {
    each([&](Running<T>& rule) { rule.clear(begin, end); });
  }
  void restart_count() override {
    each([](Running<T>& rule) { rule.restart_count(); });
  }
  /// All copies go on from these weights.
  void anchor(const T* weight, std::int64_t begin, std::int64_t end) override {
    for (const auto& other : others_) std::copy(weight, weight + (end - begin), other->weights.at(begin));
    each([&](Running<T>& rule) { rule.anchor(weight, begin, end); });
  }
  void restart_cycles() override {
    each([](Running<T>& rule) { rule.restart_cycles(); });
  }
  void restart_averages() override {
    each([](Running<T>& rule) { rule.restart_averages(); });
  }

  /// "inner/exp_avg" of copy 0; "copies/1/weights", "copies/1/inner/exp_avg" of the others.
  void first_moments(const std::string& path, std::vector<Moment<T>>& moments) override {
    first_->first_moments(path + "inner/", moments);
    for (std::size_t i = 1; i < size(); ++i) others_[i - 1]->rule->first_moments(path_of(path, i) + "inner/", moments);
  }
  void state(const std::string& path, StateVisitor<T>& visitor) override {
    first_->state(path + "inner/", visitor);
    for (std::size_t i = 1; i < size(); ++i) {
      visitor.buffer(path_of(path, i) + "weights", others_[i - 1]->weights);
      others_[i - 1]->rule->state(path_of(path, i) + "inner/", visitor);
    }
  }
  void measured(const std::string& path, MeasuredVisitor<T>& visitor) override {
    first_->measured(path + "inner/", visitor);
    for (std::size_t i = 1; i < size(); ++i) {
      visitor.buffer(path_of(path, i) + "gradient", others_[i - 1]->gradients);
      others_[i - 1]->rule->measured(path_of(path, i) + "inner/", visitor);
    }
  }
  void recall() override {
    each([](Running<T>& rule) { rule.recall(); });
  }
  bool needs_closure() const override { return true; }
  /// A look of one copy may move its state before another asks for more than its gradient.
  bool evaluates_late() const override { return first_->needs_closure(); }
  bool moves_all() const override { return first_->moves_all(); }
  /// Loops are reported of copy 0; sums over all groups are taken for each copy.
  void join(Roll<T>& roll) override {
    first_->join(roll);
    for (const auto& other : others_) {
      Roll<T> own;
      own.sums = roll.sums;
      other->rule->join(own);
      roll.sums = own.sums;
    }
  }
  int next_sync() const override { return first_->next_sync(); }

 private:
  struct Other {
    Other(RuleNode& inner, const Frame& of_first)
        : frame(unwatched(of_first)), weights(frame), gradients(frame), rule(bind_as<T>(inner, frame)) {}
    static Frame unwatched(Frame frame) {
      frame.watch = nullptr;
      frame.splits_syncs = false;
      return frame;
    }
    Block<T> block(const Block<T>& of_first) const {
      const std::int64_t begin = of_first.begin;
      return {begin, of_first.end, weights.at(begin), gradients.at(begin), &frame.arrived, of_first.scratch};
    }

    Frame frame;
    Numbers<T> weights, gradients;
    double loss = 0;  // at these weights, in this step
    std::unique_ptr<Running<T>> rule;
  };

  /// What a copy asks for is at its own weights.
  class OwnSeat : public Seat {
   public:
    OwnSeat(Seat& seat, Other& other, std::int64_t copy) : seat_(seat), other_(other), copy_(copy) {}
    void add(int key, const Squares& part) override { seat_.add(key, part); }
    bool is_complete(int key) const override { return seat_.is_complete(key); }
    Squares sum(int key) const override { return seat_.sum(key); }
    void ask(void* point, std::int64_t) override { seat_.ask(point == nullptr ? other_.weights.at(0) : point, copy_); }
    const void* gradients() const override { return seat_.gradients(); }
    double loss() const override { return seat_.loss(); }
    double step_loss() const override { return other_.loss; }

   private:
    Seat& seat_;
    Other& other_;
    std::int64_t copy_;
  };

  class OwnGradients : public GradientSource<T> {
   public:
    explicit OwnGradients(const Other& other) : other_(other) {}
    const T* read(std::int64_t begin, std::int64_t, T*) const override { return other_.gradients.at(begin); }
    const std::vector<Interval>& runs() const override { return other_.frame.arrived; }

   private:
    const Other& other_;
  };

  bool look_of(std::size_t i, Seat& seat) {
    Other& other = *others_[i - 1];
    OwnSeat own(seat, other, static_cast<std::int64_t>(i));
    return other.rule->look({other.weights.at(0), OwnGradients(other), own});
  }
  static std::string path_of(const std::string& path, std::size_t i) {
    return path + "copies/" + std::to_string(i) + "/";
  }
  template <class F>
  void each(F&& f) {
    f(*first_);
    for (const auto& other : others_) f(*other->rule);
  }
  template <class F>
  bool any(F&& f) const {
    bool is_any = f(*first_);
    for (const auto& other : others_) is_any = is_any || f(*other->rule);
    return is_any;
  }

  const Frame& frame_;
  std::unique_ptr<Running<T>> first_;
  std::vector<std::unique_ptr<Other>> others_;
  std::size_t evaluated_ = 0, looked_ = 0;  // in this step: other copies; all, in this round of looks
  bool has_asked_ = false, is_swept_ = false;
};

}  // namespace tandem
