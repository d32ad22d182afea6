// landscape: what optimizers move on. Loss and accuracy on planes and lines through the weights of models, with the
// paths of runs over them; and optimizers walking on surfaces of two numbers.
//   landscape --surface ravine --surface rosenbrock
//   landscape --through runs/A/RUN --through runs/B/RUN --through runs/C/RUN
//   landscape --cycle runs/A/RUN@600 --updates 60
//   landscape --pca runs/A/RUN
//   landscape --around runs/A/RUN --directions hessian
//   landscape --resume runs/landscape-TIME
// Read next: plane.h; make_survey.cpp, which planes; measure.cpp, how points are measured.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include <tandem/core/error.h>
#include <tandem/core/threads.h>
#include <tandem/train/command_line.h>
#include <tandem/train/jobs.h>
#include <tandem/train/program.h>

#include "files.h"
#include "make_survey.h"
#include "measure.h"
#include "settings.h"

using namespace tandem;
using namespace tandem::landscape;

namespace {

int draw_walks(const Settings& s) {
  std::vector<SurfaceWalks> all;
  for (const std::string& name : s.surfaces) {
    const Surface& surface = find_surface(name);
    SurfaceWalks one{&surface, s.start.empty() ? surface.start : Spot{s.start[0], s.start[1]}, {}};
    for (const train::Contestant& c :
         train::expand_optimizers(s.optimizers.empty() ? surface.optimizers : s.optimizers)) {
      one.walks.push_back(walk(surface, c.spec, one.start, s.steps));
      one.walks.back().label = c.label;
    }
    all.push_back(std::move(one));
  }
  train::RunFolder folder = train::claim_result(s.out, kResult, s.is_overwriting, s.executable);
  fmt::print("{}", walk_text(all));
  clear_folder(folder.path());
  write_walks(folder.path(), all, s.command);
  folder.keep();
  fmt::print("written: {}/report.html, landscape.json, walks.csv\n", folder.path().string());
  return train::kExitDone;
}

/// Measures what is open, in --jobs processes of this program.
void measure(const Settings& s, train::RunFolder& folder, Survey& survey) {
  const std::size_t open = survey.open_tasks().size();
  if (open == 0) return;
  const auto begin = std::chrono::steady_clock::now();
  train::JobsOptions jobs{.folder = folder.path(), .runs = {}, .at_a_time = s.jobs, .arguments = {}};
  const std::size_t parts = std::min(open, static_cast<std::size_t>(s.jobs));
  for (std::size_t part = 0; part < parts; ++part) jobs.runs.push_back(part);
  jobs.arguments = {"--jobs", std::to_string(parts)};
  if (s.is_quiet) jobs.arguments.emplace_back("--quiet");
  const train::JobsResult result = train::run_jobs(jobs);
  gather_results(folder.path(), survey);
  survey.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  write_survey(folder.path(), survey);
  if (train::interrupt_signal() != 0)
    throw train::Interrupted(fmt::format(
        "interrupted with {} of {} points open, the others are saved; go on with: {} --resume {}",
        survey.open_tasks().size(), survey.tasks(), s.executable, train::shell_quoted(folder.path().string())));
  if (!survey.open_tasks().empty())
    fail("landscape", fmt::format("{} points could not be measured", survey.open_tasks().size()),
         fmt::format("a process ended with {}", result.exit_code));
}

int draw_survey(const Settings& s) {
  const train::InterruptGuard interrupts;
  if (!s.resume.empty()) {
    train::RunFolder folder = train::open_result(s.resume, kResult);
    folder.keep();
    Survey survey = read_survey(folder.path());
    if (survey.open_tasks().empty()) {
      fmt::print("all points are measured: {}/report.html\n", folder.path().string());
      return train::kExitDone;
    }
    gather_results(folder.path(), survey);
    fmt::print("resume     {} of {} points are open\n", survey.open_tasks().size(), survey.tasks());
    measure(s, folder, survey);
    write_result(folder.path(), survey);
    fmt::print("{}written: {}/report.html, landscape.json, grid.csv, path.csv\n", survey_text(survey),
               folder.path().string());
    return train::kExitDone;
  }
  Made made = make_survey(s);
  Survey& survey = made.survey;
  if (train::interrupt_signal() != 0) throw train::Interrupted("interrupted: nothing was written");
  survey.grid.assign(survey.x.size() * survey.y.size(), {});
  train::RunFolder folder = train::claim_result(s.out, kResult, s.is_overwriting, s.executable);
  fmt::print(
      "model      {}\npictures   {} of the {} set of {}\npoints     {} x {} nodes, {} of paths; {} process{}, {} "
      "({})\n",
      survey.model, survey.images, survey.part, survey.dataset, survey.x.size(), survey.y.size(), survey.path_points(),
      s.jobs, s.jobs == 1 ? "" : "es", instruction_set(), processor_name());
  std::fflush(stdout);
  clear_folder(folder.path());
  write_survey(folder.path(), survey);
  save_plane(folder.path(), made.file);
  made.file = {};
  folder.keep();
  measure(s, folder, survey);
  write_result(folder.path(), survey);
  fmt::print("{}written in {:.0f} s: {}/report.html, landscape.json, grid.csv, path.csv\n", survey_text(survey),
             survey.seconds, folder.path().string());
  return train::kExitDone;
}

}  // namespace

int main(int argc, char** argv) try {
  Settings s;
  if (!parse_settings(argc, argv, s)) return train::kExitDone;
  if (const auto part = train::run_of_this_process(); part && !s.resume.empty()) {
    return measure_part(s.resume, *part, static_cast<std::size_t>(s.jobs), !s.is_quiet)
               ? train::kExitDone
               : 128 + train::interrupt_signal();
  }
  return s.surfaces.empty() ? draw_survey(s) : draw_walks(s);
} catch (...) {
  return train::end_by_exception();
}
