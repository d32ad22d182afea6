// The command line, by CLI11.
#include "settings.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>

#include <tandem/core/error.h>
#include <tandem/core/threads.h>
#include <tandem/train/arguments.h>

namespace tandem::landscape {
namespace {

void add_options(CLI::App& app, Settings& s) {
  app.option_defaults()->always_capture_default();
  const auto list = [&](const char* name, std::vector<std::string>& value, const char* help, const char* type) {
    return app.add_option(name, value, help)->type_name(type)->allow_extra_args(false);
  };
  list("--through", s.through, "Plane through three models, or line through two: model files, checkpoints, runs",
       "MODEL")
      ->group("What is drawn");
  app.add_option("--around", s.around, "Plane round a model, along --directions")
      ->type_name("MODEL")
      ->group("What is drawn");
  app.add_option("--pca", s.pca, "Plane of the two directions in which a run's weights differ most, with its path")
      ->type_name("RUN")
      ->group("What is drawn");
  app.add_option("--cycle", s.cycle,
                 "Plane through first, middle and last fast weights of the inner loop that begins at or before this "
                 "step; accuracy after every update from there on")
      ->type_name("RUN@STEP")
      ->group("What is drawn");
  list("--surface", s.surfaces, "Optimizers walking on bowl, ravine, rosenbrock, beale, himmelblau or saddle", "NAME")
      ->group("What is drawn");

  app.add_option("--directions", s.directions, "With --around: random (filter-normalised) or hessian")
      ->type_name("NAME");
  app.add_flag("--line", s.is_line, "With --around: along the first direction alone");
  app.add_option("--reach", s.reach, "With --around: how far, in lengths of the directions")->type_name("X");
  app.add_option("--margin", s.margin, "Room round the points, as a part of what they span")->type_name("X");
  app.add_option("--grid", s.grid, "Nodes of the grid, a side")->type_name("N");
  app.add_option("--part", s.part, "Pictures that are measured: test or train")->type_name("NAME");
  app.add_option("--images", s.images, "How many, spread over the part")->type_name("N");
  app.add_option(
         "--reestimate", s.reestimate,
         "Batches of 128 training pictures from which batch-norm statistics are gathered at every point; 0: they "
         "are as they were")
      ->type_name("N");
  app.add_option("--hessian-images", s.hessian_images, "Training pictures of the Hessian")->type_name("N");
  app.add_option("--iterations", s.iterations, "Products with the Hessian, at most")->type_name("N");
  app.add_option("--path-points", s.path_points, "With --pca: points of the path")->type_name("N");
  app.add_option("--updates", s.updates, "With --cycle: updates after each of which is measured")->type_name("N");
  app.add_flag("--no-inner", s.is_without_inner, "With --cycle: without the run as its inner rule would have gone on");
  app.add_option("--dataset", s.dataset, "The data set; default: that of the model")->type_name("NAME");
  app.add_option("--data", s.data, "Folder of the data set; default: its own in $TANDEM_DATA or ~/.cache/tandem")
      ->type_name("DIR");
  app.add_option("--program", s.program, "The program that made the run, where it lies elsewhere now")
      ->type_name("FILE");
  list("--optimizer", s.optimizers, "With --surface: a rule, also with lists in braces; may be given several times",
       "SPEC");
  app.add_option("--steps", s.steps, "With --surface: steps of each walk")->type_name("N");
  app.add_option("--start", s.start, "With --surface: where walks begin")
      ->type_name("X,Y")
      ->delimiter(',')
      ->expected(2);
  app.add_option("--seed", s.seed, "Seed of random directions")->type_name("N")->check(train::not_negative());
  app.add_option("--jobs", s.jobs, "Processes that measure, each with one thread; 0: one a processor")->type_name("N");
  app.add_option("--out", s.out, "Folder of the result; default: runs/landscape-TIME")->type_name("DIR");
  app.add_option("--resume", s.resume, "Go on with the points of this result that are not measured")->type_name("DIR");
  app.add_flag("--overwrite", s.is_overwriting, "Replace the result that lies in --out");
  app.add_flag("--quiet", s.is_quiet, "No progress");
}

/// An option that has no effect here is a mistake.
void check_given(const CLI::App& app, const char* option, bool has_effect, const char* is_for) {
  if (app.count(option) > 0 && !has_effect) fail_usage(option, fmt::format("is for {}", is_for), {}, "leave it out");
}

void check(const CLI::App& app, const Settings& s) {
  const int kinds = (s.through.empty() ? 0 : 1) + (s.around.empty() ? 0 : 1) + (s.pca.empty() ? 0 : 1) +
                    (s.cycle.empty() ? 0 : 1) + (s.surfaces.empty() ? 0 : 1) + (s.resume.empty() ? 0 : 1);
  if (kinds != 1)
    fail_usage("landscape", kinds == 0 ? "nothing is chosen" : "more than one thing is chosen", {},
               "one of --through, --around, --pca, --cycle, --surface, --resume");
  const bool is_walk = !s.surfaces.empty();
  if (!s.through.empty() && s.through.size() != 2 && s.through.size() != 3)
    fail_usage("--through", fmt::format("is given {} time{}", s.through.size(), s.through.size() == 1 ? "" : "s"), {},
               "twice for a line, three times for a plane");
  for (const char* option : {"--directions", "--line", "--reach"})
    check_given(app, option, !s.around.empty(), "--around");
  for (const char* option : {"--hessian-images", "--iterations"})
    check_given(app, option, s.directions == "hessian", "--directions hessian");
  check_given(app, "--path-points", !s.pca.empty(), "--pca");
  for (const char* option : {"--updates", "--no-inner"}) check_given(app, option, !s.cycle.empty(), "--cycle");
  for (const char* option : {"--optimizer", "--steps", "--start"}) check_given(app, option, is_walk, "--surface");
  for (const char* option : {"--part", "--images", "--reestimate", "--dataset", "--data"})
    check_given(app, option, !is_walk && s.resume.empty(), "models");
  check_given(app, "--program", !s.pca.empty() || !s.cycle.empty(), "--pca and --cycle");
  for (const char* option : {"--grid", "--out", "--overwrite", "--seed"})
    check_given(app, option, s.resume.empty(), "a new result");
  if (s.part != "test" && s.part != "train") fail_usage("--part", fmt::format("\"{}\" is not test or train", s.part));
  if (s.directions != "random" && s.directions != "hessian")
    fail_usage("--directions", fmt::format("\"{}\" is not random or hessian", s.directions));
  train::check_range("--grid", s.grid, 3, 401);
  train::check_range("--images", s.images, 1, 1e9);
  train::check_range("--reestimate", s.reestimate, 0, 1e6);
  train::check_range("--hessian-images", s.hessian_images, 1, 1e6);
  train::check_range("--iterations", s.iterations, 2, 1000);
  train::check_range("--path-points", s.path_points, 3, 1000);
  train::check_range("--updates", s.updates, 1, 10'000);
  train::check_range("--steps", s.steps, 1, 100'000);
  train::check_range("--jobs", s.jobs, 0, 1024);
  train::check_range("--margin", s.margin, 0, 100);
  train::check_range("--reach", s.reach, 1e-9, 1e9);
  for (const double value : s.start) train::check_range("--start", value, -1e6, 1e6);
}

}  // namespace

bool parse_settings(int argc, char** argv, Settings& s) {
  CLI::App app("Draws what optimizers move on: planes through the weights of models, and surfaces of two numbers.",
               "landscape");
  add_options(app, s);
  if (!train::parse_arguments(app, argc, argv)) return false;
  check(app, s);
  if (s.jobs == 0) s.jobs = threads();
  s.executable = train::shell_quoted(argv[0]);
  s.command = train::command_text(argc, argv);
  return true;
}

}  // namespace tandem::landscape
