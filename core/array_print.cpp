// Array::to_string: aligned columns, long dims abbreviated to their first and last three, then shape and dtype.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <tandem/core/array.h>

namespace tandem {

namespace {

constexpr std::int64_t kEdge = 3;
constexpr std::int64_t kWhole = 1000;  // arrays of more elements are abbreviated

struct Printer {
  bool abbreviate = false;
  bool integers = true;
  std::size_t width = 0;
  std::string text;

  std::string number(double v) const {
    return integers && std::isfinite(v) ? fmt::format("{:.0f}", v) : fmt::format("{:.4g}", v);
  }

  template <class F>
  void visit(const Array& x, F&& f) const {
    if (x.rank() == 0) return f(x.item());
    for_each_shown(x.shape(0), [&](std::int64_t i) {
      if (i >= 0) visit(x.select(0, i), f);
    });
  }

  // Calls f(i) for the indices shown, f(-1) for the gap.
  template <class F>
  void for_each_shown(std::int64_t n, F&& f) const {
    const bool gap = abbreviate && n > 2 * kEdge + 1;
    for (std::int64_t i = 0; i < n; ++i) {
      if (gap && i == kEdge) {
        f(std::int64_t{-1});
        i = n - kEdge;
      }
      f(i);
    }
  }

  void print(const Array& x, std::size_t indent) {
    if (x.rank() == 0) {
      text += fmt::format("{:>{}}", number(x.item()), width);
      return;
    }
    text += '[';
    bool first = true;
    std::string separator = x.rank() == 1 ? ", " : ",";
    if (x.rank() > 1) {
      separator.append(static_cast<std::size_t>(x.rank() - 1), '\n');
      separator.append(indent + 1, ' ');
    }
    for_each_shown(x.shape(0), [&](std::int64_t i) {
      if (!first) text += separator;
      first = false;
      if (i < 0) {
        text += "...";
      } else {
        print(x.select(0, i), indent + 1);
      }
    });
    text += ']';
  }
};

}  // namespace

std::string Array::to_string() const {
  if (!defined()) return "undefined";
  Printer printer;
  printer.abbreviate = size() > kWhole;
  printer.visit(*this,
                [&](double v) { printer.integers &= !std::isfinite(v) || (v == std::floor(v) && std::abs(v) < 1e15); });
  printer.visit(*this, [&](double v) { printer.width = std::max(printer.width, printer.number(v).size()); });
  printer.print(*this, 0);
  return fmt::format("{}  {} {}", printer.text, shape_.to_string(), name(dtype_));
}

}  // namespace tandem
