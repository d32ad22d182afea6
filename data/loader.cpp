// Orders, worker threads and the bounded queue between them and the caller. See loader.h.
//
//   batches of the epoch   0 .. handed_out_ .. claimed_ .. batches_
//                               |  ring of slots  |  not begun
//
// Workers claim the next batch while it is less than `prefetch` ahead of the caller and fill, without the lock, the
// buffer of slot (number % prefetch); so slots never run over and batches leave in order. The caller gives the slot a
// new buffer when it takes the old one: workers themselves use no OpenMP and ask for no memory.
#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/generator.h>
#include <tandem/core/saturate.h>
#include <tandem/data/buffer_pool.h>
#include <tandem/data/loader.h>
#include <tandem/data/loader_checks.h>

namespace tandem {

namespace {

constexpr std::uint64_t kOrderStream = 0x6f72646572;    // "order"
constexpr std::uint64_t kViewStream = 0x76696577;       // "view"
constexpr std::uint64_t kAugmentStream = 0x696d616765;  // "image"

std::size_t round_up(std::size_t bytes) { return (bytes + 63) / 64 * 64; }  // to whole cache lines

/// What one worker, or the caller, prepares pictures in.
struct Desk {
  Picture picture;
  std::vector<std::uint8_t> bytes;
};

}  // namespace

class Loader::State {
 public:
  State(std::shared_ptr<const ImageSource> source, std::optional<Dataset> dataset, LoaderOptions options)
      : source_(std::move(source)),
        dataset_(std::move(dataset)),
        options_(checked(*source_, std::move(options))),
        first_(format_of_first(*source_)),
        output_(options_.transform.output(first_)),
        batch_(std::min(options_.batch, source_->size())),
        batches_(options_.drop_last ? source_->size() / batch_ : (source_->size() - 1) / batch_ + 1),
        prefetch_(std::min(options_.prefetch, batches_)),
        rows_((batch_ - 1) / options_.part.count + 1),
        labels_begin_(round_up(image_bytes(rows_, output_))),
        // in flight: `prefetch`, one with the caller, one that the caller lets go while it takes the next
        pool_(std::make_shared<BufferPool>(labels_begin_ + static_cast<std::size_t>(rows_) * sizeof(std::int64_t),
                                           options_.workers > 0 ? static_cast<std::size_t>(prefetch_) + 2 : 2)),
        desks_(static_cast<std::size_t>(std::clamp<std::int64_t>(options_.workers, 1, batches_))),
        slots_(static_cast<std::size_t>(prefetch_)) {
    for (Desk& desk : desks_) options_.transform.reserve(first_, desk.picture);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State();

  const Dataset& dataset() const {
    if (!dataset_) {
      fail("loader", fmt::format("the pictures of \"{}\" are not held in memory", source_->name()), {},
           "ask for source()");
    }
    return *dataset_;
  }
  const std::shared_ptr<const ImageSource>& source() const { return source_; }
  const LoaderOptions& options() const { return options_; }
  std::int64_t batches() const { return batches_; }
  std::int64_t epoch() const { return epoch_; }
  std::int64_t position() const { return saturating_add(saturating_multiply(epoch_, batches_), handed_out_); }
  bool is_epoch_over() const { return handed_out_ == batches_; }

  std::optional<Batch> next();
  void go_to(std::int64_t epoch, std::int64_t number);

 private:
  struct Slot {
    std::shared_ptr<Buffer> buffer;
    bool is_ready = false;
    std::exception_ptr error;
  };

  void prepare_order();
  void start_workers();
  void run_worker(Desk& desk);
  bool has_work() const { return is_running_ && claimed_ < batches_ && claimed_ < handed_out_ + prefetch_; }
  Slot& slot(std::int64_t number) { return slots_[static_cast<std::size_t>(number % prefetch_)]; }
  /// Rows [begin, end) of the set, or of its order, that this part of a batch has.
  std::pair<std::int64_t, std::int64_t> rows_of(std::int64_t number) const {
    const std::int64_t begin = number * batch_, count = std::min(batch_, source_->size() - begin);
    return {begin + options_.part.begin(count), begin + options_.part.end(count)};
  }
  void fill(std::int64_t number, std::byte* buffer, Desk& desk) const;
  Batch wrap(std::int64_t number, const std::shared_ptr<Buffer>& buffer) const;

  const std::shared_ptr<const ImageSource> source_;
  const std::optional<Dataset> dataset_;  // behind source_, where it is held in memory
  const LoaderOptions options_;
  const PictureFormat first_, output_;             // of the first image; of every image as it leaves
  const std::int64_t batch_, batches_, prefetch_;  // as far as the set goes: options may be larger
  const std::int64_t rows_;                        // of a batch at most that are made here
  const std::size_t labels_begin_;                 // in each buffer, behind the images
  const std::shared_ptr<BufferPool> pool_;

  // Changed by the caller's thread alone, and only while no worker is busy: workers read them without the lock.
  std::int64_t epoch_ = 0, order_epoch_ = -1;
  Array order_;              // i64 [N]; undefined without shuffling
  std::vector<Desk> desks_;  // one a worker, or the caller's
  std::vector<std::thread> threads_;

  std::mutex mutex_;  // guards what follows; handed_out_ is changed by the caller's thread alone
  std::condition_variable work_, ready_, idle_;
  std::int64_t handed_out_ = 0, claimed_ = 0;
  int busy_ = 0;
  bool is_running_ = false, stop_ = false;
  std::vector<Slot> slots_;
};

Loader::State::~State() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  work_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

std::optional<Batch> Loader::State::next() {
  if (is_epoch_over()) return std::nullopt;
  prepare_order();
  std::shared_ptr<Buffer> buffer = pool_->take();
  if (options_.workers == 0) {
    fill(handed_out_, buffer->data(), desks_[0]);
    return wrap(handed_out_++, buffer);
  }
  start_workers();
  std::unique_lock lock(mutex_);
  if (!is_running_) {
    is_running_ = true;
    work_.notify_all();
  }
  Slot& mine = slot(handed_out_);
  ready_.wait(lock, [&] { return mine.is_ready; });
  mine.is_ready = false;
  if (const std::exception_ptr error = std::exchange(mine.error, nullptr)) {
    lock.unlock();
    go_to(epoch_, handed_out_);  // the next call tries this batch again
    std::rethrow_exception(error);
  }
  mine.buffer.swap(buffer);
  const std::int64_t number = handed_out_++;
  lock.unlock();
  work_.notify_one();
  return wrap(number, buffer);
}

// Lets the workers finish what they hold, forgets what was made ahead, and rests there.
void Loader::State::go_to(std::int64_t epoch, std::int64_t number) {
  std::unique_lock lock(mutex_);
  is_running_ = false;
  idle_.wait(lock, [&] { return busy_ == 0; });
  for (Slot& each : slots_) {
    each.is_ready = false;
    each.error = nullptr;
  }
  handed_out_ = claimed_ = number;
  epoch_ = epoch;
}

void Loader::State::prepare_order() {
  if (order_epoch_ == epoch_) return;
  order_epoch_ = epoch_;
  if (!options_.shuffle) return;
  order_ = Array();  // its memory serves the new order
  order_ =
      Generator(options_.seed, kOrderStream).split(static_cast<std::uint64_t>(epoch_)).permutation(source_->size());
}

void Loader::State::start_workers() {
  if (!threads_.empty()) return;
  for (Slot& each : slots_) each.buffer = pool_->take();
  threads_.reserve(desks_.size());
  for (Desk& desk : desks_) threads_.emplace_back([this, &desk] { run_worker(desk); });
}

void Loader::State::run_worker(Desk& desk) {
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [&] { return stop_ || has_work(); });
    if (stop_) return;
    const std::int64_t number = claimed_++;
    std::byte* buffer = slot(number).buffer->data();
    ++busy_;
    lock.unlock();
    std::exception_ptr error;
    try {
      fill(number, buffer, desk);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    slot(number).error = error;
    slot(number).is_ready = true;
    --busy_;
    ready_.notify_one();
    idle_.notify_one();
  }
}

void Loader::State::fill(std::int64_t number, std::byte* buffer, Desk& desk) const {
  const auto [begin, end] = rows_of(number);
  const std::int64_t count = end - begin;
  const std::int64_t* order = options_.shuffle ? order_.data<std::int64_t>() + begin : nullptr;
  auto* out = reinterpret_cast<float*>(buffer);
  auto* label = reinterpret_cast<std::int64_t*>(buffer + labels_begin_);
  const Generator first_view(options_.seed, kAugmentStream);
  const Generator augment =
      options_.view == 0 ? first_view : first_view.split(kViewStream, static_cast<std::uint64_t>(options_.view));
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t index = order != nullptr ? order[i] : begin + i;
    label[i] = source_->label(index);
    const ImageView image = source_->read(index, desk.bytes);
    if (image.format != first_) check_format(options_.transform, first_, image.format);
    options_.transform.apply(image.pixels, image.format,
                             augment.split(static_cast<std::uint64_t>(epoch_), static_cast<std::uint64_t>(index)),
                             desk.picture, out + i * output_.count(), output_.count());
  }
}

Batch Loader::State::wrap(std::int64_t number, const std::shared_ptr<Buffer>& buffer) const {
  const auto [begin, end] = rows_of(number);
  const std::int64_t count = end - begin;
  const Shape shape{count, output_.channels, output_.height, output_.width};
  const auto label_bytes = static_cast<std::size_t>(count) * sizeof(std::int64_t);
  return {Array::over(std::make_shared<Storage>(buffer, 0, image_bytes(count, output_)), shape,
                      dense_strides(shape, Layout::channels_last), DType::f32),
          Array::over(std::make_shared<Storage>(buffer, labels_begin_, label_bytes), {count}, {1}, DType::i64)};
}

Loader::Loader(Dataset dataset, LoaderOptions options)
    : state_(std::make_unique<State>(source_of(dataset), dataset, std::move(options))) {}
Loader::Loader(std::shared_ptr<const ImageSource> source, LoaderOptions options) {
  if (!source) fail("loader", "there is no source of images");
  state_ = std::make_unique<State>(std::move(source), std::nullopt, std::move(options));
}
Loader::~Loader() = default;
Loader::Loader(Loader&&) noexcept = default;
Loader& Loader::operator=(Loader&&) noexcept = default;

Loader::Iterator Loader::begin() {
  if (state_->is_epoch_over()) state_->go_to(state_->epoch() + 1, 0);
  return Iterator(this);
}

Loader::Iterator& Loader::Iterator::operator++() {
  batch_.reset();  // its memory may serve the next one
  batch_ = loader_->next();
  return *this;
}

std::optional<Batch> Loader::next() { return state_->next(); }

std::int64_t Loader::batches() const { return state_->batches(); }
std::int64_t Loader::epoch() const { return state_->epoch(); }
std::int64_t Loader::position() const { return state_->position(); }

void Loader::start_epoch(std::int64_t epoch) {
  if (epoch < 0) fail("loader", "epoch must not be negative", fmt::format("{} given", epoch));
  state_->go_to(epoch, 0);
}

void Loader::set_position(std::int64_t position) {
  if (position < 0) fail("loader", "position must not be negative", fmt::format("{} given", position));
  state_->go_to(position / state_->batches(), position % state_->batches());
}

const Dataset& Loader::dataset() const { return state_->dataset(); }
const std::shared_ptr<const ImageSource>& Loader::source() const { return state_->source(); }
const LoaderOptions& Loader::options() const { return state_->options(); }

}  // namespace tandem
