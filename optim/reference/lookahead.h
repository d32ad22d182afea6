// Lookahead as the paper writes it (Zhang, Lucas, Hinton, Ba 2019, "Lookahead Optimizer: k steps forward, 1 step back",
// algorithm 1), on plain vectors: the page for a lecture, and what the fast code is held to, bit for bit, by the tests.
//
//   require slow weights phi_0, loss L, period k, slow step alpha, inner optimizer A
//   for t = 1, 2, ...
//     theta_{t,0} <- phi_{t-1}
//     for i = 1..k:  theta_{t,i} <- theta_{t,i-1} + A(L, theta_{t,i-1}, minibatch)
//     phi_t <- phi_{t-1} + alpha (theta_{t,k} - phi_{t-1})
//
// A Lookahead is an optimizer, so it may be the inner one of another: that is a nest. Not here: arenas, threads, text
// and schedules; the same inside one pass over memory is lookahead.cpp.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <tandem/optim/engine/pass.h>
#include <tandem/optim/rule.h>

namespace tandem::reference {

/// What is asked of an inner optimizer: it moves weights by a gradient, and it can begin anew.
template <class T>
class Stepping {
 public:
  using Vector = std::vector<T>;
  virtual ~Stepping() = default;
  virtual void step(Vector& weights, const Vector& gradient) = 0;
  /// Its state as before the first step, step counts included.
  virtual void reset() = 0;
  /// Its averages of gradients (momentum, Adam's m), alive.
  virtual std::vector<Vector*> first_moments() = 0;
  /// It goes on from other weights: whatever it keeps beside its moments starts from there.
  virtual void restart(const Vector& weights) = 0;
};

/// A leaf: the formula of sgd.h, adam.h, ... for each weight, with its coefficients of this step.
template <class Formula, class T>
class Leaf : public Stepping<T> {
 public:
  using typename Stepping<T>::Vector;
  static constexpr std::size_t kStates = Formula::kState.size();

  Leaf(typename Formula::Options options, std::size_t size)
      : options_(std::move(options)), states_(kStates, Vector(size)) {}

  void step(Vector& w, const Vector& g) override {
    Formula formula(options_, {.index = index_++, .count = ++count_});
    if constexpr (requires { formula.numbered(numbers_); }) formula = formula.numbered(numbers_);
    for (std::size_t i = 0; i < w.size(); ++i) apply(formula, w[i], g[i], i, std::make_index_sequence<kStates>{});
  }
  void reset() override {
    count_ = 0;
    numbers_.fill(0);
    for (Vector& state : states_) state.assign(state.size(), T(0));
  }
  std::vector<Vector*> first_moments() override {
    std::vector<Vector*> moments;
    for (std::size_t i = 0; i < kStates; ++i) {
      if (Formula::kState[i].role == Role::first_moment) moments.push_back(&states_[i]);
    }
    return moments;
  }
  void restart(const Vector&) override {}

 private:
  template <std::size_t... I>
  void apply(const Formula& formula, T& w, T g, [[maybe_unused]] std::size_t i, std::index_sequence<I...>) {
    formula(w, g, states_[I][i]...);
  }

  typename Formula::Options options_;
  std::vector<Vector> states_;
  std::array<double, 4> numbers_{};  // of a formula that keeps some for its tensor (nadam.h)
  std::int64_t index_ = 0, count_ = 0;
};

template <class T>
class Lookahead : public Stepping<T> {
 public:
  using typename Stepping<T>::Vector;

  /// `weights`: where the slow weights start.
  Lookahead(std::unique_ptr<Stepping<T>> inner, int k, double alpha, InnerState state, const Vector& weights)
      : inner_(std::move(inner)), k_(k), alpha_(alpha), state_(state), slow_(weights) {
    remember();
  }

  void step(Vector& fast, const Vector& gradient) override {
    inner_->step(fast, gradient);
    if (++counter_ < k_) return;
    const auto alpha = static_cast<T>(alpha_);
    for (std::size_t i = 0; i < slow_.size(); ++i) {
      slow_[i] = alpha_ == 1 ? fast[i] : slow_[i] - alpha * (slow_[i] - fast[i]);  // alpha = 1: fast, to the last bit
    }
    fast = slow_;
    if (state_ == InnerState::reset) inner_->reset();
    if (state_ == InnerState::interpolate) interpolate();
    restart(fast);
  }

  /// A new cycle from these weights, here and in every loop inside.
  void restart(const Vector& weights) override {
    slow_ = weights;
    counter_ = 0;
    remember();
    inner_->restart(weights);
  }

  void reset() override { inner_->reset(); }
  std::vector<Vector*> first_moments() override { return inner_->first_moments(); }
  const Vector& slow() const { return slow_; }

 private:
  /// Each moment becomes alpha * now + (1 - alpha) * at the last sync.
  void interpolate() {
    const auto alpha = static_cast<T>(alpha_), rest = static_cast<T>(1 - alpha_);
    const std::vector<Vector*> moments = inner_->first_moments();
    for (std::size_t m = 0; m < moments.size(); ++m) {
      Vector& now = *moments[m];
      for (std::size_t i = 0; i < now.size(); ++i) now[i] = alpha * now[i] + rest * last_[m][i];
    }
  }
  void remember() {
    last_.clear();
    if (state_ != InnerState::interpolate) return;
    for (const Vector* moment : inner_->first_moments()) last_.push_back(*moment);
  }

  std::unique_ptr<Stepping<T>> inner_;
  int k_, counter_ = 0;
  double alpha_;
  InnerState state_;
  Vector slow_;               // phi
  std::vector<Vector> last_;  // the inner moments at the last sync
};

}  // namespace tandem::reference
