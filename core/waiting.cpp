// A neighbour is seen by the time that other processes had, which /proc/stat tells. Not by how often the kernel takes a
// processor from one of our threads: that happens 200 times a second on a quiet machine too, for microseconds.
#include <tandem/core/waiting.h>

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

constexpr std::int64_t kBetweenLooks = 250'000'000;  // ns
constexpr double kTaken = 0.3, kFree = 0.2;          // processors that others have: it is a neighbour, it has gone
constexpr double kIdle = 0.3;                        // processors that nobody has: there is room for both
constexpr int kFreeLooks = 4;                        // in a row, before the team spins again
constexpr double kStale = 1;                         // seconds after which a look says nothing of now

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
  std::atomic<std::int64_t> next_look{0};  // ns
  int free_looks = 0;
  ProcessorTimes before;  // at the last look
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
    s.free_looks = 0;
  } else {
    s.idle.reset();
  }
  s.is_sleeping.store(on, std::memory_order_relaxed);
#endif
}

void look(State& s) {
  const ProcessorTimes now = processor_times();
  const Processors had = between(s.before, now);
  const double busy = now.busy - s.before.busy + now.stolen - s.before.stolen;
  s.before = now;
  if (had.wall <= 0 || had.wall > kStale) return;
  const double others = (had.others + had.stolen) / had.wall;
  if (!s.idle) {
    if (others >= kTaken && had.count - busy / had.wall < kIdle) change(s, true);
  } else {
    s.free_looks = others < kFree ? s.free_looks + 1 : 0;
    if (s.free_looks == kFreeLooks) change(s, false);
  }
}

}  // namespace

void notice_neighbours() {
  if (!can_choose()) return;
  State& s = state();
  const std::int64_t now =
      std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count();
  std::int64_t due = s.next_look.load(std::memory_order_relaxed);
  if (now < due || !s.next_look.compare_exchange_strong(due, now + kBetweenLooks, std::memory_order_relaxed)) return;
  if (const std::unique_lock lock(s.mutex, std::try_to_lock); lock) look(s);
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
