// Tables as text, and what can be said from their numbers. See tables.h.
#include "tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace tandem::quadratic {
namespace {

/// The smallest and the largest of what was added.
struct Span {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  void add(double x) {
    low = std::min(low, x);
    high = std::max(high, x);
  }
};

std::string name_of(const Method& m) {
  return m.k == 1 && m.alpha == 1 ? "sgd" : fmt::format("lookahead k={} alpha={}", m.k, m.alpha);
}

bool is_alone(const HeavyBall& h) { return h.k == 1 && h.alpha == 1; }

std::string percent(double x) { return fmt::format("{:.1f} %", 100 * x); }

/// Seven columns: the heavy ball alone, and the six Lookaheads.
template <class F>
std::string rate_line(const std::string& first, const RateRow* rows, F&& cell) {
  std::string line = fmt::format("  {:<18}", first);
  for (int i = 0; i < 7; ++i) line += fmt::format("{:>12}", cell(rows[i]));
  return line + "\n";
}

std::string theory_cell(const RateRow& row) { return fmt::format("{:.3g}", row.theory); }
std::string measured_cell(const RateRow& row) { return row.measured ? fmt::format("{:.3g}", *row.measured) : ""; }
std::string lr_cell(const RateRow& row) { return fmt::format("{:.3g}", row.lr); }

/// A run that was too short shows the transient, not the rate.
const char* verdict(double theory, double measured) {
  if ((theory < 0) != (measured < 0)) return "too short a run to tell: more --rate-steps";
  return measured < 0 ? "diverges" : "converges";
}

std::string rate_header(const std::string& first) {
  return fmt::format("  {:<18}{:>12}{:>36}{:>36}\n  {:<18}{:>12}{:>12}{:>12}{:>12}{:>12}{:>12}{:>12}\n", "",
                     "heavy ball", "lookahead k=5 alpha=0.5", "lookahead k=20 alpha=0.5", first, "alone", "maintain",
                     "interpolate", "reset", "maintain", "interpolate", "reset");
}

/// Blocks of seven rows: the Lookaheads against the heavy ball alone, by formula, in the blocks that were measured too.
/// Two rates count as different from 1 % on: the grid of lr does not tell nearer ones apart.
std::string against_alone(const std::vector<RateRow>& rows, const std::string& which) {
  int better = 0, worse = 0, near = 0;
  Span ratio;
  for (std::size_t block = 0; block + 7 <= rows.size(); block += 7) {
    if (!rows[block].measured) continue;
    for (std::size_t i = 1; i < 7; ++i) {
      const double r = rows[block + i].theory / rows[block].theory;
      ratio.add(r);
      ++(r > 1.01 ? better : r < 0.99 ? worse : near);
    }
  }
  return fmt::format(
      "  {}: of {} Lookaheads {} are faster than the heavy ball alone, {} slower, {} within 1 %;\n"
      "  their rates are {:.2f} to {:.2f} of its rate.\n",
      which, better + worse + near, better, worse, near, ratio.low, ratio.high);
}

}  // namespace

std::string variance_table(const std::vector<VarianceRow>& rows) {
  std::string text = "1. Steady-state variance E theta^2 on L = a/2 (theta - c)^2, c ~ N(0, 1) anew in every step\n\n" +
                     fmt::format("  {:>5} {:>5}  {:<26}{:>10}{:>12}{:>12}{:>12}\n", "a", "lr", "rule", "theory",
                                 "measured", "std. error", "deviation");
  std::size_t inside = 0;
  double largest = 0;
  Span ratio;
  for (const VarianceRow& row : rows) {
    text += fmt::format("  {:>5} {:>5}  {:<26}{:>10.6f}{:>12.6f}{:>12.6f}{:>+12.2f}\n", row.quadratic.curvature,
                        row.quadratic.lr, name_of(row.method), row.theory, row.measured.mean,
                        row.measured.standard_error, row.deviation());
    inside += std::abs(row.deviation()) <= 3 ? 1U : 0U;
    largest = std::max(largest, std::abs(row.deviation()));
    if (row.method.alpha < 1) ratio.add(row.measured.mean / (&row)[-1].measured.mean);
  }
  text += fmt::format(
      "\n  The deviation is (measured - theory) / standard error. {} of {} lie within three; the largest is {:.2f}.\n"
      "  At the same lr Lookahead's measured variance is {:.2f} to {:.2f} of SGD's. That alone is no gain: a smaller\n"
      "  lr lowers SGD's variance too. Experiment 2 compares at equal final loss.\n",
      inside, rows.size(), largest, ratio.low, ratio.high);
  return text;
}

std::string convergence_table(const Convergence& c) {
  std::string text = fmt::format(
      "2. Convergence at equal final loss: {} curvatures from 1 to {:.3g}, theta from {}, noise {}\n"
      "   Steps until {:.0f} % of the way from the start (loss {:.3g}) to the final loss is left, by formula. Each "
      "row:\n"
      "   every method with the lr that ends at this loss; for Lookahead, k = {}, the quickest alpha of 0.1 to "
      "0.9.\n\n",
      c.spectrum.curvatures.size(), c.spectrum.curvatures.back(), c.spectrum.start, c.spectrum.noise, 100 * c.left,
      loss_after(c.spectrum, {}, 0), c.k);
  text += fmt::format("  {:>10}{:>10}{:>8}{:>12}{:>10}{:>8}{:>10}\n", "final loss", "SGD: lr", "steps", "LA: alpha",
                      "lr", "steps", "LA / SGD");
  int fewer = 0, more = 0, equal = 0;
  Span ratio;
  for (std::size_t i = 0; i < c.sweep.size(); ++i) {
    const double final = c.sweep[i].final;
    if (i > 0 && final == c.sweep[i - 1].final) continue;
    const auto sgd = quickest(c.sweep, final, false), slow = quickest(c.sweep, final, true);
    if (!sgd || !slow) continue;
    const double r = static_cast<double>(slow->steps) / sgd->steps;
    ratio.add(r);
    ++(slow->steps < sgd->steps ? fewer : slow->steps > sgd->steps ? more : equal);
    text += fmt::format("  {:>10.3g}{:>10.4f}{:>8}{:>12}{:>10.4f}{:>8}{:>10.2f}\n", final, sgd->method.lr, sgd->steps,
                        slow->method.alpha, slow->method.lr, slow->steps, r);
  }
  text += fmt::format(
      "\n  At equal final loss Lookahead needs fewer steps than SGD in {} of {} rows, as many in {}, more in {}: "
      "{:.2f} "
      "to {:.2f}\n  of SGD's. Its steps are whole cycles of {}.\n\n  Measured:\n",
      fewer, fewer + equal + more, equal, more, ratio.low, ratio.high, c.k);
  text += fmt::format("  {:<26}{:>8}{:>16}{:>10}{:>24}{:>24}\n", "rule", "lr", "steps: theory", "measured",
                      "loss there (deviation)", "final loss (deviation)");
  for (const ConvergenceRow& row : c.measured) {
    const Descent& d = row.measured;
    text += fmt::format("  {:<26}{:>8.4f}{:>16}{:>10}{:>24}{:>24}\n", name_of(row.point.method), row.point.method.lr,
                        row.point.steps, d.steps,
                        fmt::format("{:.5f} ({:+.2f})", d.at_look.mean, d.at_look.deviation(row.theory_at_look)),
                        fmt::format("{:.6f} ({:+.2f})", d.long_run.mean, d.long_run.deviation(row.point.final)));
  }
  return text;
}

std::string rate_tables(const Rates& rates) {
  std::string text =
      "3. Rate (1 - contraction per step) of the heavy ball without noise, worst over curvatures 1/condition to 1\n"
      "   The lr is the best for each method. Below 0: it diverges.\n\n   Against the condition number, momentum "
      "0.99:\n" +
      rate_header("condition");
  Span off;
  const auto compare = [&](const std::vector<RateRow>& rows) {
    for (const RateRow& row : rows)
      if (row.measured) off.add(std::abs(*row.measured - row.theory) / std::abs(row.theory));
  };
  for (std::size_t i = 0; i + 7 <= rates.by_condition.size(); i += 7) {
    const RateRow* rows = &rates.by_condition[i];
    if (!rows->measured) continue;
    text += rate_line(fmt::format("{:<7.0f} theory", rows->condition), rows, theory_cell);
    text += rate_line("        measured", rows, measured_cell);
    text += rate_line("        at lr", rows, lr_cell);
  }
  text += "\n   Against momentum, condition 100:\n";
  text += rate_header("momentum");
  for (std::size_t i = 0; i + 7 <= rates.by_momentum.size(); i += 7) {
    const RateRow* rows = &rates.by_momentum[i];
    text += rate_line(fmt::format("{:<7} theory", rows->method.momentum), rows, theory_cell);
    if (rows->measured) text += rate_line("        measured", rows, measured_cell);
  }
  text += "\n   With lr 1, momentum 0.99, condition 1000:\n";
  for (const RateRow& row : rates.at_lr_one) {
    const double measured = row.measured.value_or(row.theory);
    text +=
        fmt::format("  {:<34}theory {:>10.3g}   measured {:>10.3g}   {}\n",
                    is_alone(row.method) ? "heavy ball alone"
                                         : fmt::format("lookahead k={} {}", row.method.k, to_string(row.method.state)),
                    row.theory, measured, verdict(row.theory, measured));
  }
  for (const auto* rows : {&rates.by_condition, &rates.by_momentum, &rates.at_lr_one}) compare(*rows);
  text += "\n";
  text += against_alone(rates.by_condition, "Momentum 0.99, under-damped");
  text += against_alone(rates.by_momentum, "Momentum 0.5, over-damped");
  text += fmt::format("  Formula and measured rate differ by at most {}.\n", percent(off.high));
  return text;
}

std::string adaptive_table(const std::vector<AdaptiveRow>& rows) {
  std::string text = fmt::format(
      "4. Adaptive alpha against fixed ones: lookahead with k = {}, loss of the slow weights after {} steps, and "
      "steps\n"
      "   to {} of the first loss. Adaptive alpha is at least {}.\n\n  {:<22}{:>10}{:>14}{:>14}{:>14}{:>10}\n",
      kAdaptivePeriod, rows.front().setting.steps, kAdaptivePart, kAdaptiveLow, "", "alpha", "loss", "std. error",
      "theory", "steps");
  for (std::size_t begin = 0; begin < rows.size();) {
    const std::string& setting = rows[begin].setting.name;
    std::size_t end = begin;
    const AdaptiveRow *best = nullptr, *adaptive = nullptr;  // of the fixed ones
    for (; end < rows.size() && rows[end].setting.name == setting; ++end) {
      const AdaptiveRow& row = rows[end];
      const Estimate& last = row.losses.back();
      const std::optional<int> reached = row.steps_to(kAdaptivePart);
      text += fmt::format("  {:<22}{:>10}{:>14.3g}{:>14}{:>14}{:>10}\n", end == begin ? setting : "",
                          row.alpha ? fmt::format("{}", *row.alpha) : "adaptive", last.mean,
                          last.standard_error > 0 ? fmt::format("{:.2g}", last.standard_error) : "",
                          row.theory.empty() ? "" : fmt::format("{:.3g}", row.theory.back()),
                          reached ? fmt::format("{}", *reached) : "-");
      if (!row.alpha)
        adaptive = &row;
      else if (best == nullptr || last.mean < best->losses.back().mean)
        best = &row;
    }
    if (adaptive != nullptr && best != nullptr)
      text += fmt::format("  {:<22}adaptive ends at {:.3g} times the loss of the best fixed alpha, {}\n", "",
                          adaptive->losses.back().mean / best->losses.back().mean, *best->alpha);
    begin = end;
  }
  return text;
}

}  // namespace tandem::quadratic
