// Workers over MPI. One thread makes every call of MPI, which then needs no locks of its own (MPI_THREAD_FUNNELED):
//
//   begin_sum -> queue -> [thread: MPI_Iallreduce, MPI_Test ... until it is there] -> wait
//
// Each channel is a communicator, so that sums of one never meet those of the other. The thread only tests, it never
// blocks: where a worker has died it can be told to end. Who waits looks ten times a second whether the processes of
// this machine are alive.
#include <tandem/core/workers/open_workers.h>

#include <mpi.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/workers/launched.h>

namespace tandem {
namespace {

constexpr std::int64_t kMostElements = std::int64_t{1} << 30;  // of one call of MPI, which counts in int
constexpr int kPollsBeforeSleep = 2000;                        // about as long as a small message takes
constexpr std::chrono::microseconds kSleep{50};
constexpr std::chrono::milliseconds kLook{100};  // from one look at the other processes to the next

MPI_Datatype type_of(DType dtype) {
  if (dtype == DType::f32) return MPI_FLOAT;
  if (dtype == DType::f64) return MPI_DOUBLE;
  if (dtype == DType::i64) return MPI_INT64_T;
  fail("workers", fmt::format("a sum of {} over workers", name(dtype)), "f32, f64 and i64 can be summed");
}

class MpiWorkers : public Workers {
 public:
  using Workers::broadcast;

  explicit MpiWorkers(Part part) : Workers(part), uncaught_(std::uncaught_exceptions()) {
    thread_ = std::thread([this] { run(); });
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return is_open_; });
    exchange_processes(lock);
  }
  ~MpiWorkers() override {
    if (std::uncaught_exceptions() > uncaught_) give_up();
    {
      const std::lock_guard lock(mutex_);
      ends_ = true;
    }
    work_.notify_one();
    thread_.join();
  }

  std::uint64_t begin_sum(void* x, std::int64_t count, DType dtype, Channel channel) override {
    const auto bytes = count * static_cast<std::int64_t>(size_of(dtype));
    traffic_.sums += 1;
    traffic_.bytes += bytes;
    const MPI_Datatype type = type_of(dtype);
    return add({bytes, [=, this](Requests& requests) {
                  for (std::int64_t i = 0; i < count; i += kMostElements) {
                    const std::int64_t n = std::min(kMostElements, count - i);
                    void* const part = static_cast<std::byte*>(x) + i * static_cast<std::int64_t>(size_of(dtype));
                    MPI_Iallreduce(MPI_IN_PLACE, part, static_cast<int>(n), type, MPI_SUM, channel_of(channel),
                                   &requests.emplace_back());
                  }
                }});
  }
  void wait(std::uint64_t ticket) override {
    const auto begin = Clock::now();
    std::unique_lock lock(mutex_);
    while (!done_.wait_for(lock, kLook, [&] { return finished(ticket); })) {
      if (!trouble_.empty()) throw WorkerLost(-1, "workers: another rank cannot be reached: " + trouble_);
      if (has_left_) fail("workers", "a sum after they were given up");
      if (const int lost = lost_worker(); lost >= 0) {
        const std::int64_t process = processes_[static_cast<std::size_t>(lost)].number;
        lock.unlock();
        give_up();
        throw WorkerLost(lost, fmt::format("workers: rank {} has ended: process {}", lost, process));
      }
    }
    traffic_.waited += std::chrono::duration<double>(Clock::now() - begin).count();
  }
  void broadcast(void* data, std::int64_t bytes, int from) override {
    wait(add({0, [=, this](Requests& requests) {
                for_parts(data, bytes, [&](void* part, int n) {
                  MPI_Ibcast(part, n, MPI_BYTE, from, channel_of(Channel::words), &requests.emplace_back());
                });
              }}));
  }
  void pass(void* data, std::int64_t bytes, int from, int to) override {
    if ((rank() != from && rank() != to) || from == to) return;
    wait(add({0, [=, this](Requests& requests) {
                for_parts(data, bytes, [&](void* part, int n) {
                  MPI_Request& request = requests.emplace_back();
                  if (rank() == from) MPI_Isend(part, n, MPI_BYTE, to, 0, channel_of(Channel::words), &request);
                  if (rank() == to) MPI_Irecv(part, n, MPI_BYTE, from, 0, channel_of(Channel::words), &request);
                });
              }}));
  }

  void record_events(bool on) override {
    const std::lock_guard lock(mutex_);
    records_ = on;
  }
  std::vector<Event> take_events() override {
    const std::lock_guard lock(mutex_);
    return std::exchange(events_, {});
  }
  void give_up() override {
    std::unique_lock lock(mutex_);
    gives_up_ = true;
    work_.notify_one();
    done_.wait(lock, [&] { return has_left_; });
  }

 private:
  using Requests = std::vector<MPI_Request>;
  struct Call {
    std::int64_t bytes = 0;
    std::function<void(Requests&)> start;
    std::uint64_t ticket = 0;
    Requests requests = {};
    Clock::time_point begin = {};
  };
  struct Process {
    std::int64_t machine = 0, number = 0;
    bool is_seen = false;  // it was there when it should have been: a look at its number means something
  };

  template <class F>
  static void for_parts(void* data, std::int64_t bytes, F&& f) {
    for (std::int64_t i = 0; i < bytes; i += kMostElements)
      f(static_cast<std::byte*>(data) + i, static_cast<int>(std::min(kMostElements, bytes - i)));
  }
  MPI_Comm channel_of(Channel channel) const { return channels_[channel == Channel::pieces ? 0 : 1]; }

  std::uint64_t add(Call call) {
    const std::lock_guard lock(mutex_);
    call.ticket = ++begun_;
    call.begin = Clock::now();
    open_.push_back(call.ticket);
    queue_.push_back(std::move(call));
    work_.notify_one();
    return begun_;
  }
  bool finished(std::uint64_t ticket) const { return std::find(open_.begin(), open_.end(), ticket) == open_.end(); }

  /// Who is on this machine, by the hash of its name.
  void exchange_processes(std::unique_lock<std::mutex>& lock) {
    lock.unlock();
    char host[256] = {};
    gethostname(host, sizeof(host) - 1);
    std::int64_t machine = 0;
    for (const char* c = host; *c != '\0'; ++c) machine = (machine * 131 + *c) % 1'000'000'007;
    const std::vector<std::int64_t> machines = gather(machine), numbers = gather(getpid());
    std::vector<Process> all;
    for (int r = 0; r < size(); ++r) {
      const auto i = static_cast<std::size_t>(r);
      all.push_back({machines[i], numbers[i], machines[i] == machine && r != rank() && is_alive(numbers[i])});
    }
    lock.lock();
    processes_ = std::move(all);
    traffic_ = {};
  }
  static bool is_alive(std::int64_t process) { return kill(static_cast<pid_t>(process), 0) == 0 || errno != ESRCH; }
  int lost_worker() const {
    for (std::size_t r = 0; r < processes_.size(); ++r)
      if (processes_[r].is_seen && !is_alive(processes_[r].number)) return static_cast<int>(r);
    return -1;
  }

  /// MPI itself has noticed that somebody is gone: a connection to another machine has ended.
  void give_up_by(int status) {
    char text[MPI_MAX_ERROR_STRING] = {};
    int length = 0;
    MPI_Error_string(status, text, &length);
    const std::lock_guard lock(mutex_);
    trouble_ = text;
    gives_up_ = true;
  }

  // The thread that speaks to MPI.
  void run() {
    int provided = 0;
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
    for (MPI_Comm& channel : channels_) {
      MPI_Comm_dup(MPI_COMM_WORLD, &channel);
      MPI_Comm_set_errhandler(channel, MPI_ERRORS_RETURN);
    }
    std::unique_lock lock(mutex_);
    is_open_ = true;
    done_.notify_all();
    std::list<Call> running;
    for (int idle = 0; !gives_up_;) {
      if (queue_.empty() && running.empty()) {
        if (ends_) break;
        work_.wait(lock, [&] { return !queue_.empty() || ends_ || gives_up_; });
        idle = 0;
        continue;
      }
      std::deque<Call> fresh = std::exchange(queue_, {});
      lock.unlock();
      if (!fresh.empty()) idle = 0;
      for (Call& call : fresh) {
        call.start(call.requests);
        running.push_back(std::move(call));
      }
      std::list<Call> ended;
      for (auto call = running.begin(); call != running.end();) {
        int is_done = 0;
        const int status =
            MPI_Testall(static_cast<int>(call->requests.size()), call->requests.data(), &is_done, MPI_STATUSES_IGNORE);
        if (status != MPI_SUCCESS) give_up_by(status);
        const auto next = std::next(call);
        if (is_done != 0) ended.splice(ended.end(), running, call);
        call = next;
      }
      if (ended.empty() && ++idle > kPollsBeforeSleep) std::this_thread::sleep_for(kSleep);
      if (ended.empty() && idle <= kPollsBeforeSleep) std::this_thread::yield();
      lock.lock();
      for (const Call& call : ended) {
        if (records_ && call.bytes > 0) events_.push_back({call.begin, Clock::now(), call.bytes});
        std::erase(open_, call.ticket);
        idle = 0;
      }
      if (!ended.empty()) done_.notify_all();
    }
    has_left_ = true;
    done_.notify_all();
    lock.unlock();
    if (!gives_up_) MPI_Finalize();
  }

  const int uncaught_;
  std::array<MPI_Comm, 2> channels_ = {MPI_COMM_NULL, MPI_COMM_NULL};
  std::thread thread_;
  std::vector<Process> processes_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable work_, done_;
  std::deque<Call> queue_;
  std::vector<std::uint64_t> open_;  // begun and not finished
  std::uint64_t begun_ = 0;
  std::vector<Event> events_;
  std::string trouble_;  // that MPI has told of
  bool is_open_ = false, ends_ = false, has_left_ = false, gives_up_ = false, records_ = false;
};

}  // namespace

std::shared_ptr<Workers> open_workers() {
  static std::weak_ptr<Workers> opened;
  static bool is_over = false;
  const Part part = launched();
  if (part.count < 2) return one_worker();
  std::shared_ptr<Workers> workers = opened.lock();
  if (workers) return workers;
  if (is_over)
    fail("workers", "they were closed before", "MPI begins once in a process", "hold what open_workers() gave");
  workers = std::make_shared<MpiWorkers>(part);
  is_over = true;
  opened = workers;
  return workers;
}

bool has_mpi() { return true; }

int rank_of_process() { return launched().index; }

}  // namespace tandem
