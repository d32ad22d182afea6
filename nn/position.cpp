// See position.h.
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/nn/init.h>
#include <tandem/nn/position.h>

namespace tandem::nn {

Position::Position(const char* name, const Options& options) : kind_(name), options_(options) {
  if (options.width < 1 || options.positions < 1) {
    fail(name, "width and positions must be at least 1",
         fmt::format("width {}, positions {}", options.width, options.positions));
  }
}

Tensor Position::operator()(const Tensor& x, std::int64_t first) {
  return enter(x, [&](const Tensor& in) { return add_positions(in, first); });
}

Tensor Position::add_positions(const Tensor& x, std::int64_t first) const {
  if (x.rank() != 3 || x.shape(2) != options_.width)
    fail("position", fmt::format("x must be [B, T, {}]", options_.width), "x " + to_string(x.shape()));
  const std::int64_t end = first + x.shape(1);
  if (first < 0 || end > options_.positions) {
    fail("position", fmt::format("a sentence of {} tokens is longer than the {} positions", end, options_.positions),
         "x " + to_string(x.shape()), "cut it, or make the model with more positions");
  }
  if (is_learned_ && table_.dtype() != x.dtype()) {
    fail("position", fmt::format("x is {}, the weight {}", name(x.dtype()), name(table_.dtype())),
         "x " + to_string(x.shape()), "convert the model with to(), or x");
  }
  const Tensor part = slice(table_, 0, first, end);
  return x + (part.dtype() == x.dtype() ? part : Tensor(part.value().to(x.dtype())));
}

std::string Position::describe() const {
  return fmt::format("{}({} positions, {})", kind_, options_.positions, options_.width);
}

SinusoidalPosition::SinusoidalPosition(const Options& options) : Position("SinusoidalPosition", options) {
  const std::int64_t width = options.width;
  std::vector<double> values(static_cast<std::size_t>(options.positions * width));
  for (std::int64_t t = 0; t < options.positions; ++t) {
    for (std::int64_t i = 0; i < width; ++i) {
      const double exponent = static_cast<double>(i / 2 * 2) / static_cast<double>(width);
      const double angle = static_cast<double>(t) / std::pow(10000.0, exponent);
      values[static_cast<std::size_t>(t * width + i)] = i % 2 == 0 ? std::sin(angle) : std::cos(angle);
    }
  }
  table_ = Array::from(values, {options.positions, width});
}

LearnedPosition::LearnedPosition(const Options& options) : Position("LearnedPosition", options) {
  is_learned_ = true;
  weight = table_ = parameter("weight", Array::empty({options.positions, options.width}));
  init::normal(weight, 0, 0.02);
}

}  // namespace tandem::nn
