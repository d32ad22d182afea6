// The temporary folder is a run folder with one run to do; the program resumes it.
#include "replay.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <tandem/core/error.h>
#include <tandem/core/io/checkpoint.h>
#include <tandem/core/io/file.h>

#include "checkpoint.h"
#include "fork.h"
#include "jobs.h"
#include "process.h"
#include "program.h"

namespace tandem::train {
namespace {

namespace fs = std::filesystem;

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

/// A whole checkpoint, with its step.
std::optional<Beginning> readable(const fs::path& path, bool is_fork) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::nullopt;
  try {
    return Beginning{path, load_checkpoint(path).number("step"), is_fork};
  } catch (const Error&) {
    return std::nullopt;  // damaged: from one before it, or from the start
  }
}

std::int64_t last_step_of(const TraceRequest& request) {
  std::int64_t last = request.save_at;
  for (const auto* steps : {&request.steps, &request.path_steps})
    if (!steps->empty()) last = std::max(last, steps->back());
  return last;
}

std::vector<Beginning> beginnings_of(const RunReference& run) {
  const fs::path checkpoint = run.path() / kCheckpoint;
  std::vector<Beginning> all;
  for (const auto& found : {readable(checkpoint, false), readable(previous_checkpoint(checkpoint), false)})
    if (found) all.push_back(*found);
  return all;
}

}  // namespace

RunReference find_run(const fs::path& path, const std::string& where) {
  std::error_code ignored;
  fs::path given = fs::absolute(path, ignored).lexically_normal();
  if (!given.has_filename()) given = given.parent_path();
  RunReference run;
  run.folder = is_run_folder(given) ? given : given.parent_path();
  if (!is_run_folder(run.folder))
    fail_usage(where, fmt::format("{} is not a run", path.string()),
               fs::exists(given, ignored) ? "no manifest.json lies there or above" : "it is not there",
               "name the folder of a run: OUT/NAME");
  run.manifest = read_manifest(run.folder);
  std::vector<std::string> names;
  for (const PlannedRun& planned : run.manifest.planned) names.push_back(planned.name);
  if (run.folder == given && names.size() == 1) return run;
  if (run.folder == given)
    fail_usage(where, fmt::format("{} holds {} runs", path.string(), names.size()),
               fmt::format("{}", fmt::join(names, ", ")), fmt::format("name one: {}", (path / names.front()).string()));
  const auto found = std::find(names.begin(), names.end(), given.filename().string());
  if (found != names.end()) {
    run.number = static_cast<std::size_t>(found - names.begin());
    return run;
  }
  const std::string near = nearest_word(given.filename().string(), names.data(), names.size());
  fail_usage(where, fmt::format("{} has no run \"{}\"", run.folder.string(), given.filename().string()),
             fmt::format("it has {}", fmt::join(names, ", ")),
             near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
}

std::int64_t first_step(const RunReference& run) {
  const std::optional<ForkPoint> fork = fork_of(run.manifest);
  return fork ? fork->step.value_or(0) : 0;
}

std::int64_t last_step(const RunReference& run) {
  if (const auto result = read_run_result(run.folder, run.planned().name); result && result->is_over())
    return result->step;
  std::int64_t last = 0;
  for (const Beginning& b : beginnings_of(run)) last = std::max(last, b.step);
  return last;
}

void check_step(const RunReference& run, std::int64_t step, const std::string& where) {
  const std::int64_t first = first_step(run) + 1, last = last_step(run);
  if (step >= first && step <= last) return;
  const auto result = read_run_result(run.folder, run.planned().name);
  const std::string name = run.planned().name;
  if (result && result->is_diverged() && step > last)
    fail_usage(where, fmt::format("the run has no step {}", step),
               fmt::format("{} diverged at step {}: {}", name, last, result->reason));
  if (last < first)
    fail_usage(where, fmt::format("the run has no step {}", step), fmt::format("{} has no checkpoint yet", name));
  fail_usage(where, fmt::format("the run has no step {}", step),
             fmt::format("{} has the steps {} to {}{}", name, first, last,
                         result && result->is_over() ? "" : fmt::format(" so far, of {}", run.manifest.total_steps)));
}

std::optional<Beginning> nearest_beginning(const RunReference& run, std::int64_t most) {
  std::optional<Beginning> nearest;
  for (const Beginning& b : beginnings_of(run))
    if (b.step <= most && (!nearest || b.step > nearest->step)) nearest = b;
  if (!nearest && fork_of(run.manifest)) nearest = readable(run.folder / kForkFile, true);
  return nearest;
}

fs::path program_of(const Manifest& manifest, const fs::path& beside) {
  std::error_code ignored;
  if (!manifest.executable.empty() && fs::is_regular_file(manifest.executable, ignored)) return manifest.executable;
  if (const fs::path path = beside / manifest.program; fs::is_regular_file(path, ignored)) return path;
  fail(manifest.program, "the program that made the run is not found",
       fmt::format("neither {} nor {}", manifest.executable.empty() ? "a path in the manifest" : manifest.executable,
                   (beside / manifest.program).string()),
       "--program names it");
}

Replay::Replay(const RunReference& run, const fs::path& program) : run_(run), program_(program) {
  std::string name = (fs::temp_directory_path() / "tandem-replay-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) fail(name, "the temporary folder cannot be made", std::strerror(errno));
  folder_ = name;
  const fs::path out = folder_ / "run";
  fs::create_directories(out / run_.planned().name);
  write_manifest(out, run_.manifest);
  for (const char* file : {kInitFile, kForkFile}) {
    std::error_code ignored;
    if (fs::exists(run_.folder / file, ignored)) fs::copy_file(run_.folder / file, out / file);
  }
}

Replay::~Replay() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void Replay::use(const fs::path& checkpoint) { saved_ = readable(checkpoint, false); }

void Replay::put_checkpoint(std::int64_t most) {
  const fs::path there = folder_ / "run" / run_.planned().name / kCheckpoint;
  std::error_code ignored;
  fs::remove(there, ignored);
  std::optional<Beginning> nearest = nearest_beginning(run_, most);
  if (saved_ && saved_->step <= most && (!nearest || saved_->step > nearest->step)) nearest = saved_;
  from_ = nearest ? nearest->step : 0;
  if (nearest && !nearest->is_fork) fs::copy_file(nearest->path, there);
}

ProcessOptions Replay::prepare(TraceRequest request) {
  request.run = run_.planned().name;
  request.ends = true;
  std::int64_t most = last_step(run_);
  if (!request.steps.empty()) most = std::min(most, request.steps.front() - 1);
  if (request.save_at >= 0) most = std::min(most, request.save_at);
  if (!request.path_steps.empty()) most = std::min(most, request.path_steps.front());
  put_checkpoint(most);
  std::error_code ignored;
  for (const fs::path& written : {request.out, request.save})
    if (!written.empty()) fs::remove(written, ignored);
  write_trace_request(file("request.json"), request);
  return {.command = {program_.string(), "--resume", (folder_ / "run").string(), "--quiet"},
          .environment = {{kRunVariable, std::to_string(run_.number)}, {kTraceVariable, file("request.json").string()}},
          .output = "/dev/null",
          .error = file("error.txt")};
}

void Replay::run(const TraceRequest& request) {
  const ProcessOptions process = prepare(request);
  if (::isatty(STDERR_FILENO) != 0)  // it may take as long as the run took
    fmt::print(stderr, "repeating {} from step {} to {}\n", run_.planned().name, from_, last_step_of(request));
  // Signals of the terminal reach the program too, which then ends by itself.
  const InterruptGuard interrupts;
  const pid_t pid = start_process(process, run_.manifest.program);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) fail(run_.manifest.program, "the program cannot be waited for", std::strerror(errno));
  if (interrupt_signal() != 0) throw Interrupted("interrupted");
  const std::string error = replaced(read_file(process.error), (folder_ / "run").string(), run_.folder.string());
  const int code = exit_code_of(status);
  bool is_done = (request.out.empty() || fs::exists(request.out)) && (request.save.empty() || fs::exists(request.save));
  for (const std::int64_t step : request.path_steps) is_done = is_done && fs::exists(path_file(request.path, step));
  if (code == kExitUsage) throw UsageError(last_line(error));
  if (code != 0 || !is_done)
    fail(program_.string(), "the run cannot be repeated",
         error.empty() ? fmt::format("exit code {}", code) : last_line(error));
  std::fputs(error.c_str(), stderr);  // warnings
}

}  // namespace tandem::train
