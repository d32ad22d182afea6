// Keeping kernels and the memory that they touch. See capture.h.
#include <tandem/core/capture.h>

#include <algorithm>
#include <atomic>

#include <fmt/format.h>

#include <tandem/core/error.h>

namespace tandem::capture {

namespace detail {
constinit thread_local Tape* tape = nullptr;

void give_to_write(const Storage& storage) { tape->give_to_write(storage); }
}  // namespace detail

namespace {
std::atomic<std::uint64_t> changes{0};
}

std::uint64_t age() { return changes.load(std::memory_order_relaxed); }
void grow_older() { changes.fetch_add(1, std::memory_order_relaxed); }

CaptureScope::CaptureScope(Tape& tape) {
  if (is_on()) fail("capture", "kernels of this thread are being captured already");
  detail::tape = &tape;
}

CaptureScope::~CaptureScope() { detail::tape = nullptr; }

void Tape::add_new(const Storage* storage) { inside_[storage] = {}; }

void Tape::give_to_write(const Storage& storage) {
  const auto found = inside_.find(&storage);
  if (found == inside_.end()) return;
  found->second.is_known = false;
  ++found->second.taken;
}

void Tape::spoil(const char* who, const char* what) {
  if (why_not_.empty()) why_not_ = fmt::format("{} {}", who, what);
}

bool Tape::knows(const Array& x) const {
  const auto found = inside_.find(x.storage().get());
  return found == inside_.end() || found->second.is_known;
}

void Tape::keep(const std::shared_ptr<Storage>& storage) {
  if (kept_.insert(storage).second && !inside_.contains(storage.get()))
    outside_.push_back({storage.get(), storage->data()});
}

void Tape::write(const std::shared_ptr<Storage>& storage) {
  keep(storage);
  if (std::find(changed_.begin(), changed_.end(), storage.get()) == changed_.end()) changed_.push_back(storage.get());
  const auto found = inside_.find(storage.get());
  if (found != inside_.end() && found->second.taken <= 1) found->second = {true, 0};
}

void Tape::add(const char* kernel, std::initializer_list<const Array*> reads, std::initializer_list<Array*> writes,
               void (*call)(const void*), const void* closure, std::size_t bytes) {
  if (!is_whole()) return;
  for (const Array* x : reads) {
    if (!x->defined()) continue;
    if (!knows(*x)) return spoil(kernel, "reads what no captured kernel has written");
    keep(x->storage());
  }
  for (const Array* y : writes) write(y->storage());
  const std::size_t offset = closures_.size();
  constexpr std::size_t kUnit = detail::kClosureAlignment;
  calls_.push_back({call, offset});
  closures_.resize(offset + (bytes + kUnit - 1) / kUnit * kUnit);
  std::memcpy(closures_.data() + offset, closure, bytes);
}

bool Tape::is_in_place() const {
  for (const Outside& one : outside_) {
    if (one.storage->data() != one.data) return false;
  }
  return true;
}

void Tape::replay() const {
  struct Marks {  // also of what was written before an exception
    const std::vector<Storage*>& changed;
    ~Marks() {
      for (Storage* storage : changed) storage->mark_changed();
    }
  };
  const Marks marks{changed_};
  for (const Call& call : calls_) call.run(closures_.data() + call.offset);
}

}  // namespace tandem::capture
