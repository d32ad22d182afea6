// See instrument_data.h. Curves are means over seeds like all others; histograms and parameters are of one run of each
// optimizer, the first that was measured.
#include "instrument_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "curve_data.h"
#include "instrument_tables.h"

namespace tandem::report {
namespace {

using Counts = InstrumentDetails::Counts;
constexpr std::size_t kMostColumns = 40;  // of a heat map over steps
constexpr std::size_t kMostMoments = 8;   // at which gradients stand against weights

/// What a curve shows, for a reader who has not met it.
const std::pair<const char*, const char*> kMeanings[] = {
    {"loss", "Of the measured batch, before the step."},
    {"loss_after", "Of the same batch, after the step."},
    {"alpha",
     "Where the step ends on its line, by a parabola through loss and slope at both ends: −1 no step, 0 at the minimum "
     "of this batch's loss, 1 as high on the other side, above 1 higher than before."},
    {"sharpness",
     "The largest eigenvalue of the Hessian of the loss of a quarter of the batch. Plain gradient descent is stable "
     "while "
     "it is below 2 / lr."},
    {"distance", "|weights − initial weights|."},
    {"update_size", "|weights after − weights before| of one step, pulls of Lookahead included."},
    {"gradient_norm", "Of the batch's gradient."},
    {"variance", "tr(Σ): the variance of one example's gradient, summed over elements."},
    {"noise_scale", "tr(Σ) / |G|²: the number of examples at which noise and gradient are equally long."},
    {"signal_to_noise", "Of the batch's gradient: examples / noise scale."},
    {"mean_gsnr", "Mean over elements of squared gradient / variance of one example's."},
    {"trace", "Of the Hessian, by Hutchinson's estimator."},
    {"tic_trace", "tr(C) / tr(H): second moments of gradients over curvature, a measure of overfitting to come."},
    {"tic_diagonal", "The same element by element: Σ C / (|H| + damping) over the diagonals."},
};
/// How exact a number is, not what it is: they stand in instruments.jsonl.
bool is_shown(const std::string& column) {
  return column != "step" && column != "sharpness_residual" && column != "trace_error";
}

/// At most `most` of n, evenly, with the first and the last.
std::vector<std::size_t> chosen(std::size_t n, std::size_t most) {
  std::vector<std::size_t> all;
  const std::size_t count = std::min(n, most);
  for (std::size_t i = 0; i < count; ++i) all.push_back(count == 1 ? 0 : i * (n - 1) / (count - 1));
  return all;
}

std::vector<std::string> texts_of(const std::vector<double>& steps, const std::vector<std::size_t>& places) {
  std::vector<std::string> texts;
  for (const std::size_t place : places) texts.push_back(fmt::format("{:.0f}", steps[place]));
  return texts;
}

/// The bins that hold anything in any of these, and one more on either side: first and last.
struct Range {
  std::size_t first = SIZE_MAX, last = 0;

  void add(std::size_t bin) { first = std::min(first, bin), last = std::max(last, bin); }
  void add(const Counts& counts) {
    for (std::size_t i = 0; i < counts.size(); ++i)
      if (counts[i] > 0) add(i);
  }
  /// Names from the last to the first: the largest above.
  std::vector<std::string> names(const std::vector<std::string>& bins) const {
    std::vector<std::string> names;
    for (std::size_t i = last + 1; i-- > first;) names.push_back(bins[i]);
    return names;
  }
};

double sum_of(const Counts& counts) {
  double sum = 0;
  for (const double count : counts) sum += count;
  return sum;
}

/// A part of all as it is drawn: null for none.
Json share(double count, double all) {
  return count > 0 ? Json(std::strtod(fmt::format("{:.3g}", count / all).c_str(), nullptr)) : Json();
}

Json density(const std::string& title, const std::string& x, std::vector<std::string> columns, const std::string& y,
             std::vector<std::string> rows, const std::string& measure) {
  return {{"kind", "density"},
          {"title", title},
          {"x", {{"label", x}, {"values", std::move(columns)}}},
          {"y", {{"label", y}, {"values", std::move(rows)}}},
          {"measure", measure},
          {"cells", Json::array()}};
}

/// Panels that are compared have one scale of colours.
Json side_by_side(Json panels) {
  double low = INFINITY, high = -INFINITY;
  for (const Json& panel : panels)
    for (const Json& cell : panel.at("cells")) {
      if (!cell.is_number()) continue;
      low = std::min(low, cell.get<double>());
      high = std::max(high, cell.get<double>());
    }
  if (low <= high)
    for (Json& panel : panels) panel["extent"] = {low, high};
  return {{"kind", "group"}, {"figures", std::move(panels)}};
}

/// Histograms of gradients over the steps.
Json histogram_panel(const MeasuredRun& shown, const std::vector<Counts>& histograms, const Range& range) {
  const std::vector<std::size_t> places = chosen(histograms.size(), kMostColumns);
  Json panel = density(shown.name, "step", texts_of(shown.run->instruments.values[0], places),
                       "element of the gradient", range.names(shown.run->instrument_details.bins), "share of elements");
  for (std::size_t bin = range.last + 1; bin-- > range.first;)
    for (const std::size_t place : places)
      panel["cells"].push_back(share(histograms[place][bin], sum_of(histograms[place])));
  return panel;
}

/// Of each run the histograms of all parameters (SIZE_MAX) or of one, with the same bins.
Json histogram_group(const std::vector<MeasuredRun>& runs, std::size_t parameter) {
  Range range;
  const auto of = [&](const MeasuredRun& shown) -> const std::vector<Counts>& {
    const InstrumentDetails& details = shown.run->instrument_details;
    return parameter == SIZE_MAX ? details.gradients : details.gradients_by_parameter[parameter];
  };
  for (const MeasuredRun& shown : runs)
    for (const Counts& counts : of(shown)) range.add(counts);
  Json panels = Json::array();
  for (const MeasuredRun& shown : runs)
    if (range.first <= range.last) panels.push_back(histogram_panel(shown, of(shown), range));
  return side_by_side(std::move(panels));
}

Json histogram_figure(const std::vector<MeasuredRun>& runs) {
  std::vector<std::string> options = {"all"};
  for (const std::string& name : runs[0].run->instrument_details.parameters) options.push_back(name);
  Json variants = Json::array();
  variants.push_back(histogram_group(runs, SIZE_MAX));
  for (std::size_t p = 0; p + 1 < options.size(); ++p) variants.push_back(histogram_group(runs, p));
  return {{"kind", "group"},
          {"title", "Gradient elements"},
          {"caption",
           "Histograms over the steps: the elements of the gradients of the batch's parts, on a signed logarithmic "
           "axis whose bins are named by the edge nearer to 0. Darker is rarer; colours are logarithmic."},
          {"choose", {{{"label", "parameter"}, {"options", options}}}},
          {"variants", std::move(variants)}};
}

/// Elements of the batch's gradient against those of the weights, at some steps.
Json pairs_figure(const std::vector<MeasuredRun>& runs) {
  const std::vector<std::string>& bins = runs[0].run->instrument_details.bins;
  Range x, y;
  for (const MeasuredRun& shown : runs)
    for (const Counts& counts : shown.run->instrument_details.gradients_weights)
      for (std::size_t i = 0; i < counts.size(); ++i)
        if (counts[i] > 0) x.add(i % bins.size()), y.add(i / bins.size());
  if (x.first > x.last) return nullptr;
  std::size_t measured = SIZE_MAX;
  for (const MeasuredRun& shown : runs) measured = std::min(measured, shown.run->instruments.rows());
  const std::vector<std::size_t> places = chosen(measured, kMostMoments);
  std::vector<std::string> columns = x.names(bins);
  std::reverse(columns.begin(), columns.end());
  Json variants = Json::array();
  for (const std::size_t place : places) {
    Json panels = Json::array();
    for (const MeasuredRun& shown : runs) {
      const Counts& counts = shown.run->instrument_details.gradients_weights[place];
      panels.push_back(
          density(shown.name, "element of the gradient", columns, "weight", y.names(bins), "share of elements"));
      const double all = sum_of(counts);
      for (std::size_t row = y.last + 1; row-- > y.first;)
        for (std::size_t column = x.first; column <= x.last; ++column)
          panels.back()["cells"].push_back(share(counts[row * bins.size() + column], all));
    }
    variants.push_back(side_by_side(std::move(panels)));
  }
  return {{"kind", "group"},
          {"title", "Gradients against weights"},
          {"caption", "Of every element: its gradient, across, and the weight itself before the step, upwards."},
          {"choose", {{{"label", "step"}, {"options", texts_of(runs[0].run->instruments.values[0], places)}}}},
          {"variants", std::move(variants)}};
}

/// One instrument of every parameter over the steps.
Json parameters_figure(const std::vector<MeasuredRun>& runs) {
  const InstrumentDetails& first = runs[0].run->instrument_details;
  if (first.parameters.empty()) return nullptr;
  Json names = Json::array(), variants = Json::array();
  for (const std::string& column : first.by_parameter[0].columns) {
    if (!is_shown(column)) continue;
    Json panels = Json::array();
    bool is_measured = false;
    for (const MeasuredRun& shown : runs) {
      const std::vector<std::size_t> places = chosen(shown.run->instruments.rows(), kMostColumns);
      panels.push_back(density(shown.name, "step", texts_of(shown.run->instruments.values[0], places), "parameter",
                               first.parameters, column));
      panels.back()["y"]["every"] = true;
      for (const CsvTable& table : shown.run->instrument_details.by_parameter) {
        const std::vector<double>* values = table.column(column);
        for (const std::size_t place : places) {
          const double value = values == nullptr ? std::nan("") : (*values)[place];
          is_measured = is_measured || !std::isnan(value);
          panels.back()["cells"].push_back(to_json(value));
        }
      }
    }
    if (!is_measured) continue;
    names.push_back(column);
    variants.push_back(side_by_side(std::move(panels)));
  }
  if (variants.empty()) return nullptr;
  return {{"kind", "group"},
          {"title", "By parameter"},
          {"caption",
           "Each instrument of each parameter over the steps. The trace of a parameter is that of its own block of the "
           "Hessian. Colours are logarithmic where all values are positive."},
          {"choose", {{{"label", "instrument"}, {"options", std::move(names)}}}},
          {"variants", std::move(variants)}};
}

Json curves_figure(const Comparison& comparison) {
  std::vector<std::string> columns;
  for (const RunRecord& run : comparison.runs)
    for (const std::string& column : run.instruments.columns)
      if (is_shown(column) && std::find(columns.begin(), columns.end(), column) == columns.end())
        columns.push_back(column);
  Json group = curve_group(comparison, &RunRecord::instruments, columns, "Instruments");
  if (group.is_null()) return group;
  for (Json& figure : group["figures"])
    for (const auto& [name, meaning] : kMeanings)
      if (figure["title"] == name) figure["caption"] = meaning;
  return group;
}

}  // namespace

Json instrument_section(const Comparison& comparison) {
  const std::vector<MeasuredRun> runs = measured_runs(comparison);
  if (runs.empty()) return nullptr;
  const RunFolder& first = comparison.first();
  Json section = {
      {"title", fmt::format("Cockpit: {}: {} on {}", first.program, first.experiment.model, first.experiment.dataset)}};
  section["text"] = fmt::format(
      "Gradient noise, curvature and step quality, measured round single steps with the batch of that step in parts. {}"
      "Here alpha is Cockpit's, of a step, not Lookahead's.",
      runs.size() < comparison.contenders.size()
          ? fmt::format("Histograms, parameters and tables are of {} of {} optimizers. ", runs.size(),
                        comparison.contenders.size())
          : "");
  section["groups"] = Json::array();
  for (const Contender& contender : comparison.contenders) section["groups"].push_back(contender.name);
  section["tables"] = Json::array({to_json(last_instruments_table(runs))});
  section["figures"] = Json::array();
  for (Json figure : {curves_figure(comparison), histogram_figure(runs), parameters_figure(runs), pairs_figure(runs)})
    if (!figure.is_null()) section["figures"].push_back(std::move(figure));
  section["further_tables"] = Json::array();
  for (const Table& table : {instruments_by_step_table(runs), instruments_by_parameter_table(runs)})
    if (!table.empty()) section["further_tables"].push_back(to_json(table));
  return section;
}

}  // namespace tandem::report
