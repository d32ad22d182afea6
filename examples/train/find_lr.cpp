// See find_lr.h.
#include "find_lr.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include <tandem/report/csv.h>
#include <tandem/report/page.h>

namespace tandem::train {

std::string rising_lr(std::int64_t steps) {
  constexpr double kFrom = 1e-3, kTo = 1e2;
  return fmt::format("{} * step(every=1, by={})", kFrom,
                     std::pow(kTo / kFrom, 1 / static_cast<double>(std::max<std::int64_t>(steps - 1, 1))));
}

FoundLr find_lr(const std::vector<double>& lr, const std::vector<double>& loss) {
  constexpr double kKeep = 0.9;
  constexpr std::size_t kReach = 4;  // steps on either side that a slope is taken over
  if (static_cast<std::int64_t>(loss.size()) < kFewestFindSteps)
    fail("--find-lr", fmt::format("{} steps are too few", loss.size()),
         fmt::format("at least {} are needed", kFewestFindSteps));
  std::vector<double> smooth;
  double average = 0, weight = 0;
  for (const double value : loss) {
    if (!std::isfinite(value)) break;
    average = kKeep * average + (1 - kKeep) * value;
    weight = kKeep * weight + (1 - kKeep);
    smooth.push_back(average / weight);
  }
  constexpr double kRise = 1.05;
  FoundLr found{lr.front(), lr.front()};
  double least = smooth.front(), steepest = 0;
  for (std::size_t i = 0; i < smooth.size(); ++i) {
    if (smooth[i] < least) least = smooth[i], found.least = lr[i];
    if (i < kReach || i + kReach >= smooth.size()) continue;
    const double slope = (smooth[i + kReach] - smooth[i - kReach]) / std::log(lr[i + kReach] / lr[i - kReach]);
    if (slope < steepest) steepest = slope, found.steepest = lr[i];
  }
  found.has_risen = smooth.size() < loss.size() || smooth.back() > kRise * least;
  return found;
}

namespace {

report::CsvTable steps_of(const std::filesystem::path& folder, const PlannedRun& run) {
  const std::filesystem::path path = folder / run.name / "steps.csv";
  return report::parse_csv(read_file(path), path.string());
}

}  // namespace

std::string found_lr_table(const std::filesystem::path& folder, const Manifest& manifest) {
  std::string text = fmt::format("{:<40} {:>16} {:>16}\n", "learning rates", "steepest fall", "least loss"), notes;
  for (const PlannedRun& run : manifest.planned) {
    const report::CsvTable steps = steps_of(folder, run);
    const FoundLr found = find_lr(*steps.column("lr"), *steps.column("loss"));
    text += fmt::format("{:<40} {:>16.3g} {:>16.3g}\n", run.name, found.steepest, found.least);
    if (!found.has_risen)
      notes += fmt::format("{}: the loss has not risen up to {:.3g}: larger rates, or more steps, would say more.\n",
                           run.name, steps.column("lr")->back());
  }
  return text + "Try the first, or a third of the second, at which training is about to become unstable.\n" + notes;
}

void write_lr_report(const std::filesystem::path& folder, const Manifest& manifest) {
  report::Json series = report::Json::array(), rows = report::Json::array();
  for (const PlannedRun& run : manifest.planned) {
    const report::CsvTable steps = steps_of(folder, run);
    const FoundLr found = find_lr(*steps.column("lr"), *steps.column("loss"));
    rows.push_back({run.name, fmt::format("{:.3g}", found.steepest), fmt::format("{:.3g}", found.least),
                    found.has_risen ? "yes" : "no"});
    report::Json x = report::Json::array(), y = report::Json::array();
    for (const double lr : *steps.column("lr")) x.push_back(report::to_json(lr));
    for (const double loss : *steps.column("loss")) y.push_back(report::to_json(loss));
    series.push_back({{"name", run.name}, {"x", x}, {"y", y}});
  }
  const report::Json figure = {{"kind", "lines"},
                               {"title", "Loss over the learning rate"},
                               {"caption", "One step a point, the lr rising by an equal factor a step."},
                               {"x", {{"label", "lr"}, {"log", true}}},
                               {"y", {{"label", "loss"}}},
                               {"series", series}};
  const report::Json table = {
      {"caption", "Rates that the losses name"},
      {"columns", {{{"name", "run"}, {"text", true}}, "steepest fall", "least loss", "has risen after it"}},
      {"note", "Try the first, or a third of the second, at which training is about to become unstable."},
      {"rows", rows}};
  const report::Json page = {{"title", fmt::format("{}: learning rates", manifest.program)},
                             {"sections",
                              {{{"title", manifest.experiment.model},
                                {"text", manifest.experiment.data},
                                {"tables", report::Json::array({table})},
                                {"figures", {figure}}}}}};
  write_file(folder / "report.html", report::report_page(page));
}

}  // namespace tandem::train
