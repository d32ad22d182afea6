// See cycle.h. The chord's points are alpha = 0, 0.1, ... 1.5 between the first and the last fast weights.
#include "cycle.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include <tandem/core/error.h>

namespace tandem::landscape {
namespace {

constexpr std::int64_t kUpdates = 5;  // drawn of a run without an outer loop

std::vector<std::int64_t> steps_from(std::int64_t first, std::int64_t last) {
  std::vector<std::int64_t> steps;
  for (std::int64_t step = first; step <= last; ++step) steps.push_back(step);
  return steps;
}

std::string name_of(const Stop& stop) {
  return fmt::format("step {}{}", stop.step, stop.is_before_pull ? ", before the pull" : "");
}

/// Adds a path and the weights of its points; all are projected, the first `most` shown.
void add_path(Made& made, const std::string& name, std::vector<Stop> stops, std::size_t most) {
  const std::size_t drawn = std::min(most, stops.size());
  Path path{name, {}, drawn, {}};
  std::vector<Point> seen;
  for (std::size_t i = 0; i < stops.size(); ++i) {
    const Place place = project(made.file.plane, stops[i].weights.values);
    path.points.push_back({name_of(stops[i]), stops[i].step, stops[i].is_before_pull, place, {}});
    if (i < drawn) seen.emplace_back(stops[i].weights.values);
  }
  path.shares = explained(made.file.plane, seen);
  for (Stop& stop : stops) made.file.points.push_back(std::move(stop.weights));
  made.survey.paths.push_back(std::move(path));
}

/// Between two points of the plane, with the running statistics of the last fast weights.
void add_chord(Made& made, const Stop& first, const Stop& last) {
  Path path{"slow chord", {}, 0, {}};
  for (int tenth = 0; tenth <= 15; ++tenth) {
    const float alpha = static_cast<float>(tenth) / 10;
    Weights w{first.weights.values, last.weights.buffers};
    for (std::size_t i = 0; i < w.values.size(); ++i) w.values[i] += alpha * (last.weights.values[i] - w.values[i]);
    path.points.push_back({fmt::format("alpha {:.1f}", alpha), -1, false, project(made.file.plane, w.values), {}});
    made.file.points.push_back(std::move(w));
  }
  path.drawn = path.points.size();
  made.survey.paths.push_back(std::move(path));
}

}  // namespace

std::optional<std::int64_t> cycle_length(const train::RunReference& run) {
  for (const auto& [name, value] : run.planned().arguments) {
    if (name != "k") continue;
    std::int64_t k = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), k);
    if (error == std::errc{} && end == value.data() + value.size() && k > 0) return k;
  }
  return std::nullopt;
}

std::filesystem::path program_of(const Settings& s, const train::RunReference& run) {
  if (!s.program.empty()) return std::filesystem::absolute(s.program);
  return train::program_of(run.manifest, std::filesystem::read_symlink("/proc/self/exe").parent_path());
}

void follow_cycle(const Settings& s, const RunStep& at, const nn::Module& like, Made& made) {
  const std::int64_t first = train::first_step(at.run), last = train::last_step(at.run);
  if (at.step < first || at.step >= last)
    fail_usage("--cycle", fmt::format("the run has no update after step {}", at.step),
               fmt::format("{} has the steps {} to {}", at.run.planned().name, first, last));
  const std::optional<std::int64_t> k = cycle_length(at.run);
  const std::int64_t from = std::max(first, at.step - k.value_or(0));
  std::vector<Stop> stops =
      follow_run(at.run, program_of(s, at.run),
                 steps_from(from, std::min(last, at.step + std::max(s.updates, k.value_or(kUpdates)))), like);
  // Where the loop begins: after the last sync up to the step that was asked for.
  std::size_t begin = 0;
  for (std::size_t i = 0; i < stops.size(); ++i)
    if (stops[i].step <= at.step && !stops[i].is_before_pull && (!k || i == 0 || stops[i - 1].is_before_pull))
      begin = i;
  stops.erase(stops.begin(), stops.begin() + static_cast<std::ptrdiff_t>(begin));
  const auto sync = std::find_if(stops.begin(), stops.end(), [](const Stop& stop) { return stop.is_before_pull; });
  const bool has_pull = sync != stops.end();
  const std::size_t end =
      has_pull ? static_cast<std::size_t>(sync - stops.begin()) : std::min<std::size_t>(kUpdates, stops.size() - 1);
  if (end < 2)
    fail_usage("--cycle",
               fmt::format("{} update{} from step {} make no plane", end, end == 1 ? "" : "s", stops[0].step),
               "first, middle and last fast weights must differ");
  while (stops.back().step > stops[0].step + s.updates && stops.back().step > stops[end].step) stops.pop_back();

  Survey& survey = made.survey;
  const Stop begun = stops[0], ended = stops[end];
  made.file.plane = plane_through(begun.weights.values, ended.weights.values, stops[(end + 1) / 2].weights.values);
  made.file.plane.first_name = "from the first to the last fast weights, distance";
  made.file.buffers = ended.weights.buffers;
  survey.title = "An inner loop in mid-training";
  survey.about = fmt::format("{}, {}: the plane through the weights after steps {}, {} and {}{}.",
                             at.run.planned().name, at.run.planned().optimizer, begun.step, stops[(end + 1) / 2].step,
                             ended.step, has_pull ? ", the last before the pull" : "");
  const Place start = project(made.file.plane, begun.weights.values);
  survey.marks.push_back({fmt::format("step {}", begun.step), "ring", start.x, start.y});
  if (has_pull) {
    const Place pulled = project(made.file.plane, stops[end + 1].weights.values);
    survey.marks.push_back({"after the pull", "star", pulled.x, pulled.y});
  }
  const std::int64_t until = stops.back().step;
  add_path(made, has_pull ? "fast weights" : "weights", std::move(stops), end + 1);
  const std::string inner = has_pull && !s.is_without_inner ? inner_rule(at.run) : "";
  if (!inner.empty())
    add_path(made, "inner rule continued",
             follow_fork(at.run, program_of(s, at.run), begun.step, inner, steps_from(begun.step, until), like),
             2 * end + 1);
  if (has_pull) add_chord(made, begun, ended);
}

}  // namespace tandem::landscape
