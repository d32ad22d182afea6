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

namespace tandem {

namespace {

constexpr std::uint64_t kOrderStream = 0x6f72646572;    // "order"
constexpr std::uint64_t kAugmentStream = 0x696d616765;  // "image"

LoaderOptions checked(const Dataset& dataset, LoaderOptions options) {
  validate(dataset);
  if (options.batch < 1) fail("loader", "batch must be positive", fmt::format("{} given", options.batch));
  if (options.workers < 0) fail("loader", "workers must not be negative", fmt::format("{} given", options.workers));
  if (options.workers > kMostWorkers)
    fail("loader", fmt::format("workers may be {} at most", kMostWorkers), fmt::format("{} given", options.workers));
  if (options.prefetch < 1) fail("loader", "prefetch must be positive", fmt::format("{} given", options.prefetch));
  if (options.drop_last && options.batch > dataset.size()) {
    fail("loader", "drop_last leaves no batch",
         fmt::format("batch {}, data set \"{}\" has {} images", options.batch, dataset.name, dataset.size()));
  }
  const std::int64_t rest = options.drop_last ? 0 : dataset.size() % options.batch;
  const std::int64_t least = rest > 0 ? rest : std::min(options.batch, dataset.size());
  if (options.part.count > least)
    fail("loader", fmt::format("a batch of {} has nothing for each of {} parts", least, options.part.count),
         fmt::format("data set \"{}\" has {} images, batch {}", dataset.name, dataset.size(), options.batch),
         "take another batch, or drop_last");
  return options;
}

std::size_t round_up(std::size_t bytes) { return (bytes + 63) / 64 * 64; }  // to whole cache lines

/// Of `count` images in floats. Throws Error where no memory could hold them.
std::size_t image_bytes(std::int64_t count, const PictureFormat& format) {
  constexpr std::int64_t kMost = std::int64_t{1} << 48;  // 256 TiB
  const std::int64_t bytes =
      saturating_multiply(saturating_multiply(saturating_multiply(format.height, format.width), format.channels),
                          saturating_multiply(count, static_cast<std::int64_t>(sizeof(float))));
  if (bytes > kMost) {
    fail("loader", "a batch is too large", fmt::format("{} images of {}", count, to_string(format)),
         "take a smaller batch");
  }
  return static_cast<std::size_t>(bytes);
}

PictureFormat format_of(const Array& images) { return {images.shape(2), images.shape(3), images.shape(1), true}; }

}  // namespace

class Loader::State {
 public:
  State(Dataset dataset, LoaderOptions options)
      : dataset_(std::move(dataset)),
        options_(checked(dataset_, std::move(options))),
        input_(format_of(dataset_.images)),
        output_(options_.transform.output(input_)),
        batch_(std::min(options_.batch, dataset_.size())),
        batches_(options_.drop_last ? dataset_.size() / batch_ : (dataset_.size() - 1) / batch_ + 1),
        prefetch_(std::min(options_.prefetch, batches_)),
        rows_((batch_ - 1) / options_.part.count + 1),
        labels_begin_(round_up(image_bytes(rows_, output_))),
        // in flight: `prefetch`, one with the caller, one that the caller lets go while it takes the next
        pool_(std::make_shared<BufferPool>(labels_begin_ + static_cast<std::size_t>(rows_) * sizeof(std::int64_t),
                                           options_.workers > 0 ? static_cast<std::size_t>(prefetch_) + 2 : 2)),
        pictures_(static_cast<std::size_t>(std::clamp<std::int64_t>(options_.workers, 1, batches_))),
        slots_(static_cast<std::size_t>(prefetch_)) {
    for (Picture& picture : pictures_) options_.transform.reserve(input_, picture);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State();

  const Dataset& dataset() const { return dataset_; }
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
  void run_worker(Picture& picture);
  bool has_work() const { return is_running_ && claimed_ < batches_ && claimed_ < handed_out_ + prefetch_; }
  Slot& slot(std::int64_t number) { return slots_[static_cast<std::size_t>(number % prefetch_)]; }
  /// Rows [begin, end) of the set, or of its order, that this part of a batch has.
  std::pair<std::int64_t, std::int64_t> rows_of(std::int64_t number) const {
    const std::int64_t begin = number * batch_, count = std::min(batch_, dataset_.size() - begin);
    return {begin + options_.part.begin(count), begin + options_.part.end(count)};
  }
  void fill(std::int64_t number, std::byte* buffer, Picture& picture) const;
  Batch wrap(std::int64_t number, const std::shared_ptr<Buffer>& buffer) const;

  const Dataset dataset_;
  const LoaderOptions options_;
  const PictureFormat input_, output_;
  const std::int64_t batch_, batches_, prefetch_, rows_;  // as far as the set goes; rows_: of a batch, here, at most
  const std::size_t labels_begin_;                        // in each buffer, behind the images
  const std::shared_ptr<BufferPool> pool_;

  // Changed by the caller's thread alone, and only while no worker is busy: workers read them without the lock.
  std::int64_t epoch_ = 0, order_epoch_ = -1;
  Array order_;                    // i64 [N]; undefined without shuffling
  std::vector<Picture> pictures_;  // one a worker, or the caller's
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
    fill(handed_out_, buffer->data(), pictures_[0]);
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
      Generator(options_.seed, kOrderStream).split(static_cast<std::uint64_t>(epoch_)).permutation(dataset_.size());
}

void Loader::State::start_workers() {
  if (!threads_.empty()) return;
  for (Slot& each : slots_) each.buffer = pool_->take();
  threads_.reserve(pictures_.size());
  for (Picture& picture : pictures_) threads_.emplace_back([this, &picture] { run_worker(picture); });
}

void Loader::State::run_worker(Picture& picture) {
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
      fill(number, buffer, picture);
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

void Loader::State::fill(std::int64_t number, std::byte* buffer, Picture& picture) const {
  const auto [begin, end] = rows_of(number);
  const std::int64_t count = end - begin;
  const std::uint8_t* images = dataset_.images.data<std::uint8_t>();
  const std::int64_t* labels = dataset_.labels.data<std::int64_t>();
  const std::int64_t* order = options_.shuffle ? order_.data<std::int64_t>() + begin : nullptr;
  auto* out = reinterpret_cast<float*>(buffer);
  auto* label = reinterpret_cast<std::int64_t*>(buffer + labels_begin_);
  const Generator augment(options_.seed, kAugmentStream);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t index = order != nullptr ? order[i] : begin + i;
    label[i] = labels[index];
    options_.transform.apply(images + index * input_.count(), input_,
                             augment.split(static_cast<std::uint64_t>(epoch_), static_cast<std::uint64_t>(index)),
                             picture, out + i * output_.count(), output_.count());
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
    : state_(std::make_unique<State>(std::move(dataset), std::move(options))) {}
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
const LoaderOptions& Loader::options() const { return state_->options(); }

}  // namespace tandem
