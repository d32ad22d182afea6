// A leaf with numbers that all tensors of the group share, moved after every step by sums over all weights: prodigy.h.
// Beside what leaf.h asks for, its formula has
//
//   static constexpr std::array kShared = {"d", "numerator"};                  // their names, zero at the start
//   static constexpr std::size_t kSums = 2;
//   Formula shared(const std::array<double, 2>& numbers) const { ... }         // the formula of a step with these
//   std::array<T, 2> summed(T w, T g, T m, T v) const { ... }                  // what is summed, before the step
//   void conclude(const std::array<double, kSums>& sums, std::array<double, 2>& numbers) const { ... }   // after it
//
// Sums are taken in the sweep, block by block: there is no look.
#pragma once

#include <tandem/optim/engine/running_leaf.h>

namespace tandem {

namespace detail {

template <class T, class Formula, std::size_t... I>
TANDEM_INLINE void sum_loop(const Formula formula, const T* w, const T* g, T* const* state, std::int64_t n,
                            double* sums, std::index_sequence<I...>) {
  [[maybe_unused]] const T* const s[sizeof...(I) + 1] = {state[I]..., nullptr};
  constexpr std::int64_t kLanes = 8;  // partial sums that the compiler can keep in vectors
  for (std::size_t k = 0; k < Formula::kSums; ++k) {
    double lanes[kLanes] = {};
    std::int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
      for (std::int64_t j = 0; j < kLanes; ++j) {
        lanes[j] += static_cast<double>(formula.summed(w[i + j], g[i + j], s[I][i + j]...)[k]);
      }
    }
    for (; i < n; ++i) sums[k] += static_cast<double>(formula.summed(w[i], g[i], s[I][i]...)[k]);
    for (const double lane : lanes) sums[k] += lane;
  }
}

/// Adds to `sums` what the formula sums on n elements.
template <class T, class Formula>
TANDEM_TARGETS __attribute__((flatten)) void sum_pass(const Formula formula, const T* w, const T* g, T* const* state,
                                                      std::int64_t n, double* sums) {
  sum_loop(formula, w, g, state, n, sums, std::make_index_sequence<Formula::kState.size()>{});
}

}  // namespace detail

template <class Formula, class T>
class RunningSumLeaf : public RunningLeaf<Formula, T> {
 public:
  using Base = RunningLeaf<Formula, T>;
  static constexpr std::size_t kShared = Formula::kShared.size();
  using Sums = std::array<double, Formula::kSums>;

  RunningSumLeaf(typename Base::Options& options, const Frame& frame)
      : Base(options, frame),
        numbers_(Array::zeros({static_cast<std::int64_t>(kShared)}, DType::f64)),
        of_tensor_(frame.tensors.size(), this->formula(true)),
        sums_(static_cast<std::size_t>((frame.size + kBlock - 1) / kBlock)) {}

  void begin(std::int64_t index) override {
    Base::begin(index);
    std::copy(numbers(), numbers() + kShared, used_.begin());
    recall();
  }
  void recall() override {
    for (std::size_t t = 0; t < of_tensor_.size(); ++t) {
      if (this->frame().has_gradient[t] != 0) of_tensor_[t] = this->formula_of(t).shared(used_);
    }
  }
  void update(const Block<T>& block) override {
    Sums& sums = sums_[detail::block_number(block.begin)];
    sums = {};
    this->for_tensors(*block.runs, block.begin, block.end, [&](std::size_t t, std::int64_t begin, std::int64_t end) {
      const std::int64_t skip = begin - block.begin;
      if constexpr (!std::is_same_v<T, Traced>) {
        detail::sum_pass<T>(of_tensor_[t], block.weight + skip, block.gradient + skip, this->state_at(begin).data(),
                            end - begin, sums.data());
      }
      this->pass(of_tensor_[t], block, begin, end);
    });
  }
  /// Block by block, in order: the same for every number of threads.
  void end() override {
    Sums all{};
    for (const Sums& part : sums_) {
      for (std::size_t k = 0; k < all.size(); ++k) all[k] += part[k];
    }
    std::array<double, kShared> next = used_;
    this->formula(true).shared(used_).conclude(all, next);
    std::copy(next.begin(), next.end(), numbers());
  }

  void restart_count() override {
    Base::restart_count();
    std::fill_n(numbers(), kShared, 0.0);
  }
  void state(const std::string& path, StateVisitor<T>& visitor) override {
    Base::state(path, visitor);
    for (std::size_t k = 0; k < kShared; ++k) {
      const auto at = static_cast<std::int64_t>(k);
      Array number = numbers_.slice(0, at, at + 1).reshape({});
      visitor.array(path + Formula::kShared[k], number);
    }
  }
  /// As the step had them.
  void measured(const std::string& path, MeasuredVisitor<T>& visitor) override {
    for (std::size_t k = 0; k < kShared; ++k) visitor.number(path + Formula::kShared[k], used_[k]);
  }

 private:
  double* numbers() { return numbers_.template data<double>(); }

  Array numbers_;                       // f64 [kShared]
  std::array<double, kShared> used_{};  // as the step began
  std::vector<Formula> of_tensor_;
  std::vector<Sums> sums_;  // of each block
};

}  // namespace tandem
