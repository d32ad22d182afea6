// Processes, and the logs between them. See workers.h.
#include "workers.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>
#include <thread>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include <tandem/core/threads.h>
#include <tandem/train/program.h>

#include "tasks.h"

namespace tandem::study {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLog = "trials.jsonl";

fs::path log_of(const fs::path& folder, int job) { return folder / fmt::format("trials-{}.jsonl", job); }

/// A counter that processes share.
class SharedCounter {
 public:
  SharedCounter() {
    void* memory =
        ::mmap(nullptr, sizeof(std::atomic<std::size_t>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fail("study", "no memory to share between processes", std::strerror(errno));
    counter_ = new (memory) std::atomic<std::size_t>(0);
  }
  ~SharedCounter() { ::munmap(counter_, sizeof(std::atomic<std::size_t>)); }
  SharedCounter(const SharedCounter&) = delete;
  SharedCounter& operator=(const SharedCounter&) = delete;
  std::size_t next() { return (*counter_)++; }

 private:
  std::atomic<std::size_t>* counter_;
};

template <class T, class F>
const T& named(const std::vector<T>& all, const std::string& name, F name_of) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const T& each) { return name_of(each) == name; });
  if (found == all.end()) fail("study", "a trial of something that is not part of it", name);
  return *found;
}

Outcome run(const Settings& settings, const std::vector<Task>& tasks, const Trial& trial) {
  const Task& task = named(tasks, trial.task, [](const Task& t) { return t.name; });
  const Contestant& contestant =
      named(settings.contestants, trial.contestant, [](const Contestant& c) { return c.name; });
  return run_trial(task, contestant, trial.factor, trial.seed, steps_of(task, settings.scale));
}

/// In a child: trials one after another, until none is left or a signal came.
void work(const fs::path& log, const Settings& settings, const std::vector<Trial>& trials, SharedCounter& next) {
  const std::vector<Task> tasks = all_tasks();
  LogFile file(log);
  for (std::size_t i = next.next(); i < trials.size() && train::interrupt_signal() == 0; i = next.next())
    file.append(line_of(trials[i], run(settings, tasks, trials[i])));
}

/// A process that runs `f` on one thread and ends when this one does.
template <class F>
pid_t start(const F& f) {
  std::fflush(nullptr);
  const pid_t parent = ::getpid(), child = ::fork();
  if (child < 0) fail("study", "no further process can be started", std::strerror(errno));
  if (child > 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  int code = train::kExitDone;
  try {
    if (::getppid() == parent) f();
  } catch (...) {
    code = train::end_by_exception();
  }
  std::fflush(nullptr);
  ::_exit(code);
}

std::size_t lines_in(const fs::path& file) {
  std::error_code missing;
  if (!fs::exists(file, missing)) return 0;
  const std::string text = read_file(file);
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

Outcomes read_outcomes(const fs::path& folder) {
  Outcomes outcomes;
  std::vector<fs::path> logs;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with("trials-") && name.ends_with(".jsonl")) logs.push_back(it->path());
  }
  if (error) fail(folder.string(), "the folder cannot be read", error.message());
  if (fs::exists(folder / kLog)) read_lines(folder / kLog, outcomes);
  for (const fs::path& log : logs) read_lines(log, outcomes);
  if (!logs.empty()) {
    std::string all;
    for (const auto& entry : outcomes) all += line_of(entry.first, entry.second);
    write_file(folder / kLog, all);
    for (const fs::path& log : logs) fs::remove(log);
  }
  return outcomes;
}

bool run_trials(const fs::path& folder, const Settings& settings, const std::vector<Trial>& trials, int jobs,
                Outcomes& outcomes, const std::function<void(const Progress&)>& tell) {
  std::vector<Trial> open;
  for (const Trial& trial : trials)
    if (outcomes.find(trial) == outcomes.end()) open.push_back(trial);
  if (open.empty()) return true;
  const auto begin = std::chrono::steady_clock::now();
  SharedCounter next;
  std::vector<pid_t> children;
  const int count = std::min<int>(jobs, static_cast<int>(std::min<std::size_t>(open.size(), 1024)));
  for (int job = 0; job < count; ++job)
    children.push_back(start([&] { work(log_of(folder, job), settings, open, next); }));

  int failed = 0;
  bool was_told = false;
  constexpr auto kPause = std::chrono::milliseconds(20);
  constexpr int kPausesToTell = 50;
  for (int pauses = 0; !children.empty(); ++pauses) {
    std::erase_if(children, [&](pid_t child) {
      int status = 0;
      const pid_t ended = ::waitpid(child, &status, WNOHANG);
      if (ended == 0 || (ended < 0 && errno == EINTR)) return false;
      if (!WIFEXITED(status) || WEXITSTATUS(status) != train::kExitDone) failed = status == 0 ? 1 : status;
      return true;
    });
    if (!was_told && train::interrupt_signal() != 0) {  // sent to this process alone, maybe
      for (const pid_t child : children) ::kill(child, SIGTERM);
      was_told = true;
    }
    if (tell && pauses % kPausesToTell == 0) {
      std::size_t done = 0;
      for (int job = 0; job < count; ++job) done += lines_in(log_of(folder, job));
      tell({done, open.size(), std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count()});
    }
    std::this_thread::sleep_for(kPause);
  }
  outcomes = read_outcomes(folder);
  if (train::interrupt_signal() != 0) return false;
  if (failed != 0) fail("study", "a process that ran trials failed", fmt::format("status {}", failed));
  return true;
}

double estimated_seconds(const Settings& settings, int jobs) {
  int ends[2];
  if (::pipe(ends) != 0) fail("study", "no pipe between processes", std::strerror(errno));
  const pid_t child = start([&] {
    // Two lengths, so that what is done once (data, primitives, measuring) is told from what steps cost.
    constexpr std::int64_t kShort = 5, kLong = 25;
    const Contestant adam{"adam", "adam(lr=0.001)", kSchedule};
    double all = 0;
    for (const Task& task : all_tasks()) {
      if (std::find(settings.tasks.begin(), settings.tasks.end(), task.name) == settings.tasks.end()) continue;
      run_trial(task, adam, 1, kTuningSeed, kShort);
      const double brief = run_trial(task, adam, 1, kTuningSeed, kShort).seconds;
      const double longer = run_trial(task, adam, 1, kTuningSeed, kLong).seconds;
      const double step = std::max(0.0, longer - brief) / static_cast<double>(kLong - kShort);
      all += step * static_cast<double>(task.steps);
    }
    if (::write(ends[1], &all, sizeof all) != static_cast<ssize_t>(sizeof all)) ::_exit(train::kExitError);
  });
  ::close(ends[1]);
  double seconds = 0;
  const bool is_read = ::read(ends[0], &seconds, sizeof seconds) == static_cast<ssize_t>(sizeof seconds);
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  if (!is_read || status != 0) fail("study", "the steps of the tasks could not be timed");
  // Matrix rules and rules that look twice cost more than Adam, and measuring costs too.
  constexpr double kBeyondAdam = 1.4;
  const auto trainings = static_cast<double>(settings.contestants.size() *
                                             (static_cast<std::size_t>(settings.trials) + 2 * settings.seeds.size()));
  return kBeyondAdam * trainings * seconds / jobs;
}

}  // namespace tandem::study
