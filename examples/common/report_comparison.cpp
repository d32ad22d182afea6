// A comparison as HTML. Every contender keeps its colour, dash and marker through tables and curves.
#include "report_comparison.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "compare_seeds.h"
#include "html.h"
#include "plot.h"
#include "progress.h"
#include "report_comparison_parts.h"

namespace tandem::examples {
namespace {

constexpr std::size_t kLongestLabel = 16;  // characters that may stand beside a curve

std::string plural(std::size_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::set<std::uint64_t> seeds_of(const ComparisonRecord& record) {
  std::set<std::uint64_t> seeds;
  for (const RunRecord& run : record.runs) seeds.insert(run.result.run.seed);
  return seeds;
}

/// The optimizer in full behind the sample of its style.
std::string key_html(const Contender& contender, std::size_t number) {
  return fmt::format("<span class=\"key\">{}<code>{}</code></span>", style_sample_html(style_of(number)),
                     escaped(contender.optimizer));
}

Cell count_cell(double value) { return {with_commas(std::llround(value))}; }

/// Final metrics, the best of the one that counts, speed and time, a row a run; mean and deviation of several.
RowGroup result_group(const ComparisonRecord& record, const Contender& contender, std::size_t number) {
  const std::vector<std::string> metrics = metrics_of(record);
  RowGroup group{key_html(contender, number), {}};
  std::vector<std::vector<double>> columns(metrics.size() + 1);
  for (const std::size_t i : contender.runs) {
    const RunResult& r = record.runs[i].result;
    RowGroup::Row row{fmt::format("seed {}", r.run.seed), {}};
    for (std::size_t m = 0; m <= metrics.size(); ++m) {
      const double value = m < metrics.size() ? value_of(r.final_metrics, metrics[m])
                                              : value_of(r.best_metrics, record.configuration.metric);
      row.cells.push_back({number_html(value)});
      columns[m].push_back(value);
    }
    row.cells.push_back({with_commas(r.steps)});
    row.cells.push_back(count_cell(r.examples_per_second));
    row.cells.push_back({format_duration(r.seconds)});
    group.rows.push_back(std::move(row));
  }
  if (contender.runs.size() < 2) return group;
  RowGroup::Row mean{"mean", {}, true}, deviation{"standard deviation", {}};
  for (const std::vector<double>& column : columns) {
    const MeanAndDeviation over_seeds = mean_and_deviation(column);
    mean.cells.push_back({number_html(over_seeds.mean)});
    deviation.cells.push_back({number_html(over_seeds.deviation)});
  }
  for (RowGroup::Row* row : {&mean, &deviation}) {
    row->cells.resize(columns.size() + 3);  // steps, speed and time have no mean here
    group.rows.push_back(std::move(*row));
  }
  return group;
}

std::string result_html(const ComparisonRecord& record, const std::vector<Contender>& contenders) {
  Table table;
  table.caption = "Results at the end of training";
  table.columns = {""};
  for (const std::string& metric : metrics_of(record)) table.columns.push_back(metric);
  for (const std::string& column :
       {"best " + record.configuration.metric, std::string("steps"), std::string("examples/s"), std::string("time")})
    table.columns.push_back(column);
  for (std::size_t i = 0; i < contenders.size(); ++i) table.groups.push_back(result_group(record, contenders[i], i));
  return table_html(table);
}

std::string equal_steps_html(const ComparisonRecord& record, const std::vector<Contender>& contenders) {
  const std::vector<std::int64_t> steps = equal_steps(record);
  if (steps.empty()) return {};
  Table table;
  const bool has_deviation = seeds_of(record).size() > 1;
  table.caption = has_deviation ? "Mean and standard deviation over seeds" : "Evaluations that all runs share";
  table.columns = {""};
  for (const std::int64_t step : steps) table.columns.push_back("step " + with_commas(step));
  for (const std::string& metric : metrics_over_steps(record)) {
    RowGroup group{escaped(metric), {}};
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      RowGroup::Row row{name_html(contenders[i], i), {}};
      for (const std::int64_t step : steps) {
        const std::vector<double> values = values_at(record, contenders[i], step, metric);
        const MeanAndDeviation m = mean_and_deviation(values);
        std::string cell = number_html(values.empty() ? std::nan("") : m.mean);
        if (values.size() > 1) cell += " ± " + number_html(m.deviation);
        row.cells.push_back({cell});
      }
      group.rows.push_back(std::move(row));
    }
    table.groups.push_back(std::move(group));
  }
  return "<h3>At equal steps</h3>\n" + table_html(table);
}

std::string unit_of(const std::string& metric) {
  if (metric.find("accuracy") != std::string::npos) return "share of images, 0 to 1";
  if (metric == "psnr") return "in dB";
  return metric == "train_loss" ? "of fast weights, mean over the epoch" : "";
}

/// A metric over steps: means over seeds, and bands of one standard deviation where there are several.
Plot metric_plot(const ComparisonRecord& record, const std::vector<Contender>& contenders, const std::string& metric) {
  std::size_t longest = 0;
  for (const Contender& contender : contenders) longest = std::max(longest, contender.name.size());
  Plot plot;
  plot.title = metric;
  plot.note = unit_of(metric);
  plot.x.label = "step";
  for (std::size_t c = 0; c < contenders.size(); ++c) {
    std::map<std::int64_t, std::vector<double>> by_step;
    for (const std::size_t i : contenders[c].runs)
      for (const EpochRow& row : record.runs[i].rows)
        if (const double value = value_of(row.metrics, metric); !std::isnan(value)) by_step[row.step].push_back(value);
    PlotSeries series;
    series.name = contenders[c].name;
    series.label = longest <= kLongestLabel && contenders.size() > 1 ? contenders[c].name : "";
    series.style = style_of(c);
    for (const auto& [step, values] : by_step) {
      const MeanAndDeviation m = mean_and_deviation(values);
      PlotPoint point{static_cast<double>(step), m.mean};
      if (values.size() > 1) point.low = m.mean - m.deviation, point.high = m.mean + m.deviation;
      series.points.push_back(point);
    }
    plot.series.push_back(std::move(series));
  }
  return plot;
}

bool has_curves(const ComparisonRecord& record) {
  return std::any_of(record.runs.begin(), record.runs.end(), [](const RunRecord& run) { return run.rows.size() > 1; });
}

/// Contenders beside each other: what a metric of a single evaluation has instead of a curve.
Plot beside_each_other(Plot plot) {
  plot.x.label = "optimizer";
  plot.x.categories.assign(plot.series.size(), "");
  for (std::size_t c = 0; c < plot.series.size(); ++c) {
    for (PlotPoint& point : plot.series[c].points) point.x = static_cast<double>(c + 1);
    plot.series[c].spread = PlotSeries::Spread::bars;
    plot.series[c].label.clear();
  }
  return plot;
}

std::string curves_html(const ComparisonRecord& record, const std::vector<Contender>& contenders) {
  std::string plots;
  for (const std::string& metric : metrics_over_steps(record)) {
    const Plot plot = metric_plot(record, contenders, metric);
    plots += plot_html(has_curves(record) ? plot : beside_each_other(plot));
  }
  if (plots.empty()) return {};
  const std::size_t seeds = seeds_of(record).size();
  const std::string note =
      seeds < 2 ? ""
                : fmt::format("<p class=\"note\">Means over seeds; {} of one standard deviation of {} seeds.</p>\n",
                              has_curves(record) ? "bands" : "bars", seeds);
  return fmt::format("<h3>{}</h3>\n{}<div class=\"plots\">\n{}</div>\n", has_curves(record) ? "Curves" : "At the end",
                     note, plots);
}

std::string picture_html(const Picture& picture, const std::string& label) {
  const PictureSize size = png_size(picture.png, picture.figure);
  return fmt::format(
      "<div class=\"picture\"><span>{}</span><img width=\"{}\" height=\"{}\" alt=\"{}\" "
      "src=\"data:image/png;base64,{}\"></div>\n",
      label, size.width, size.height, escaped(picture.figure + ", " + (picture.row.empty() ? "output" : picture.row)),
      base64(picture.png));
}

/// The pictures of a figure under each other: those of the data, then of each contender's first run.
std::string figure_html(const ComparisonRecord& record, const std::vector<Contender>& contenders,
                        const std::string& figure) {
  std::string rows, caption;
  const auto add = [&](const Picture& picture, const std::string& label) {
    if (picture.figure != figure) return;
    if (caption.empty()) caption = picture.caption;
    rows += picture_html(picture, label);
  };
  for (const Picture& picture : record.input_pictures) add(picture, escaped(picture.row));
  for (std::size_t c = 0; c < contenders.size(); ++c) {
    const std::string name = name_html(contenders[c], c);
    for (const Picture& picture : record.runs[contenders[c].runs.front()].pictures)
      add(picture, name + (picture.row.empty() ? "" : ", " + escaped(picture.row)));
  }
  return fmt::format("<figure class=\"pictures\">\n<figcaption><b>{}</b> {}</figcaption>\n{}</figure>\n",
                     escaped(figure), escaped(caption), rows);
}

std::string pictures_html(const ComparisonRecord& record, const std::vector<Contender>& contenders) {
  std::vector<std::string> figures;
  const auto note = [&](const std::vector<Picture>& pictures) {
    for (const Picture& picture : pictures)
      if (std::find(figures.begin(), figures.end(), picture.figure) == figures.end()) figures.push_back(picture.figure);
  };
  note(record.input_pictures);
  for (const Contender& contender : contenders) note(record.runs[contender.runs.front()].pictures);
  if (figures.empty()) return {};
  const std::uint64_t seed = record.runs[contenders.front().runs.front()].result.run.seed;
  std::string html = "<h3>Pictures</h3>\n";
  if (seeds_of(record).size() > 1) html += fmt::format("<p class=\"note\">Of the runs with seed {}.</p>\n", seed);
  for (const std::string& figure : figures) html += figure_html(record, contenders, figure);
  return html;
}

std::string configuration_html(const ComparisonRecord& record, const std::vector<Contender>& contenders) {
  const Configuration& c = record.configuration;
  std::string optimizers, commands, machines;
  for (const Contender& contender : contenders)
    optimizers += fmt::format("<code>{}</code><br>", escaped(contender.optimizer));
  for (const std::string& command : record.commands) commands += escaped(command) + "\n";
  for (const std::string& machine : record.machines) machines += (machines.empty() ? "" : "<br>") + escaped(machine);
  return "<h3>Configuration</h3>\n" +
         list_html({{"data set", escaped(c.data)},
                    {"model", fmt::format("{}, {} parameters", escaped(c.model), with_commas(c.parameters))},
                    {"optimizers", optimizers},
                    {"schedule", fmt::format("<code>{}</code>, times the lr", escaped(c.schedule))},
                    {"batch", with_commas(c.batch)},
                    {"seeds", fmt::format("{}", fmt::join(seeds_of(record), ", "))},
                    {"precision", escaped(c.precision)},
                    {"machine", machines}}) +
         fmt::format("<h3>To repeat it</h3>\n<pre><code>{}</code></pre>\n", commands);
}

}  // namespace

std::string title_of(const ComparisonRecord& record) {
  const Configuration& c = record.configuration;
  return fmt::format("{}: {} on {}", c.program, c.model, c.dataset);
}

std::string comparison_html(const ComparisonRecord& record) {
  const std::vector<Contender> contenders = contenders_of(record.results());
  const RunResult& first = record.runs.front().result;
  return fmt::format(
             "<p class=\"lead\">{}, {}; {} and {} a run. Same initial weights and same batches for equal "
             "seeds; metrics of the evaluation weights.</p>\n",
             plural(contenders.size(), "optimizer"), plural(seeds_of(record).size(), "seed"),
             plural(static_cast<std::size_t>(first.epochs), "epoch"), with_commas(first.steps) + " steps") +
         result_html(record, contenders) + differences_html(record, contenders) + curves_html(record, contenders) +
         equal_steps_html(record, contenders) + pictures_html(record, contenders) +
         configuration_html(record, contenders);
}

}  // namespace tandem::examples
