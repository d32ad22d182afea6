// See decode.h. A step of all sentences is one call of the model; what stays after it is picked by rows.
#include <tandem/nn/models/decode.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/autograd/record.h>
#include <tandem/nn/behaviour_scope.h>

namespace tandem::nn {

namespace {

using Ids = std::vector<std::int64_t>;

constexpr double kNever = -std::numeric_limits<double>::infinity();

/// The most tokens of each translation.
std::vector<std::size_t> limits(const Transformer& model, const Array& source, std::int64_t more) {
  if (more < 0) fail("decode", fmt::format("more is {}, must be at least 0", more));
  if (source.rank() != 2) fail("decode", "source must be [B, S]", "source " + source.shape().to_string());
  const Ids ids = source.to_vector<std::int64_t>();
  const auto width = static_cast<std::size_t>(source.shape(1));
  std::vector<std::size_t> all;
  for (std::size_t begin = 0; begin < ids.size(); begin += width) {
    const auto row = ids.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto padding = std::count(row, row + source.shape(1), model.options().padding);
    const std::int64_t most = std::min(source.shape(1) - padding + more, model.options().positions);
    all.push_back(static_cast<std::size_t>(std::max<std::int64_t>(1, most)));
  }
  return all;
}

Array rows_of(const Ids& rows) { return Array::from(rows, {static_cast<std::int64_t>(rows.size())}); }

Tensor step(Transformer& model, const Ids& ids, TransformerCache& cache) {
  return model.step(Array::from(ids, {static_cast<std::int64_t>(ids.size()), 1}), cache);
}

struct Hypothesis {
  Ids ids;
  double log_probability = kNever;
};

struct Candidate {
  double log_probability;
  std::size_t beam;
  std::int64_t id;
};

/// A sentence that is being translated; its hypotheses are `beams` rows of the batch, one after the other.
struct Search {
  std::size_t sentence = 0, limit = 0;
  std::vector<Hypothesis> open;  // the likeliest first; kNever where there are fewer
  Ids best;
  double best_score = kNever;
  std::int64_t ended = 0;

  static double norm(std::size_t tokens, double power) {
    return std::pow((5 + static_cast<double>(tokens)) / 6, power);
  }
  void end(const Hypothesis& hypothesis, std::size_t tokens, double power) {
    const double score = hypothesis.log_probability / norm(tokens, power);
    ++ended;
    if (score <= best_score) return;
    best_score = score;
    best = hypothesis.ids;
  }
  /// Takes a step; the beams that the open hypotheses come from.
  std::vector<std::size_t> advance(const std::vector<Candidate>& candidates, const BeamOptions& o) {
    std::vector<Hypothesis> next;
    std::vector<std::size_t> from;
    const auto beams = static_cast<std::size_t>(o.beams);
    for (std::size_t rank = 0; rank < candidates.size() && next.size() < beams; ++rank) {
      const Candidate& c = candidates[rank];
      Hypothesis hypothesis{open[c.beam].ids, c.log_probability};
      if (c.id == o.end) {
        if (rank < beams) end(hypothesis, hypothesis.ids.size() + 1, o.length_power);
        continue;
      }
      hypothesis.ids.push_back(c.id);
      next.push_back(std::move(hypothesis));
      from.push_back(c.beam);
    }
    next.resize(beams);
    from.resize(beams, 0);
    open = std::move(next);
    return from;
  }
  /// All that is open is as long: log probabilities only fall, and none can be divided by more than at the limit.
  bool is_done(const BeamOptions& o) {
    const double likeliest = open.front().log_probability;
    if (ended >= o.beams || best_score >= likeliest / norm(limit + 1, o.length_power)) return true;
    if (open.front().ids.size() < limit) return false;
    for (const Hypothesis& hypothesis : open)
      if (hypothesis.log_probability > kNever) end(hypothesis, hypothesis.ids.size(), o.length_power);
    return true;
  }
};

/// The candidates of one sentence, the likeliest first, among equals those of the first beam and the smaller rank.
std::vector<Candidate> candidates_of(const Search& search, std::size_t first_row, const std::vector<double>& values,
                                     const Ids& ids, std::size_t width) {
  std::vector<Candidate> all;
  for (std::size_t beam = 0; beam < search.open.size(); ++beam) {
    const double before = search.open[beam].log_probability;
    for (std::size_t j = (first_row + beam) * width; before > kNever && j < (first_row + beam + 1) * width; ++j)
      all.push_back({before + values[j], beam, ids[j]});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Candidate& a, const Candidate& b) { return a.log_probability > b.log_probability; });
  return all;
}

}  // namespace

std::vector<Ids> greedy_decode(Transformer& model, const Array& source, const DecodeOptions& options) {
  const std::vector<std::size_t> limit = limits(model, source, options.more);
  const NoGradGuard no_grad;
  const BehaviourScope behaviour(model);
  model.evaluate();
  TransformerCache cache = model.start(source);
  std::vector<Ids> result(limit.size());
  std::vector<std::size_t> open;  // which sentence each row is
  for (std::size_t i = 0; i < limit.size(); ++i) open.push_back(i);
  Ids ids(limit.size(), options.begin);
  while (!open.empty()) {
    const Ids likeliest = argmax(step(model, ids, cache), 1).value().to_vector<std::int64_t>();
    std::vector<std::size_t> still;
    Ids rows;
    ids.clear();
    for (std::size_t row = 0; row < open.size(); ++row) {
      Ids& sentence = result[open[row]];
      if (likeliest[row] == options.end) continue;
      sentence.push_back(likeliest[row]);
      if (sentence.size() == limit[open[row]]) continue;
      still.push_back(open[row]);
      rows.push_back(static_cast<std::int64_t>(row));
      ids.push_back(likeliest[row]);
    }
    if (!still.empty() && still.size() < open.size()) cache.reorder(rows_of(rows));
    open = std::move(still);
  }
  return result;
}

std::vector<Ids> beam_decode(Transformer& model, const Array& source, const BeamOptions& options) {
  if (options.beams < 1 || !(options.length_power >= 0)) {
    fail("beam_decode", "beams must be at least 1, length_power at least 0",
         fmt::format("beams {}, length_power {}", options.beams, options.length_power));
  }
  const std::vector<std::size_t> limit = limits(model, source, options.more);
  const NoGradGuard no_grad;
  const BehaviourScope behaviour(model);
  model.evaluate();
  const auto beams = static_cast<std::size_t>(options.beams);
  // Of the 2 beams likeliest candidates of a row at most one ends it, so `beams` that go on are among those of all
  // rows.
  const std::int64_t width = std::min(2 * options.beams, model.options().target_tokens);
  TransformerCache cache = model.start(source);
  std::vector<Search> open(limit.size());
  Ids rows;
  for (std::size_t i = 0; i < open.size(); ++i) {
    open[i].sentence = i;
    open[i].limit = limit[i];
    open[i].open.resize(beams);
    open[i].open.front().log_probability = 0;
    rows.insert(rows.end(), beams, static_cast<std::int64_t>(i));
  }
  cache.reorder(rows_of(rows));
  Ids ids(rows.size(), options.begin);
  std::vector<Ids> result(limit.size());
  while (!open.empty()) {
    const auto [values, indices] = topk(log_softmax(step(model, ids, cache), 1), width, 1);
    const std::vector<double> value = values.value().to_vector<double>();
    const Ids index = indices.value().to_vector<std::int64_t>();
    std::vector<Search> still;
    rows.clear();
    ids.clear();
    for (std::size_t i = 0; i < open.size(); ++i) {
      Search& search = open[i];
      const std::vector<std::size_t> from =
          search.advance(candidates_of(search, i * beams, value, index, static_cast<std::size_t>(width)), options);
      if (search.is_done(options)) {
        result[search.sentence] = std::move(search.best);
        continue;
      }
      for (std::size_t beam = 0; beam < beams; ++beam) {
        rows.push_back(static_cast<std::int64_t>(i * beams + from[beam]));
        const Ids& hypothesis = search.open[beam].ids;
        ids.push_back(hypothesis.empty() ? options.begin : hypothesis.back());  // empty: a row that stands for nothing
      }
      still.push_back(std::move(search));
    }
    if (!still.empty()) cache.reorder(rows_of(rows));
    open = std::move(still);
  }
  return result;
}

}  // namespace tandem::nn
