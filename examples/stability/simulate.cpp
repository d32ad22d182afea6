// All neighbours walk at once. One whose example was not drawn yet is where S is, and begins there when it is drawn.
#include "simulate.h"

#include <algorithm>

namespace tandem::stability {
namespace {

constexpr std::size_t kTest = 2000;  // new examples of the test risk
constexpr int kRiskPoints = 60;  // of a training, at which the mean loss on S is measured; also the first so many steps

/// Weights of one training with its optimizer's state.
struct Walker {
  std::vector<double> fast, slow;
  std::size_t replaced = 0;  ///< the example that is another one
  bool is_apart = false;
};

}  // namespace

std::vector<Outcome> simulate(const Problem& p, const Training& t, int neighbours, std::uint64_t seed, int repetition) {
  const auto stream = [&](Stream s) { return Generator(seed, s).split(static_cast<std::uint64_t>(repetition)); };
  const auto n = static_cast<std::size_t>(t.n), inputs = static_cast<std::size_t>(p.inputs),
             weights = static_cast<std::size_t>(p.weights);
  std::vector<double> teacher(weights);
  Generator teaching = stream(kTeacher);
  for (double& value : teacher) value = teaching.normal();
  const Examples own = p.draw(n, teacher, stream(kData)), others = p.draw(n, teacher, stream(kNeighbours)),
                 fresh = p.draw(kTest, teacher, stream(kNew));

  Walker base;
  base.fast = base.slow = p.initial(stream(kInitial));
  const std::size_t count = std::min(n, static_cast<std::size_t>(neighbours));
  std::vector<Walker> walkers(count);
  for (std::size_t i = 0; i < count; ++i) walkers[i].replaced = (2 * i + 1) * n / (2 * count);

  const Method& m = t.method;
  const bool has_slow = m.k > 1 || m.alpha != 1;
  const auto shown = [&](const Walker& w) -> const double* { return (has_slow ? w.slow : w.fast).data(); };
  const int steps = t.looks.back(), every = std::max(1, steps / kRiskPoints);
  std::vector<std::size_t> drawn(static_cast<std::size_t>(t.batch));
  std::vector<double> gradient(weights);
  Generator batches = stream(kBatches);
  double risk = 0, risks = 0;
  std::vector<Outcome> outcomes;

  const auto step = [&](Walker& w, bool is_base) {
    std::fill(gradient.begin(), gradient.end(), 0.0);
    for (const std::size_t j : drawn) {
      const Examples& from = !is_base && j == w.replaced ? others : own;
      p.gradient(w.fast.data(), from.x.data() + j * inputs, from.y[j], gradient.data());
    }
    for (std::size_t i = 0; i < weights; ++i) w.fast[i] -= m.lr * (gradient[i] / t.batch + p.ridge * w.fast[i]);
  };
  const auto pull = [&](Walker& w) {
    for (std::size_t i = 0; i < weights; ++i) w.fast[i] = w.slow[i] += m.alpha * (w.fast[i] - w.slow[i]);
  };
  const auto compare = [&] {
    Outcome o{.train = mean_loss(p, shown(base), own), .test = mean_loss(p, shown(base), fresh), .risks = risks};
    for (const Walker& w : walkers) {
      if (!w.is_apart) continue;
      const double *a = shown(base), *b = shown(w);
      double distance2 = 0;
      for (std::size_t i = 0; i < weights; ++i) distance2 += (a[i] - b[i]) * (a[i] - b[i]);
      const double* x = own.x.data() + w.replaced * inputs;
      o.distance2 += distance2 / static_cast<double>(count);
      o.gap += (p.loss(b, x, own.y[w.replaced]) - p.loss(a, x, own.y[w.replaced])) / static_cast<double>(count);
    }
    outcomes.push_back(o);
  };

  std::size_t look = 0;
  for (int s = 1; s <= steps; ++s) {
    if (s <= kRiskPoints || s % every == 0) risk = mean_loss(p, base.fast.data(), own);
    risks += risk;
    for (std::size_t& j : drawn) j = static_cast<std::size_t>(batches.below(t.n));
    for (Walker& w : walkers) {
      if (!w.is_apart && std::find(drawn.begin(), drawn.end(), w.replaced) != drawn.end()) {
        w.fast = base.fast, w.slow = base.slow;
        w.is_apart = true;
      }
      if (w.is_apart) step(w, false);
    }
    step(base, true);
    if (has_slow && s % m.k == 0) {
      pull(base);
      for (Walker& w : walkers)
        if (w.is_apart) pull(w);
    }
    if (s == t.looks[look]) {
      compare();
      ++look;
    }
  }
  return outcomes;
}

}  // namespace tandem::stability
