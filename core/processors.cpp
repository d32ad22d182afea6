// Reads /proc/stat and getrusage. See processors.h.
#include <tandem/core/processors.h>

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <sstream>

namespace tandem {

namespace {

std::vector<int> own_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> processors;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return {0};
  for (int i = 0; i < CPU_SETSIZE; ++i)
    if (CPU_ISSET(static_cast<std::size_t>(i), &set)) processors.push_back(i);
  return processors;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

}  // namespace

namespace detail {

ProcessorTicks read_ticks(const std::string& text, const std::vector<int>& processors, double ticks) {
  ProcessorTicks sum;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    if (name.size() < 4 || name.compare(0, 3, "cpu") != 0) continue;
    const bool is_own = std::any_of(processors.begin(), processors.end(),
                                    [&](int i) { return name.compare(3, std::string::npos, std::to_string(i)) == 0; });
    if (!is_own) continue;
    double user = 0, nice = 0, system = 0, idle = 0, waiting = 0, interrupts = 0, soft_interrupts = 0, stolen = 0;
    words >> user >> nice >> system >> idle >> waiting >> interrupts >> soft_interrupts >> stolen;
    sum.busy += (user + nice + system + interrupts + soft_interrupts) / ticks;
    sum.stolen += stolen / ticks;
  }
  return sum;
}

}  // namespace detail

ProcessorTimes processor_times() {
  const std::vector<int> processors = own_processors();
  std::ifstream file("/proc/stat");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const auto ticks = detail::read_ticks(text, processors, static_cast<double>(sysconf(_SC_CLK_TCK)));
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto clock = std::chrono::steady_clock::now().time_since_epoch();
  return {.count = static_cast<int>(processors.size()),
          .wall = std::chrono::duration<double>(clock).count(),
          .own = seconds(usage.ru_utime) + seconds(usage.ru_stime),
          .busy = ticks.busy,
          .stolen = ticks.stolen,
          .preemptions = usage.ru_nivcsw};
}

Processors between(const ProcessorTimes& begin, const ProcessorTimes& end) {
  const double own = end.own - begin.own;
  return {.count = end.count,
          .wall = end.wall - begin.wall,
          .own = own,
          .others = std::max(0.0, end.busy - begin.busy - own),
          .stolen = end.stolen - begin.stolen,
          .preemptions = end.preemptions - begin.preemptions};
}

}  // namespace tandem
