// See find_lr.h.
#include "find_lr.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include <tandem/core/error.h>
#include <tandem/core/file.h>
#include <tandem/report/csv.h>
#include <tandem/report/page.h>

namespace tandem::train {

FoundLr find_lr(const std::vector<double>& lr, const std::vector<double>& loss) {
  constexpr double kKeep = 0.9;
  constexpr std::size_t kFewest = 10, kReach = 4;  // steps on either side that a slope is taken over
  if (loss.size() < kFewest)
    fail("--find-lr", fmt::format("{} steps are too few", loss.size()), "at least 10 are needed");
  std::vector<double> smooth;
  double average = 0, weight = 0;
  for (const double value : loss) {
    if (!std::isfinite(value)) break;
    average = kKeep * average + (1 - kKeep) * value;
    weight = kKeep * weight + (1 - kKeep);
    smooth.push_back(average / weight);
  }
  FoundLr found{lr.front(), lr.front()};
  double least = smooth.front(), steepest = 0;
  for (std::size_t i = 0; i < smooth.size(); ++i) {
    if (smooth[i] < least) least = smooth[i], found.least = lr[i];
    if (i < kReach || i + kReach >= smooth.size()) continue;
    const double slope = (smooth[i + kReach] - smooth[i - kReach]) / std::log(lr[i + kReach] / lr[i - kReach]);
    if (slope < steepest) steepest = slope, found.steepest = lr[i];
  }
  return found;
}

namespace {

report::CsvTable steps_of(const std::filesystem::path& folder, const PlannedRun& run) {
  const std::filesystem::path path = folder / run.name / "steps.csv";
  return report::parse_csv(read_file(path), path.string());
}

}  // namespace

std::string found_lr_table(const std::filesystem::path& folder, const Manifest& manifest) {
  std::string text = fmt::format("{:<40} {:>16} {:>16}\n", "learning rates", "steepest fall", "least loss");
  for (const PlannedRun& run : manifest.planned) {
    const report::CsvTable steps = steps_of(folder, run);
    const FoundLr found = find_lr(*steps.column("lr"), *steps.column("loss"));
    text += fmt::format("{:<40} {:>16.3g} {:>16.3g}\n", run.name, found.steepest, found.least);
  }
  return text + "A good lr lies between the two: try the first, and several times less than the second.\n";
}

void write_lr_report(const std::filesystem::path& folder, const Manifest& manifest) {
  report::Json series = report::Json::array();
  for (const PlannedRun& run : manifest.planned) {
    const report::CsvTable steps = steps_of(folder, run);
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
  const report::Json page = {
      {"title", fmt::format("{}: learning rates", manifest.program)},
      {"sections",
       {{{"title", manifest.experiment.model}, {"text", manifest.experiment.data}, {"figures", {figure}}}}}};
  write_file(folder / "report.html", report::report_page(page));
}

}  // namespace tandem::train
