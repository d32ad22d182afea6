// Arithmetic of Traced numbers, and how their terms print.
#include <tandem/optim/study/traced.h>

#include <algorithm>

#include <fmt/format.h>

#include <tandem/optim/cube_root.h>

namespace tandem {
namespace {

thread_local Trace* current_trace = nullptr;

bool is_single() { return current_trace != nullptr && current_trace->is_single(); }

/// The result of one operation in the trace's precision. A sum, product, quotient or root of two floats in double,
/// rounded to float, is the float result: double has more than twice the digits and two.
double rounded(double value) { return is_single() ? static_cast<double>(static_cast<float>(value)) : value; }

std::string text(double value, bool single) {
  return single ? fmt::format("{}", static_cast<float>(value)) : fmt::format("{}", value);
}

enum class Rank { sum, product, factor };

}  // namespace

struct Traced::Term {
  enum class Kind { variable, coefficient, add, subtract, multiply, divide, negate, call };
  Kind kind;
  std::string word;  // of a name or a function
  Traced a, b;
  bool has_b = false;

  Rank rank() const {
    switch (kind) {
      case Kind::add:
      case Kind::subtract:
      case Kind::negate:
        return Rank::sum;
      case Kind::multiply:
      case Kind::divide:
        return Rank::product;
      default:
        return Rank::factor;
    }
  }

  /// A constant of this value, or a product with one of 0.
  static bool is(const Traced& x, double constant) {
    const Term* const t = x.term_.get();
    if (t == nullptr || t->kind == Kind::coefficient) return x.value_ == constant;
    return constant == 0 && t->kind == Kind::multiply && (is(t->a, 0) || is(t->b, 0));
  }

  static std::string print(const Traced& x, bool with_numbers, Rank least, bool single) {
    if (x.term_ == nullptr) return bracketed(text(x.value_, single), x.value_ < 0 && least != Rank::sum);
    const Term& t = *x.term_;
    const auto inside = [&](const Traced& y, Rank rank) { return print(y, with_numbers, rank, single); };
    switch (t.kind) {
      case Kind::variable:
      case Kind::coefficient:
        if (with_numbers) return bracketed(text(x.value_, single), x.value_ < 0 && least != Rank::sum);
        return bracketed(t.word, least != Rank::sum && t.word.find(' ') != std::string::npos);
      case Kind::negate:
        return bracketed(fmt::format("-{}", inside(t.a, Rank::factor)), least != Rank::sum);
      case Kind::add:
        if (is(t.a, 0)) return inside(t.b, least);
        if (is(t.b, 0)) return inside(t.a, least);
        return bracketed(fmt::format("{} + {}", inside(t.a, Rank::sum), inside(t.b, Rank::sum)), least > Rank::sum);
      case Kind::subtract:
        if (is(t.b, 0)) return inside(t.a, least);
        return bracketed(fmt::format("{} - {}", inside(t.a, Rank::sum), inside(t.b, Rank::product)), least > Rank::sum);
      case Kind::multiply:
        if (is(t.a, 1)) return inside(t.b, least);
        if (is(t.b, 1)) return inside(t.a, least);
        return bracketed(fmt::format("{} * {}", inside(t.a, Rank::product), inside(t.b, Rank::factor)),
                         least > Rank::product);
      case Kind::divide:
        if (is(t.b, 1)) return inside(t.a, least);
        return bracketed(fmt::format("{} / {}", inside(t.a, Rank::product), inside(t.b, Rank::factor)),
                         least > Rank::product);
      case Kind::call:
        if (!t.has_b) return fmt::format("{}({})", t.word, inside(t.a, Rank::sum));
        return fmt::format("{}({}, {})", t.word, inside(t.a, Rank::sum), inside(t.b, Rank::sum));
    }
    return {};
  }

 private:
  static std::string bracketed(const std::string& s, bool brackets) { return brackets ? fmt::format("({})", s) : s; }
};

Traced::Traced(double value) : value_(rounded(value)) {}
Traced::Traced(double value, std::shared_ptr<const Term> term) : value_(rounded(value)), term_(std::move(term)) {}

Traced Traced::variable(const std::string& name, double value) {
  return Traced(value, std::make_shared<Term>(Term{Term::Kind::variable, name, {}, {}}));
}
Traced Traced::coefficient(const std::string& name, double value) {
  return Traced(value, std::make_shared<Term>(Term{Term::Kind::coefficient, name, {}, {}}));
}

void Traced::write_as(const char* formula, const Traced* place, const char* name) {
  variable_ = {formula, name, place};
  term_ = variable(name, value_).term_;
}

Traced& Traced::operator=(const Traced& other) {
  value_ = other.value_;
  term_ = other.term_;
  if (variable_.name == nullptr) return *this;
  const bool is_same = symbols() == variable_.name;  // a decay of nothing
  if (current_trace != nullptr && !is_same)
    current_trace->add(variable_.formula, variable_.place, variable_.name, *this);
  term_ = variable(variable_.name, value_).term_;
  return *this;
}

std::string Traced::symbols() const { return Term::print(*this, false, Rank::sum, is_single()); }
std::string Traced::numbers() const { return Term::print(*this, true, Rank::sum, is_single()); }

Traced Traced::operator-() const {
  return Traced(-value_, std::make_shared<Term>(Term{Term::Kind::negate, "", *this, {}}));
}
Traced operator+(const Traced& a, const Traced& b) {
  return Traced(a.value_ + b.value_, std::make_shared<Traced::Term>(Traced::Term{Traced::Term::Kind::add, "", a, b}));
}
Traced operator-(const Traced& a, const Traced& b) {
  return Traced(a.value_ - b.value_,
                std::make_shared<Traced::Term>(Traced::Term{Traced::Term::Kind::subtract, "", a, b}));
}
Traced operator*(const Traced& a, const Traced& b) {
  return Traced(a.value_ * b.value_,
                std::make_shared<Traced::Term>(Traced::Term{Traced::Term::Kind::multiply, "", a, b}));
}
Traced operator/(const Traced& a, const Traced& b) {
  return Traced(a.value_ / b.value_,
                std::make_shared<Traced::Term>(Traced::Term{Traced::Term::Kind::divide, "", a, b}));
}

Traced Traced::call(const char* function, double value, const Traced& a, const Traced* b) {
  return Traced(
      value, std::make_shared<Term>(Term{Term::Kind::call, function, a, b != nullptr ? *b : Traced(), b != nullptr}));
}
// Functions that are not correctly rounded are those of the optimizer's own precision.
Traced sqrt(const Traced& x) { return Traced::call("sqrt", std::sqrt(x.value_), x); }
Traced abs(const Traced& x) { return Traced::call("abs", std::abs(x.value_), x); }
Traced pow(const Traced& x, const Traced& y) {
  const double value =
      is_single() ? std::pow(static_cast<float>(x.value_), static_cast<float>(y.value_)) : std::pow(x.value_, y.value_);
  return Traced::call("pow", value, x, &y);
}
Traced cbrt(const Traced& x) {
  return Traced::call("cbrt", is_single() ? detail::cbrt(static_cast<float>(x.value_)) : detail::cbrt(x.value_), x);
}
Traced exp(const Traced& x) {
  return Traced::call("exp", is_single() ? std::exp(static_cast<float>(x.value_)) : std::exp(x.value_), x);
}
Traced copysign(const Traced& size, const Traced& sign) {
  return Traced::call("copysign", std::copysign(size.value_, sign.value_), size, &sign);
}
Traced max(const Traced& a, const Traced& b) { return Traced::call("max", std::max(a.value_, b.value_), a, &b); }
Traced min(const Traced& a, const Traced& b) { return Traced::call("min", std::min(a.value_, b.value_), a, &b); }

Trace::Trace(DType dtype) : dtype_(dtype), outside_(current_trace) { current_trace = this; }
Trace::~Trace() { current_trace = outside_; }
Trace* Trace::current() { return current_trace; }

std::string Trace::path_of(const Traced* place) const {
  const auto found = paths_.find(place);
  return found == paths_.end() ? "" : found->second;
}

void Trace::add(const char* formula, const Traced* place, const std::string& name, const Traced& result) {
  lines_.push_back({formula, path_of(place), name, result.symbols(), result.numbers(), result.value()});
}

}  // namespace tandem
