// Traced: a scalar that remembers how it came about. Formulas of leaves, pulls and averages are templates on the
// scalar; run on Traced numbers they give the paper's line with the numbers in it (Optimizer::explain). The arithmetic
// is that of the optimizer: in a trace of f32 every result is rounded to float, so the bits are the same.
//
// A formula names its coefficients with coefficient<T>("lr", value), where it likes; an unnamed one prints as a number.
#pragma once

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include <tandem/optim/engine/frame.h>

namespace tandem {

class Traced {
 public:
  struct Term;

  Traced() = default;
  Traced(double value);
  Traced(const Traced& other) : value_(other.value_), term_(other.term_) {}
  /// Writes a line of the trace where this is a variable of a formula; from then on it goes by its name.
  Traced& operator=(const Traced& other);
  /// Makes this a variable: what is assigned to it is written down, as a line of `formula`, at `place`.
  void write_as(const char* formula, const Traced* place, const char* name);
  static Traced variable(const std::string& name, double value);
  /// Terms that a coefficient of 0 or 1 leaves without effect are not printed.
  static Traced coefficient(const std::string& name, double value);

  explicit operator double() const { return value_; }
  double value() const { return value_; }
  /// "beta1 m + (1 - beta1) g", and the same with the numbers in place of names.
  std::string symbols() const;
  std::string numbers() const;

  Traced operator-() const;
  Traced& operator+=(const Traced& other) { return *this = *this + other; }
  Traced& operator-=(const Traced& other) { return *this = *this - other; }
  Traced& operator*=(const Traced& other) { return *this = *this * other; }
  Traced& operator/=(const Traced& other) { return *this = *this / other; }
  friend Traced operator+(const Traced& a, const Traced& b);
  friend Traced operator-(const Traced& a, const Traced& b);
  friend Traced operator*(const Traced& a, const Traced& b);
  friend Traced operator/(const Traced& a, const Traced& b);
  friend bool operator==(const Traced& a, const Traced& b) { return a.value_ == b.value_; }
  friend auto operator<=>(const Traced& a, const Traced& b) { return a.value_ <=> b.value_; }

  friend Traced sqrt(const Traced& x);
  friend Traced abs(const Traced& x);
  friend Traced fabs(const Traced& x) { return abs(x); }
  friend Traced pow(const Traced& x, const Traced& y);
  friend Traced cbrt(const Traced& x);
  friend Traced exp(const Traced& x);
  friend Traced copysign(const Traced& size, const Traced& sign);
  friend Traced max(const Traced& a, const Traced& b);
  friend Traced min(const Traced& a, const Traced& b);
  friend bool isfinite(const Traced& x) { return std::isfinite(x.value_); }

 private:
  Traced(double value, std::shared_ptr<const Term> term);
  static Traced call(const char* function, double value, const Traced& a, const Traced* b = nullptr);
  struct Variable {
    const char *formula = nullptr, *name = nullptr;
    const Traced* place = nullptr;
  };
  double value_ = 0;
  std::shared_ptr<const Term> term_;  // null: a plain number
  Variable variable_;                 // not copied
};

/// One line of an explanation: `name = symbols = numbers = value`.
struct TracedLine {
  std::string formula;  ///< the rule or the act it belongs to: "adam", "pull"
  std::string place;    ///< the path of what was written, "inner/exp_avg"; empty for the weight and for gradients
  std::string name, symbols, numbers;
  double value = 0;
};

/// While a Trace lives, passes over Traced numbers of this thread are written down in it.
class Trace {
 public:
  explicit Trace(DType dtype);
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;
  static Trace* current();

  /// Numbers at this address are called so.
  void name(const Traced* place, const std::string& path) { paths_[place] = path; }
  /// The path of an address, or "".
  std::string path_of(const Traced* place) const;
  void add(const char* formula, const Traced* place, const std::string& name, const Traced& result);
  const std::vector<TracedLine>& lines() const { return lines_; }
  bool is_single() const { return dtype_ == DType::f32; }

 private:
  DType dtype_;
  Trace* outside_;
  std::map<const Traced*, std::string> paths_;
  std::vector<TracedLine> lines_;
};

/// A coefficient of a formula, with its name in explanations; otherwise static_cast<T>(value).
template <class T>
T coefficient([[maybe_unused]] const char* name, double value) {
  if constexpr (std::is_same_v<T, Traced>) {
    return Traced::coefficient(name, value);
  } else {
    return static_cast<T>(value);
  }
}

/// A Traced arena has one element; its buffers are apart from Arrays.
template <>
class Numbers<Traced> {
 public:
  explicit Numbers(const Frame& frame) : data_(static_cast<std::size_t>(frame.size)) {}
  Numbers(const Numbers&) = delete;
  Numbers& operator=(const Numbers&) = delete;
  Traced* at(std::int64_t begin) const { return const_cast<Traced*>(data_.data()) + begin; }

 private:
  std::vector<Traced> data_;
};

namespace detail {

/// What a formula calls its two arguments: `static constexpr std::array kNames = {"slow", "fast"};`, else w and g.
template <class Formula>
const char* argument_name(std::size_t i) {
  if constexpr (requires { Formula::kNames; }) {
    return Formula::kNames[i];
  } else {
    return i == 0 ? "w" : "g";
  }
}

/// The formula on one element, written down.
template <class Formula, std::size_t... I>
void traced_formula(const Formula& formula, Traced& w, const Traced& g, Traced* const* state,
                    std::index_sequence<I...>) {
  const char* const names[] = {argument_name<Formula>(0), Formula::kState[I].name...};
  const Traced* const places[] = {&w, state[I]...};
  Traced variables[] = {Traced(w.value()), Traced(state[I]->value())...};
  for (std::size_t i = 0; i < std::size(variables); ++i) variables[i].write_as(Formula::kName, places[i], names[i]);
  formula(variables[0], Traced::variable(argument_name<Formula>(1), g.value()), variables[I + 1]...);
  ((*state[I] = Traced(variables[I + 1].value())), ...);
  w = Traced(variables[0].value());
}

template <class Formula>
void traced_pass(const Formula& formula, Traced* w, const Traced* g, Traced* const* state, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    Traced* at[Formula::kState.size() + 1] = {};
    for (std::size_t k = 0; k < Formula::kState.size(); ++k) at[k] = state[k] + i;
    traced_formula(formula, w[i], g[i], at, std::make_index_sequence<Formula::kState.size()>{});
  }
}

}  // namespace detail
}  // namespace tandem
