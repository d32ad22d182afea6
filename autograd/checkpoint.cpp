// What ops of a checkpointed function save is dropped, and made again in backward. See checkpoint_frame.h.
#include <tandem/autograd/checkpoint.h>

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include <tandem/autograd/autocast.h>
#include <tandem/autograd/checkpoint_frame.h>
#include <tandem/autograd/node.h>
#include <tandem/core/error.h>

namespace tandem {

namespace {

constexpr const char* kWhere = "checkpoint";

thread_local std::shared_ptr<CheckpointFrame> current_frame;

/// The frame of this thread, for a scope.
class FrameScope {
 public:
  explicit FrameScope(std::shared_ptr<CheckpointFrame> frame) : before_(std::move(current_frame)) {
    current_frame = std::move(frame);
  }
  ~FrameScope() { current_frame = std::move(before_); }
  FrameScope(const FrameScope&) = delete;
  FrameScope& operator=(const FrameScope&) = delete;

 private:
  std::shared_ptr<CheckpointFrame> before_;
};

}  // namespace

const std::shared_ptr<CheckpointFrame>& CheckpointFrame::current() { return current_frame; }

void CheckpointFrame::run(const std::function<void()>& first, std::function<void()> again) {
  const auto frame = std::make_shared<CheckpointFrame>();
  frame->again_ = std::move(again);
  frame->autocast_ = autocast_dtype();
  const FrameScope scope(frame);
  Evaluations evaluation;
  evaluation.begin();
  first();
  frame->states_ = evaluation.states();
  frame->is_complete_ = true;
}

void CheckpointFrame::note(const Tensor& read) {
  const bool is_known = std::any_of(reads_.begin(), reads_.end(),
                                    [&](const Read& known) { return known.tensor.lock() == read.handle(); });
  if (!is_known) reads_.push_back({read.handle(), read.value().storage()->id(), read.value().version()});
}

std::size_t CheckpointFrame::enter(const char* op, const InputList& inputs, Node& node) {
  if (is_running_again_) {
    const std::size_t place = next_++;
    if (place >= entries_.size() || std::string_view(entries_[place].op) != op) fail_other(place, op);
    Entry& entry = entries_[place];
    for (const std::size_t i : entry.taken) {
      if (i >= node.saved_size()) fail_other(place, op);
      SavedValue& again = entry.again.emplace_back(node.saved(i));
      if (!again.is_kept()) fail_other(place, op);
    }
    return kNowhere;
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& x = inputs[i];
    if (x.defined() && (x.is_leaf() || x.state()->node->frame() != this)) note(x);
  }
  Entry& entry = entries_.emplace_back(Entry{op, {}, {}});
  for (std::size_t i = 0; i < node.saved_size(); ++i) {
    const SavedValue s = node.saved(i);
    const bool is_parameter = s.tensor.defined() && s.tensor.is_leaf() && s.tensor.requires_grad();
    if (!s.is_kept() || is_parameter) continue;  // a parameter lives anyway
    entry.taken.push_back(i);
    node.drop_saved(i);
  }
  return entries_.size() - 1;
}

void CheckpointFrame::restore(std::size_t place, Node& node) {
  const std::lock_guard guard(mutex_);
  Entry& entry = entries_[place];
  if (entry.taken.empty()) return;
  if (!is_complete_) {
    fail(kWhere, "backward comes to the function while it runs", entry.op, "let it take no gradients itself");
  }
  if (!is_made_) run_again();
  for (std::size_t i = 0; i < entry.taken.size(); ++i) node.give_saved(entry.taken[i], std::move(entry.again[i]));
  entry.again.clear();
}

void CheckpointFrame::run_again() {
  check_reads();
  for (Entry& entry : entries_) entry.again.clear();  // of a run that failed
  next_ = 0;
  is_running_again_ = true;
  try {
    // A frame of another owner: this one is held by the node that waits for it.
    const FrameScope scope(std::shared_ptr<CheckpointFrame>(std::shared_ptr<void>(), this));
    const RecordingScope recorded(true);
    const AutocastScope products(autocast_);
    Evaluations evaluation(Evaluations::Moves::none, states_);
    evaluation.begin();
    again_();
  } catch (...) {
    is_running_again_ = false;
    throw;
  }
  is_running_again_ = false;
  if (next_ != entries_.size()) fail_other(next_, nullptr);
  is_made_ = true;
  again_ = nullptr;
}

void CheckpointFrame::check_reads() const {
  for (const Read& read : reads_) {
    const std::shared_ptr<TensorState> tensor = read.tensor.lock();
    if (!tensor) continue;  // made in the function
    const Array& value = tensor->value;
    if (value.storage()->id() == read.storage && value.version() == read.version) continue;
    fail(kWhere, "what the function reads was changed between forward and backward",
         fmt::format("{} is at version {}, was {}", value.shape().to_string(), value.version(), read.version),
         "call backward first");
  }
}

void CheckpointFrame::fail_other(std::size_t place, const char* op) const {
  const char* first = place < entries_.size() ? entries_[place].op : nullptr;
  fail(kWhere, "the function does not do the same when it runs again",
       fmt::format("op {} was {}, is {}", place, first == nullptr ? "none" : first, op == nullptr ? "none" : op),
       "let it depend on its inputs and on layers alone");
}

namespace detail {

void run_checkpointed(const std::function<void()>& first, std::function<void()> again) {
  if (!is_recording() || CheckpointFrame::current()) return first();
  CheckpointFrame::run(first, std::move(again));
}

}  // namespace detail

}  // namespace tandem
