// Who speaks. A rank that fails waits before it says so: when rank 0 fails by the same, mpirun has ended it by then.
#include "ranks.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>
#include <vector>

#include <tandem/core/threads.h>
#include <tandem/core/workers/open_workers.h>

#include "program.h"

namespace tandem::train {
namespace {

constexpr std::chrono::milliseconds kPatience{1500};  // mpirun takes a second to notice that a rank has ended

std::string way_back;
std::shared_ptr<Workers> opened;

/// Throws Error when a rank would have no image.
void check_share(const std::string& name, std::int64_t images, const Part& part) {
  if (images < part.count)
    fail(name, "has fewer images than there are ranks to measure them",
         fmt::format("{} images, {} ranks", images, part.count));
}

/// Images [begin, end) of a source.
class PartOfSource : public ImageSource {
 public:
  PartOfSource(std::shared_ptr<const ImageSource> whole, const Part& part)
      : whole_(std::move(whole)), begin_(part.begin(whole_->size())), end_(part.end(whole_->size())) {}
  const std::string& name() const override { return whole_->name(); }
  std::int64_t size() const override { return end_ - begin_; }
  std::int64_t label(std::int64_t index) const override { return whole_->label(begin_ + index); }
  ImageView read(std::int64_t index, std::vector<std::uint8_t>& bytes) const override {
    return whole_->read(begin_ + index, bytes);
  }

 private:
  std::shared_ptr<const ImageSource> whole_;
  std::int64_t begin_, end_;
};

}  // namespace

const std::shared_ptr<Workers>& workers() {
  if (!opened) opened = open_workers();
  return opened;
}

void silence_other_ranks() {
  if (rank_of_process() > 0 && std::freopen("/dev/null", "w", stdout) == nullptr)
    fail("/dev/null", "cannot be written to");
}

Dataset share(Dataset set) {
  const Part part = workers()->part();
  if (part.count == 1) return set;
  check_share(set.name, set.size(), part);
  const std::int64_t begin = part.begin(set.size()), end = part.end(set.size());
  set.images = set.images.slice(0, begin, end);
  set.labels = set.labels.slice(0, begin, end);
  return set;
}

std::shared_ptr<const ImageSource> share(std::shared_ptr<const ImageSource> source) {
  const Part part = workers()->part();
  if (part.count == 1) return source;
  check_share(source->name(), source->size(), part);
  return std::make_shared<PartOfSource>(std::move(source), part);
}

bool is_turn(std::int64_t number) {
  const Part part = workers()->part();
  return number % part.count == part.index;
}

int threads_of_rank() {
  const char* const text = std::getenv("OMPI_COMM_WORLD_LOCAL_SIZE");
  const int here = text != nullptr ? std::max(1, std::atoi(text)) : 1;
  return std::max(1, threads() / here);
}

std::string launch_command() {
  const int ranks = workers()->size();
  return ranks > 1 ? fmt::format("mpirun -n {} ", ranks) : std::string();
}

void set_way_back(const std::string& command) { way_back = command; }

void say_for_all(const std::exception& error, const std::string& line) {
  const int rank = rank_of_process();
  if (dynamic_cast<const Interrupted*>(&error) != nullptr) {  // all ranks end so, and well
    if (rank == 0) std::fprintf(stderr, "%s\n", line.c_str());
    return;
  }
  if (opened) opened->give_up();
  std::string all = line;
  if (const auto* lost = dynamic_cast<const WorkerLost*>(&error)) {
    if (rank != (lost->rank() == 0 ? 1 : 0)) {
      std::this_thread::sleep_for(kPatience);
      return;
    }
    // When rank 0 has said itself why, mpirun ends the others before this one repeats it.
    if (rank > 0) std::this_thread::sleep_for(kPatience / 2);
    if (!way_back.empty()) all += "; go on with: " + way_back;
  } else if (rank > 0) {
    std::this_thread::sleep_for(kPatience);
    all = fmt::format("rank {}: {}", rank, all);
  }
  std::fprintf(stderr, "%s\n", all.c_str());
}

}  // namespace tandem::train
