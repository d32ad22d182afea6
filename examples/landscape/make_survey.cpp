// One function a kind; what they share below.
#include "make_survey.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <tandem/core/error.h>
#include <tandem/train/run_folder.h>

#include "cycle.h"
#include "hessian.h"
#include "measure.h"
#include "run_path.h"

namespace tandem::landscape {
namespace {

namespace fs = std::filesystem;

/// The file of weights that a path means: itself, or the model of a run's folder.
fs::path weights_file(const std::string& given, const char* option) {
  std::error_code ignored;
  if (!fs::exists(given, ignored)) fail_usage(option, fmt::format("{} is not there", given));
  if (!fs::is_directory(given, ignored)) return fs::absolute(given);
  const fs::path model = fs::path(given) / "model.safetensors";
  if (!fs::exists(model, ignored))
    fail_usage(option, fmt::format("{} has no model.safetensors", given), {}, "name a run that has come to its end");
  return fs::absolute(model);
}

/// The model file that says which class weights are of: themselves, or the one beside a checkpoint.
fs::path model_file(const fs::path& weights) {
  if (!nn::read_model_info(weights).name.empty()) return weights;
  const fs::path beside = weights.parent_path() / "model.safetensors";
  std::error_code ignored;
  if (fs::exists(beside, ignored) && !nn::read_model_info(beside).name.empty()) return beside;
  fail_usage(weights.string(), "the file does not say which model it is", {},
             "model.safetensors of the run must lie beside it");
}

Survey begin_survey(const Settings& s, const std::string& kind, const fs::path& model) {
  Survey survey;
  survey.kind = kind;
  survey.command = s.command;
  survey.model = model.string();
  survey.dataset = s.dataset;
  survey.data = s.data.empty() ? "" : fs::absolute(s.data).string();
  survey.part = s.part;
  survey.images = s.images;
  survey.reestimate = s.reestimate;
  return survey;
}

void say_statistics(Survey& survey, const NamedArrays& buffers, const std::string& whose) {
  if (buffers.empty()) return;
  survey.statistics =
      survey.reestimate > 0
          ? fmt::format("Batch-norm statistics are gathered anew at every point, from {} batches of training pictures.",
                        survey.reestimate)
          : fmt::format("Batch-norm statistics of the plane are {}; points of paths have their own.", whose);
}

Made through(const Settings& s) {
  std::vector<fs::path> files;
  for (const std::string& given : s.through) files.push_back(weights_file(given, "--through"));
  Made made{begin_survey(s, "through", model_file(files[0])), {}};
  Survey& survey = made.survey;
  Meter meter(survey);
  for (const fs::path& file : files) made.file.points.push_back(read_weights(file, meter.model()));
  const auto point = [&](std::size_t i) { return Point(made.file.points[i].values); };
  const bool is_line = files.size() == 2;
  made.file.plane = is_line ? line_through(point(0), point(1)) : plane_through(point(0), point(1), point(2));
  made.file.buffers = made.file.points[0].buffers;
  survey.title = is_line ? "On the line through two models" : "On the plane through three models";
  const char* const names[] = {"first", "second", "third"};
  Path path{"the models", {}, files.size(), {}};
  for (std::size_t i = 0; i < files.size(); ++i) {
    const Place place = project(made.file.plane, point(i));
    path.points.push_back({fmt::format("{}: {}", names[i], s.through[i]), -1, false, place, {}});
    survey.marks.push_back({names[i], "ring", place.x, place.y});
  }
  survey.paths.push_back(path);
  span_grid(survey, s.margin, s.grid);
  say_statistics(survey, made.file.buffers, "those of the first model");
  return made;
}

Made around(const Settings& s) {
  const fs::path file = weights_file(s.around, "--around");
  Made made{begin_survey(s, "around", model_file(file)), {}};
  Survey& survey = made.survey;
  Meter meter(survey);
  const Weights weights = read_weights(file, meter.model());
  put_values(meter.model(), weights.values);
  put_buffers(meter.model(), weights.buffers);
  if (s.directions == "hessian") {
    const HessianPlane found = hessian_plane(meter.model(), meter.training_batches(s.hessian_images, 128),
                                             static_cast<int>(s.iterations), s.seed);
    made.file.plane = found.plane;
    survey.findings.push_back(found.finding);
    survey.title = "Along the two eigenvectors of the Hessian with the largest eigenvalues";
  } else {
    made.file.plane = random_plane(meter.model(), s.seed);
    survey.title = "Along two random directions, filter-normalised";
    survey.about = fmt::format(
        "Directions are drawn from a normal distribution (seed {}) and each filter is given the length of the model’s "
        "own "
        "(Li et al. 2018); biases and parameters of norms stay as they are.",
        s.seed);
  }
  if (s.is_line) made.file.plane.second.clear();
  made.file.buffers = weights.buffers;
  made.file.points.push_back(weights);
  survey.x = spaced(-s.reach, s.reach, s.grid);
  survey.y = s.is_line ? std::vector<double>{0} : survey.x;
  survey.paths.push_back({"the model", {{s.around, -1, false, {}, {}}}, 1, {}});
  survey.marks.push_back({"the model", "star", 0, 0});
  say_statistics(survey, made.file.buffers, "those of the model");
  return made;
}

Made pca(const Settings& s) {
  const train::RunReference run = train::find_run(s.pca, "--pca");
  Made made{begin_survey(s, "pca", model_file(weights_file(run.path().string(), "--pca"))), {}};
  Survey& survey = made.survey;
  Meter meter(survey);
  const std::int64_t first = train::first_step(run), last = train::last_step(run), k = cycle_length(run).value_or(1);
  std::vector<std::int64_t> steps;
  for (const double step : spaced(static_cast<double>(first), static_cast<double>(last), s.path_points)) {
    const auto whole = static_cast<std::int64_t>(std::llround(step));
    const std::int64_t at = whole == last ? last : first + (whole - first) / k * k;  // slow weights, where there are
    if (steps.empty() || at > steps.back()) steps.push_back(at);
  }
  Path path{"weights after steps", {}, 0, {}};
  for (Stop& stop : follow_run(run, program_of(s, run), steps, meter.model())) {
    if (stop.is_before_pull) continue;
    path.points.push_back({fmt::format("step {}", stop.step), stop.step, false, {}, {}});
    made.file.points.push_back(std::move(stop.weights));
  }
  std::vector<Point> points;
  for (const Weights& w : made.file.points) points.emplace_back(w.values);
  made.file.plane = principal_plane(points);
  for (std::size_t i = 0; i < points.size(); ++i) path.points[i].place = project(made.file.plane, points[i]);
  path.drawn = points.size();
  path.shares = explained(made.file.plane, points);
  made.file.plane.first_name += fmt::format(" ({:.1f} % of the variance)", 100 * path.shares.along[0]);
  made.file.plane.second_name += fmt::format(" ({:.1f} %)", 100 * path.shares.along[1]);
  made.file.buffers = made.file.points.back().buffers;
  survey.title = "The way of a run, on the plane of its two principal directions";
  survey.about = fmt::format("{}, {}: {} points from step {} to {}; the origin is the last one.", run.manifest.program,
                             run.planned().optimizer, points.size(), first, last);
  survey.marks.push_back({"the end", "star", path.points.back().place.x, path.points.back().place.y});
  survey.paths.push_back(std::move(path));
  span_grid(survey, s.margin, s.grid);
  say_statistics(survey, made.file.buffers, "those of the last point");
  return made;
}

Made cycle(const Settings& s) {
  const RunStep at = parse_run_step(s.cycle, "--cycle");
  Made made{begin_survey(s, "cycle", model_file(weights_file(at.run.path().string(), "--cycle"))), {}};
  Meter meter(made.survey);
  follow_cycle(s, at, meter.model(), made);
  span_grid(made.survey, s.margin, s.grid);
  say_statistics(made.survey, made.file.buffers, "those of the last fast weights");
  return made;
}

}  // namespace

void span_grid(Survey& survey, double margin, std::int64_t nodes) {
  constexpr double kFar = std::numeric_limits<double>::infinity();
  double low[2] = {kFar, kFar}, high[2] = {-kFar, -kFar};
  for (const Path& path : survey.paths)
    for (std::size_t i = 0; i < path.drawn; ++i) {
      const double place[] = {path.points[i].place.x, path.points[i].place.y};
      for (std::size_t axis = 0; axis < 2; ++axis) {
        low[axis] = std::min(low[axis], place[axis]);
        high[axis] = std::max(high[axis], place[axis]);
      }
    }
  const bool is_line = high[1] - low[1] == 0;
  const double room = margin * std::max(high[0] - low[0], high[1] - low[1]);
  survey.x = spaced(low[0] - room, high[0] + room, nodes);
  survey.y = is_line ? std::vector<double>{0} : spaced(low[1] - room, high[1] + room, nodes);
}

Made make_survey(const Settings& s) {
  Made made = !s.through.empty() ? through(s) : !s.around.empty() ? around(s) : !s.pca.empty() ? pca(s) : cycle(s);
  made.survey.x_name = made.file.plane.first_name;
  made.survey.y_name = made.file.plane.second_name;
  made.survey.is_square = made.file.plane.is_square;
  return made;
}

}  // namespace tandem::landscape
