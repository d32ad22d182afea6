// A leaf that needs numbers per tensor, measured before the sweep: the layer-wise rules (lars.h, lamb.h, novograd.h).
// Beside what leaf.h asks for, its formula has
//
//   static constexpr std::array kNorms = {"weight", "update"};                 // their names
//   std::array<T, 2> measured(T w, T g, T m, T v) const { ... }                // what each norm is of, elementwise
//   Formula scaled(const std::array<double, 2>& norms) const { ... }           // the formula of a tensor with these
//
// and, where a tensor keeps numbers of its own from step to step,
//
//   static constexpr std::array kNumbers = {"exp_avg_sq"};                     // their names, zero at the start
//   Formula scaled(const std::array<double, n>& norms, std::span<double> numbers) const { ... }   // moves them
#pragma once

#include <cmath>

#include <tandem/optim/engine/running_leaf.h>
#include <tandem/optim/engine/tensor_numbers.h>

namespace tandem {

namespace detail {

TANDEM_OPTIMIZED_BEGIN

/// Sums of squares of what the formula measures on n elements.
template <class T, class Formula, std::size_t... I>
TANDEM_INLINE void norm_loop(const Formula formula, const T* w, const T* g, T* const* state, std::int64_t n,
                             Squares* sums, std::index_sequence<I...>) {
  [[maybe_unused]] const T* const s[sizeof...(I) + 1] = {state[I]..., nullptr};
  for (std::size_t k = 0; k < Formula::kNorms.size(); ++k) {
    sums[k] = squares<std::is_same_v<T, float>>(
        n, [&](std::int64_t i) { return static_cast<double>(formula.measured(w[i], g[i], s[I][i]...)[k]); });
  }
}

template <class T, class Formula>
TANDEM_TARGETS __attribute__((flatten)) void norm_pass(const Formula formula, const T* w, const T* g, T* const* state,
                                                       std::int64_t n, Squares* sums) {
  norm_loop(formula, w, g, state, n, sums, std::make_index_sequence<Formula::kState.size()>{});
}

TANDEM_OPTIMIZED_END

template <class Formula>
concept HasNumbers = requires {
  Formula::kNumbers;
};

template <class Options>
concept HasNoBiasAdaptation = requires(Options o) {
  o.no_bias_adaptation;
};

}  // namespace detail

template <class Formula, class T>
class RunningNormLeaf : public RunningLeaf<Formula, T> {
 public:
  using Base = RunningLeaf<Formula, T>;
  static constexpr std::size_t kNorms = Formula::kNorms.size();
  using Norms = std::array<double, kNorms>;
  using Sums = std::array<Squares, kNorms>;

  RunningNormLeaf(typename Base::Options& options, const Frame& frame)
      : Base(options, frame),
        numbers_(names_of_numbers(), frame),
        of_tensor_(frame.tensors.size(), this->formula(true)),
        first_piece_(static_cast<std::size_t>((frame.size + kBlock - 1) / kBlock) + 1) {
    const std::vector<Interval>& tensors = frame.tensors;
    for (std::size_t t = 0; t < tensors.size(); ++t) {
      for (std::int64_t begin = tensors[t].begin; begin < tensors[t].end;) {
        const std::int64_t block = begin / kBlock, end = std::min(tensors[t].end, (block + 1) * kBlock);
        pieces_.push_back({begin, end, t, {}});
        first_piece_[static_cast<std::size_t>(block) + 1] = pieces_.size();
        begin = end;
      }
    }
    for (std::size_t b = 1; b < first_piece_.size(); ++b)
      first_piece_[b] = std::max(first_piece_[b], first_piece_[b - 1]);
    for (std::vector<double>& norms : norms_) norms.resize(tensors.size());
  }

  bool looks() const override { return true; }

  /// Partial sums a piece, added in order: the same for every number of threads.
  bool look(const Look<T>& look) override {
    for_blocks<T>(this->frame().size, [&](std::int64_t block, std::int64_t end, T* scratch) {
      const T* gradient = look.gradients.read(block, end, scratch);
      const std::size_t b = detail::block_number(block);
      for (std::size_t i = first_piece_[b]; i < first_piece_[b + 1]; ++i) {
        Piece& p = pieces_[i];
        if constexpr (!std::is_same_v<T, Traced>) {
          detail::norm_pass<T>(this->formula_of(p.tensor), look.weight + p.begin, gradient + (p.begin - block),
                               this->state_at(p.begin).data(), p.end - p.begin, p.sums.data());
        }
      }
    });
    std::size_t i = 0;
    for (std::size_t t = 0; t < of_tensor_.size(); ++t) {
      Sums sums{};
      for (; i < pieces_.size() && pieces_[i].tensor == t; ++i) {
        for (std::size_t k = 0; k < kNorms; ++k) sums[k].add(pieces_[i].sums[k]);
      }
      for (std::size_t k = 0; k < kNorms; ++k) norms_[k][t] = sums[k].norm();
    }
    recall();
    return false;
  }
  void recall() override {
    for (std::size_t t = 0; t < of_tensor_.size(); ++t) {
      if (this->frame().has_gradient[t] != 0) of_tensor_[t] = scaled(t);
    }
  }

  void update(const Block<T>& block) override {
    this->for_tensors(*block.runs, block.begin, block.end, [&](std::size_t t, std::int64_t begin, std::int64_t end) {
      this->pass(of_tensor_[t], block, begin, end);
    });
  }

  void restart_count() override {
    Base::restart_count();
    numbers_.clear();
  }
  void state(const std::string& path, StateVisitor<T>& visitor) override {
    Base::state(path, visitor);
    numbers_.state(path, visitor);
  }
  void measured(const std::string& path, MeasuredVisitor<T>& visitor) override {
    for (std::size_t k = 0; k < kNorms; ++k) {
      visitor.numbers(path + Formula::kNorms[k] + "_norm", norms_[k]);
    }
  }

 private:
  /// The part of a tensor inside one block.
  struct Piece {
    std::int64_t begin, end;
    std::size_t tensor;
    Sums sums;
  };
  static constexpr std::span<const char* const> names_of_numbers() {
    if constexpr (detail::HasNumbers<Formula>) return Formula::kNumbers;
    return {};
  }

  Formula scaled(std::size_t t) {
    Norms norms{};  // no_bias_adaptation: a trust ratio of two norms of zero is 1
    bool is_adapted = true;
    if constexpr (detail::HasNoBiasAdaptation<typename Base::Options>) {
      is_adapted = !this->options().no_bias_adaptation || this->frame().tensors[t].is_decayed;
    }
    for (std::size_t k = 0; k < kNorms && is_adapted; ++k) norms[k] = norms_[k][t];
    const Formula& formula = this->formula_of(t);
    if constexpr (detail::HasNumbers<Formula>) {
      return formula.scaled(norms, numbers_.of(t));
    } else {
      return formula.scaled(norms);
    }
  }

  TensorNumbers numbers_;
  std::vector<Formula> of_tensor_;
  std::vector<std::size_t> first_piece_;  // of each block
  std::vector<Piece> pieces_;
  std::array<std::vector<double>, kNorms> norms_;  // of each tensor, in this step
};

}  // namespace tandem
