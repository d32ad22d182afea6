// The pass: a formula for one scalar on many elements, vectorised and compiled for every instruction set. A formula has
//
//   static constexpr std::array kState = {State{...}, ...};            // how many numbers a weight it keeps
//   void operator()(T& w, T g, T& state0, T& state1, ...) const;       // reads and writes one element
//
// Leaves are such formulas (leaf.h), and so are the pull of Lookahead and the averages.
#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include <tandem/core/dispatch.h>
#include <tandem/optim/engine/squares.h>
#include <tandem/optim/study/traced.h>

#if defined(__clang__)
#define TANDEM_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define TANDEM_INDEPENDENT _Pragma("GCC ivdep")
#endif

namespace tandem {

/// first_moment: what InnerState::interpolate mixes (a momentum, an average of gradients). other: everything else.
enum class Role { first_moment, other };

/// A named buffer of one number a weight, zero at the start.
struct State {
  const char* name = "";
  Role role = Role::other;
};

/// No state at all: `static constexpr auto kState = kNoState;`.
inline constexpr std::array<State, 0> kNoState{};

/// The first of a list: for a formula whose number of states depends on a template argument.
template <std::size_t n, std::size_t all>
constexpr std::array<State, n> first_states(const State (&states)[all]) {
  std::array<State, n> first{};
  for (std::size_t i = 0; i < n; ++i) first[i] = states[i];
  return first;
}

namespace detail {

TANDEM_OPTIMIZED_BEGIN

template <class T, class Formula, std::size_t... I>
TANDEM_INLINE void formula_loop(const Formula formula, T* w, const T* g, T* const* state, std::int64_t n,
                                std::index_sequence<I...>) {
  [[maybe_unused]] T* const s[sizeof...(I) + 1] = {state[I]..., nullptr};
  TANDEM_INDEPENDENT
  for (std::int64_t i = 0; i < n; ++i) formula(w[i], g[i], s[I][i]...);
}

/// Everything is inlined (flatten), so that it is compiled for each instruction set.
template <class T, class Formula>
TANDEM_TARGETS __attribute__((flatten)) void vector_pass(const Formula formula, T* w, const T* g, T* const* state,
                                                         std::int64_t n) {
  formula_loop(formula, w, g, state, n, std::make_index_sequence<Formula::kState.size()>{});
}

/// The formula on n elements.
template <class T, class Formula>
void formula_pass(const Formula& formula, T* w, const T* g, T* const* state, std::int64_t n) {
  if constexpr (std::is_same_v<T, Traced>) {
    traced_pass(formula, w, g, state, n);
  } else {
    vector_pass(formula, w, g, state, n);
  }
}

/// to <- from, an act that explanations tell: a formula with the name of its act.
template <class T, class Act>
void copy_pass(const Act& act, T* to, const T* from, std::int64_t n) {
  if constexpr (std::is_same_v<T, Traced>) {
    traced_pass(act, to, from, nullptr, n);
  } else {
    std::copy(from, from + n, to);
  }
}

/// The same, and sums of squares of the gradients and of what happens to w, in parts that stay in the first cache. Not
/// compiled for each instruction set: the passes that it calls are.
template <class T, class Formula>
void watched_pass(const Formula& formula, T* w, const T* g, T* const* state, std::int64_t n, Squares* gradient,
                  Squares* update) {
  constexpr std::int64_t kPart = 1024;
  constexpr std::size_t kStates = Formula::kState.size();
  alignas(64) T before[kPart];
  for (std::int64_t begin = 0; begin < n; begin += kPart) {
    const std::int64_t size = std::min(kPart, n - begin);
    T* part[kStates + 1] = {};
    for (std::size_t i = 0; i < kStates; ++i) part[i] = state[i] + begin;
    std::copy(w + begin, w + begin + size, before);
    vector_pass(formula, w + begin, g + begin, part, size);
    if (update != nullptr) update->add(difference_pass<T>(w + begin, before, size));
    if (gradient != nullptr) gradient->add(report_pass<T>(g + begin, size));
  }
}

TANDEM_OPTIMIZED_END

}  // namespace detail
}  // namespace tandem
