// A leaf with norms per tensor, measured before the pass: the layer-wise rules (lars.h, lamb.h). Beside what leaf.h
// asks for, its formula has
//
//   static constexpr std::array kNorms = {"weight", "update"};                 // their names
//   std::array<T, 2> measured(T w, T g, T m, T v) const { ... }                // what each norm is of, elementwise
//   Formula scaled(const std::array<double, 2>& norms) const { ... }           // the formula of a tensor with these
#pragma once

#include <cmath>

#include <tandem/optim/bound_leaf.h>
#include <tandem/optim/squares.h>

namespace tandem {

namespace detail {

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

}  // namespace detail

template <class Formula, class T>
class BoundNormLeaf : public BoundLeaf<Formula, T> {
 public:
  using Base = BoundLeaf<Formula, T>;
  using Norms = std::array<double, Formula::kNorms.size()>;
  using Sums = std::array<Squares, Formula::kNorms.size()>;

  BoundNormLeaf(typename Base::Options& options, const Frame& frame)
      : Base(options, frame),
        tensors_(frame.tensors),
        size_(frame.size),
        of_tensor_(tensors_.size(), this->formula(true)),
        first_piece_(static_cast<std::size_t>((frame.size + kBlock - 1) / kBlock) + 1) {
    for (std::size_t t = 0; t < tensors_.size(); ++t) {
      for (std::int64_t begin = tensors_[t].begin; begin < tensors_[t].end;) {
        const std::int64_t block = begin / kBlock, end = std::min(tensors_[t].end, (block + 1) * kBlock);
        pieces_.push_back({begin, end, t, {}});
        first_piece_[static_cast<std::size_t>(block) + 1] = pieces_.size();
        begin = end;
      }
    }
    for (std::size_t b = 1; b < first_piece_.size(); ++b)
      first_piece_[b] = std::max(first_piece_[b], first_piece_[b - 1]);
  }

  bool measures() const override { return true; }

  /// Partial sums a piece, added in order: the same for every number of threads.
  void measure(const T* weight, const GradientSource<T>& source, int phase) override {
    if (phase > 0) return;
    for_blocks<T>(size_, [&](std::int64_t block, std::int64_t end, T* scratch) {
      const T* gradient = source.read(block, end, scratch);
      const auto b = static_cast<std::size_t>(block / kBlock);
      for (std::size_t i = first_piece_[b]; i < first_piece_[b + 1]; ++i) {
        Piece& p = pieces_[i];
        detail::norm_pass<T>(this->formula_of(p.tensor), weight + p.begin, gradient + (p.begin - block),
                             this->state_at(p.begin).data(), p.end - p.begin, p.sums.data());
      }
    });
    std::size_t i = 0;
    for (std::size_t t = 0; t < tensors_.size(); ++t) {
      Norms norms{};
      Sums sums{};
      for (; i < pieces_.size() && pieces_[i].tensor == t; ++i) {
        for (std::size_t k = 0; k < norms.size(); ++k) sums[k].add(pieces_[i].sums[k]);
      }
      for (std::size_t k = 0; k < norms.size(); ++k) norms[k] = sums[k].norm();
      of_tensor_[t] = this->formula_of(t).scaled(norms);
    }
  }

  void update(const Block<T>& block, int phase) override {
    if (phase > 0) return;
    const auto b = static_cast<std::size_t>(block.begin / kBlock);
    for (std::size_t i = first_piece_[b]; i < first_piece_[b + 1]; ++i) {
      const Piece& p = pieces_[i];
      for_runs(*block.runs, p.begin, p.end, [&](std::int64_t begin, std::int64_t end, bool) {
        detail::formula_pass<T>(of_tensor_[p.tensor], block.weight + begin, block.gradient + (begin - block.begin),
                                this->state_at(begin).data(), end - begin);
      });
    }
  }

 private:
  /// The part of a tensor inside one block.
  struct Piece {
    std::int64_t begin, end;
    std::size_t tensor;
    Sums sums;
  };

  const std::vector<Interval>& tensors_;
  std::int64_t size_;
  std::vector<Formula> of_tensor_;
  std::vector<std::size_t> first_piece_;  // of each block
  std::vector<Piece> pieces_;
};

}  // namespace tandem
