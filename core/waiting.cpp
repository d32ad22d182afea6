// A neighbour is seen by how often the kernel takes the processor from one of our threads, which costs one call to ask;
// that it has gone, by the time that other processes had, which /proc/stat tells.
#include <tandem/core/waiting.h>

#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

#include <tandem/core/processors.h>

#if defined(_OPENMP) && !defined(__clang__) && !defined(__SANITIZE_THREAD__)
#define TANDEM_OPENMP 1
#include <omp.h>
#else
#define TANDEM_OPENMP 0
#endif

namespace tandem::detail {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kBetweenLooks = 50'000'000;  // ns
constexpr std::int64_t kLooksToGoBack = 20;         // a second
constexpr double kPreemptions = 30;                 // a second; a quiet machine has a few
constexpr double kTaken = 0.1;                      // processors that others have

/// OpenMP's threads beyond the processors: those of a thread that does nothing.
class IdleThreads {
 public:
  explicit IdleThreads(int number) : keeper_([this, number] { keep(number); }) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return is_ready_; });
  }
  ~IdleThreads() {
    {
      const std::lock_guard lock(mutex_);
      is_over_ = true;
    }
    changed_.notify_all();
    keeper_.join();
  }
  IdleThreads(const IdleThreads&) = delete;
  IdleThreads& operator=(const IdleThreads&) = delete;

 private:
  void keep([[maybe_unused]] int number) {
    [[maybe_unused]] std::atomic<int> arrived{0};
#if TANDEM_OPENMP
#pragma omp parallel num_threads(number + 1)
    arrived.fetch_add(1, std::memory_order_relaxed);
#endif
    std::unique_lock lock(mutex_);
    is_ready_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return is_over_; });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_ready_ = false, is_over_ = false;
  std::thread keeper_;  // last: it uses the others
};

struct State {
  std::mutex mutex;
  std::unique_ptr<IdleThreads> idle;
  std::atomic<bool> is_sleeping{false};
  std::atomic<std::int64_t> next_look{0};                // ns
  std::int64_t preemptions = -1, looked = 0, looks = 0;  // preemptions: -1 before the first look
  ProcessorTimes before;                                 // when it was last asked whether the neighbour has gone
};

State& state() {
  static State& instance = *new State;  // its threads may outlive main
  return instance;
}

/// Whether the environment leaves it open.
bool can_choose() {
#if TANDEM_OPENMP
  static const bool is_open = std::getenv("GOMP_SPINCOUNT") == nullptr && std::getenv("OMP_WAIT_POLICY") == nullptr;
  return is_open;
#else
  return false;
#endif
}

std::int64_t preemptions_now() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_nivcsw;
}

/// The caller holds the lock.
void change([[maybe_unused]] State& s, [[maybe_unused]] bool on) {
#if TANDEM_OPENMP
  if (on == (s.idle != nullptr)) return;
  if (on) {
    const int beyond = omp_get_num_procs() - omp_get_max_threads() + 1;
    try {
      s.idle = std::make_unique<IdleThreads>(beyond > 1 ? beyond : 1);
    } catch (const std::system_error&) {
      return;  // no thread is to be had: it goes on as it was
    }
    s.before = processor_times();
    s.looks = 0;
  } else {
    s.idle.reset();
  }
  s.is_sleeping.store(on, std::memory_order_relaxed);
#endif
}

void look(State& s, std::int64_t now) {
  const std::int64_t preemptions = preemptions_now();
  const double rate =
      s.preemptions < 0 ? 0
                        : 1e9 * static_cast<double>(preemptions - s.preemptions) / static_cast<double>(now - s.looked);
  s.preemptions = preemptions;
  s.looked = now;
  if (!s.idle) {
    if (rate >= kPreemptions) change(s, true);
    return;
  }
  if (++s.looks < kLooksToGoBack) return;
  const ProcessorTimes times = processor_times();
  const Processors had = between(s.before, times);
  s.before = times;
  s.looks = 0;
  if (had.wall > 0 && (had.others + had.stolen) / had.wall < kTaken) change(s, false);
}

}  // namespace

void notice_neighbours() {
  if (!can_choose()) return;
  State& s = state();
  const std::int64_t now =
      std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count();
  std::int64_t due = s.next_look.load(std::memory_order_relaxed);
  if (now < due || !s.next_look.compare_exchange_strong(due, now + kBetweenLooks, std::memory_order_relaxed)) return;
  if (const std::unique_lock lock(s.mutex, std::try_to_lock); lock) look(s, now);
}

bool is_sleeping_wait() { return state().is_sleeping.load(std::memory_order_relaxed); }

bool set_sleeping_wait(bool on) {
  if (!can_choose()) return false;
  State& s = state();
  const std::lock_guard lock(s.mutex);
  change(s, on);
  return s.is_sleeping.load(std::memory_order_relaxed) == on;
}

}  // namespace tandem::detail
