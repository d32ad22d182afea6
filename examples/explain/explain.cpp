// explain: any update of any run of a program on tandem::train, as the paper writes it, with its numbers: the run is
// repeated to that step, bit for bit, by its own program.
//   explain runs/DIR/RUN --step 57 --parameter conv1.weight --index 0,0,1,1
//   explain runs/DIR/RUN --step 57 --largest --html update.html
// Read next: train/replay.h, how a run is repeated; optim/study/explain.h, the explanation; update_page.h, the page.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include <tandem/report/metrics.h>
#include <tandem/train/arguments.h>
#include <tandem/train/program.h>
#include <tandem/train/replay.h>

#include "update_page.h"

using namespace tandem;
using explain::Json;

namespace {

struct Options {
  std::string run, parameter, html, program;
  std::vector<std::string> indices;
  std::int64_t step = 0, steps = -1;  // steps: before and after; -1: a cycle
  bool largest = false, json = false;
};

/// "0,0,1,1"; "" is that of a scalar.
std::vector<std::int64_t> parse_index(const std::string& text) {
  std::vector<std::int64_t> index;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    char* stop = nullptr;
    index.push_back(std::strtoll(part.c_str(), &stop, 10));
    if (part.empty() || *stop != '\0')
      fail_usage("--index", fmt::format("\"{}\" is no index", text), {}, "e.g. 0,0,1,1");
    begin = end + 1;
  }
  return index;
}

/// The k of the run's outermost loop, as its spec has it; 5 where it has none or a schedule.
std::int64_t cycle_of(const train::PlannedRun& run) {
  constexpr std::int64_t kDefault = 5, kMost = 100;
  for (const auto& [name, value] : run.arguments) {
    if (name != "k") continue;
    char* end = nullptr;
    const std::int64_t k = std::strtoll(value.c_str(), &end, 10);
    if (end != value.c_str() && *end == '\0' && k > 0) return std::min(k, kMost);
  }
  return kDefault;
}

/// The losses of the repeated steps must be those that the run wrote down.
void compare_losses(const train::RunReference& run, const Json& trace) {
  const std::filesystem::path path = run.path() / "steps.csv";
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return;
  const std::string record = read_file(path);
  for (const Json& step : trace.at("steps")) {
    const std::string mark = fmt::format("\n{},", step.at("step").get<std::int64_t>());
    const std::size_t at = record.find(mark);
    if (at == std::string::npos) continue;  // --log-every left it out
    const std::size_t begin = at + mark.size();
    const std::string written = record.substr(begin, record.find_first_of(",\n", begin) - begin);
    const Json& loss = step.at("loss");
    const std::string repeated = loss.is_string() ? loss.get<std::string>() : fmt::format("{}", loss.get<double>());
    if (written == repeated) continue;
    warn(fmt::format(
        "{}: step {} has the loss {}, repeated it has {}: what is said below is not what happened; the "
        "program, a library or the machine is another one (then {}, {}; now {}, {})",
        run.planned().name, step.at("step").get<std::int64_t>(), written, repeated, run.manifest.machine,
        run.manifest.software, trace.at("machine").get<std::string>(), trace.at("software").get<std::string>()));
    return;
  }
}

Json read_trace(const std::filesystem::path& path) { return Json::parse(read_file(path)); }

int explain_run(const Options& o) {
  if (o.largest && !o.indices.empty()) fail_usage("--largest", "chooses the index itself", {}, "leave --index out");
  if (!o.largest && (o.parameter.empty() || o.indices.empty()))
    fail_usage("explain", "no weight is chosen", {}, "--parameter NAME --index I,J,..., or --largest");
  if (o.steps >= 0 && o.html.empty()) fail_usage("--steps", "is for --html", {}, "leave it out");
  std::vector<train::TracedWeight> weights;
  for (const std::string& index : o.indices) weights.push_back({o.parameter, parse_index(index)});
  const train::RunReference run = train::find_run(o.run, "explain");
  train::check_step(run, o.step, "--step");
  const std::filesystem::path program =
      o.program.empty() ? train::program_of(run.manifest, std::filesystem::read_symlink("/proc/self/exe").parent_path())
                        : std::filesystem::absolute(o.program);
  const std::int64_t around = o.html.empty() ? 0 : o.steps >= 0 ? o.steps : cycle_of(run.planned());
  const std::int64_t first = std::max(train::first_step(run) + 1, o.step - around);
  const std::int64_t last = std::min(train::last_step(run), o.step + around);

  train::Replay replay(run, program);
  const std::filesystem::path out = replay.file("trace.json");
  std::int64_t from = -1;
  if (o.largest) {
    const std::filesystem::path state = replay.file("state.safetensors");
    replay.run({.steps = {o.step},
                .out = out,
                .largest = true,
                .largest_of = o.parameter,
                .save_at = first - 1,
                .save = state});
    from = replay.from();
    const Json found = read_trace(out).at("largest");
    weights.push_back({found.at("parameter").get<std::string>(), found.at("index").get<std::vector<std::int64_t>>()});
    replay.use(state);
  }
  std::vector<std::int64_t> steps;
  for (std::int64_t step = first; step <= last; ++step) steps.push_back(step);
  replay.run({.steps = steps, .weights = weights, .out = out});
  if (from < 0) from = replay.from();
  const Json trace = read_trace(out);
  compare_losses(run, trace);

  const std::string note = from == 0 ? "repeated from the start" : fmt::format("repeated from step {}", from);
  for (const Json& step : trace.at("steps")) {
    if (step.at("step") != o.step) continue;
    if (o.json) fmt::print("{}\n", step.dump(2));
    if (!o.json) fmt::print("{} {}, {}\n", run.manifest.program, run.planned().name, note);
    for (const Json& weight : step.at("weights"))
      if (!o.json) fmt::print("\n{}", weight.at("text").get<std::string>());
  }
  if (o.html.empty()) return train::kExitDone;
  write_file(o.html, explain::update_page(trace, {run.manifest.program, run.planned().name, o.step, note}));
  if (!o.json) fmt::print("\nwritten: {}\n", o.html);
  return train::kExitDone;
}

}  // namespace

int main(int argc, char** argv) try {
  CLI::App app("Shows one update of a run as the paper writes it, with its numbers; the run is repeated to that step.",
               "explain");
  Options o;
  app.add_option("run", o.run, "a run, OUT/NAME; or OUT, where it holds one run")->required()->type_name("RUN");
  app.add_option("--step", o.step, "number of the step, from 1")->required()->type_name("N");
  app.add_option("--parameter", o.parameter, "name of a parameter, e.g. conv1.weight")->type_name("NAME");
  app.add_option("--index", o.indices, "place of the weight in it, e.g. 0,0,1,1; may be given several times")
      ->type_name("I,J,...")
      ->allow_extra_args(false)
      ->delimiter('\0');
  app.add_flag("--largest", o.largest, "the weight that this step moves most, of --parameter or of all");
  app.add_option("--html", o.html, "write a page with the steps around, too")->type_name("FILE");
  app.add_option("--steps", o.steps, "with --html: steps before and after; default: a cycle of the rule")
      ->type_name("N")
      ->check(CLI::Range(0, 1000));
  app.add_option("--program", o.program, "the program that made the run, where it lies elsewhere now")
      ->type_name("FILE");
  app.add_flag("--json", o.json, "print JSON");
  if (!train::parse_arguments(app, argc, argv)) return train::kExitDone;
  return explain_run(o);
} catch (...) {
  return train::end_by_exception();
}
