// See recurrent.h.
#include <cmath>

#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/nn/init.h>
#include <tandem/nn/random_step.h>
#include <tandem/nn/recurrent.h>

namespace tandem::nn {

Recurrent::Recurrent(const char* name, std::int64_t gates, bool has_cell, const RecurrentLayerOptions& options)
    : kind_(name), has_cell_(has_cell), options_(options) {
  if (options.in < 1 || options.hidden < 1 || options.layers < 1) {
    fail(name, "in, hidden and layers must be at least 1",
         fmt::format("in {}, hidden {}, layers {}", options.in, options.hidden, options.layers));
  }
  for (const auto& [word, p] : {std::pair{"dropout", options.dropout}, {"weight_dropout", options.weight_dropout}}) {
    if (!(p >= 0 && p < 1)) fail(name, fmt::format("{} must be in [0, 1)", word), fmt::format("{} given", p));
  }
  const double bound = 1 / std::sqrt(static_cast<double>(options.hidden));
  const auto add = [&](const std::string& full, const Shape& shape) {
    Tensor w = parameter(full, Array::empty(shape));
    init::uniform(w, -bound, bound);
    return w;
  };
  for (std::int64_t layer = 0; layer < options.layers; ++layer) {
    const std::int64_t in = layer == 0 ? options.in : options.hidden * directions();
    for (const char* direction : {"", "_reverse"}) {
      if (!options.bidirectional && *direction != '\0') continue;
      const std::string end = fmt::format("_l{}{}", layer, direction);
      const std::int64_t rows = gates * options.hidden;
      Weights w;
      w.w_ih = add("weight_ih" + end, {rows, in});
      w.w_hh = add("weight_hh" + end, {rows, options.hidden});
      if (options.bias) {
        w.b_ih = add("bias_ih" + end, {rows});
        w.b_hh = add("bias_hh" + end, {rows});
      }
      weights_.push_back(w);
    }
  }
  if (options.dropout > 0 || options.weight_dropout > 0) generator_ = random_buffer("generator", new_random_state());
}

RecurrentOutput Recurrent::operator()(const Tensor& x, const RecurrentState& state,
                                      const std::vector<std::int64_t>& lengths) {
  return enter(x, [&](const Tensor& in) { return compute(in, state, lengths); });
}

Tensor Recurrent::forward(const Tensor& x) { return compute(x, {}, {}).y; }

/// Row `index` of a state [layers * directions, B, hidden]; undefined stays undefined.
Tensor Recurrent::first_state(const char* name, const Tensor& all, std::int64_t index, std::int64_t batch) const {
  if (!all.defined()) return {};
  const Shape expected{options_.layers * directions(), batch, options_.hidden};
  if (!(all.shape() == expected)) {
    fail(kind_, fmt::format("the state {} must be {}", name, to_string(expected)),
         fmt::format("{} {}", name, to_string(all.shape())));
  }
  return reshape(slice(all, 0, index, index + 1), {batch, options_.hidden});
}

RecurrentOutput Recurrent::compute(const Tensor& x, const RecurrentState& state,
                                   const std::vector<std::int64_t>& lengths) {
  if (x.rank() != 3 || x.shape(2) != options_.in) {
    fail(kind_, fmt::format("x must be [{}, {}]", options_.batch_first ? "B, T" : "T, B", options_.in),
         "x " + to_string(x.shape()));
  }
  if (state.c.defined() && !has_cell_) fail(kind_, "a state c is given, which only an LSTM has");
  Tensor y = options_.batch_first ? transpose(x, 0, 1) : x;
  const std::int64_t batch = y.shape(1);
  Generator generator = is_training() && generator_.defined() ? next_generator(generator_) : Generator();
  std::vector<Tensor> last_h, last_c;
  for (std::int64_t layer = 0; layer < options_.layers; ++layer) {
    if (layer > 0 && is_training()) y = dropout(y, options_.dropout, generator);
    std::vector<Tensor> outputs;
    for (std::int64_t direction = 0; direction < directions(); ++direction) {
      const std::int64_t index = layer * directions() + direction;
      const Weights& w = weights_[static_cast<std::size_t>(index)];
      const Tensor w_hh = is_training() ? dropout(w.w_hh, options_.weight_dropout, generator) : w.w_hh;
      const RecurrentResult result =
          run(y, first_state("h", state.h, index, batch), first_state("c", state.c, index, batch), w.w_ih, w_hh, w.b_ih,
              w.b_hh, {.reverse = direction == 1, .lengths = lengths});
      outputs.push_back(result.y);
      last_h.push_back(result.h);
      if (has_cell_) last_c.push_back(result.c);
    }
    y = outputs.size() == 1 ? outputs.front() : cat(outputs, 2);
  }
  if (options_.batch_first) y = transpose(y, 0, 1);
  return {y, {stack(last_h, 0), has_cell_ ? stack(last_c, 0) : Tensor{}}};
}

std::string Recurrent::describe() const {
  std::string text = fmt::format("{}({} -> {}", kind_, options_.in, options_.hidden);
  if (options_.layers > 1) text += fmt::format(", {} layers", options_.layers);
  if (options_.bidirectional) text += ", bidirectional";
  if (options_.batch_first) text += ", batch first";
  if (!options_.bias) text += ", no bias";
  if (options_.dropout > 0) text += fmt::format(", dropout {}", options_.dropout);
  if (options_.weight_dropout > 0) text += fmt::format(", weight dropout {}", options_.weight_dropout);
  return text + ")";
}

std::int64_t Recurrent::multiply_adds(const Shape& x, const Shape&) const {
  std::int64_t weights = 0;
  for (const Weights& w : weights_) weights += w.w_ih.size() + w.w_hh.size();
  return x[0] * x[1] * weights;
}

}  // namespace tandem::nn
