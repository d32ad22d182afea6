// A leaf whose formula keeps numbers of each tensor from step to step and measures nothing: nadam.h. Beside what leaf.h
// asks for, its formula has
//
//   static constexpr std::array kNumbers = {"mu_product"};        // their names, zero at the start
//   Formula numbered(std::span<double> numbers) const { ... }     // the formula of a tensor with these, which it moves
//
// A parameter without a gradient in a step keeps its numbers. Those of tensors with norms: running_norm_leaf.h.
#pragma once

#include <tandem/optim/engine/running_leaf.h>
#include <tandem/optim/engine/tensor_numbers.h>

namespace tandem {

template <class Formula, class T>
class RunningNumberLeaf : public RunningLeaf<Formula, T> {
 public:
  using Base = RunningLeaf<Formula, T>;

  RunningNumberLeaf(typename Base::Options& options, const Frame& frame)
      : Base(options, frame),
        numbers_(Formula::kNumbers, frame),
        next_(frame.tensors.size()),
        of_tensor_(frame.tensors.size(), this->formula(true)) {}

  void begin(std::int64_t index) override {
    Base::begin(index);
    recall();
  }
  void recall() override {
    for (std::size_t t = 0; t < of_tensor_.size(); ++t) {
      const std::span<const double> now = numbers_.of(t);
      std::copy(now.begin(), now.end(), next_[t].begin());
      if (this->frame().has_gradient[t] != 0) of_tensor_[t] = this->formula_of(t).numbered(next_[t]);
    }
  }
  void update(const Block<T>& block) override {
    this->for_tensors(*block.runs, block.begin, block.end, [&](std::size_t t, std::int64_t begin, std::int64_t end) {
      this->pass(of_tensor_[t], block, begin, end);
    });
  }
  void end() override {
    for (std::size_t t = 0; t < next_.size(); ++t) std::copy(next_[t].begin(), next_[t].end(), numbers_.of(t).begin());
  }
  void restart_count() override {
    Base::restart_count();
    numbers_.clear();
  }
  void state(const std::string& path, StateVisitor<T>& visitor) override {
    Base::state(path, visitor);
    numbers_.state(path, visitor);
  }

 private:
  TensorNumbers numbers_;
  std::vector<std::array<double, Formula::kNumbers.size()>> next_;  // as they are after this step
  std::vector<Formula> of_tensor_;
};

}  // namespace tandem
