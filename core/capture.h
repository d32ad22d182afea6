// Capture: the kernels that run on a thread are kept, to run again on the same memory: a flat list of calls without
// checks, allocation or dispatch, what CUDA calls the capture and replay of a graph. A kernel takes part by running
// its loop through run():
//
//   Array y = Array::empty(x.shape());
//   capture::run("relu", {&x}, {&y}, [p = x.data<float>(), q = y.data<float>(), n = x.size()] { relu_row(p, q, n); });
//
// That what runs again computes what the code would is checked by the flow of values: memory made inside the capture
// may be read when a captured kernel has written it, and nothing else may change memory, or give a number to the host.
// Whatever else happens makes the tape useless and says why. Not here: steps that are replayed (autograd/replay.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <tandem/core/array.h>

namespace tandem::capture {

/// Kernels in the order in which they ran, and the memory that they read and write, which lives as long.
class Tape {
 public:
  Tape() = default;
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// Runs all kernels again and marks what they change. Only when is_whole() and is_in_place().
  void replay() const;
  /// Whether every memory from outside is where it was.
  bool is_in_place() const;

  bool is_whole() const { return why_not_.empty(); }
  /// "conv2d is not captured": the first thing that cannot be replayed; "" when there is none.
  const std::string& why_not() const { return why_not_; }
  std::size_t kernels() const { return calls_.size(); }

  // For code that runs while this is captured: see the functions below.
  void add(const char* kernel, std::initializer_list<const Array*> reads, std::initializer_list<Array*> writes,
           void (*call)(const void*), const void* closure, std::size_t bytes);
  void add_new(const Storage* storage);
  /// Memory from inside is in unknown hands, until a captured kernel has written it.
  void give_to_write(const Storage& storage);
  void spoil(const char* who, const char* what);
  /// Whether a captured kernel has written this, or it is from outside.
  bool knows(const Array& x) const;

 private:
  struct Call {
    void (*run)(const void* closure);
    std::size_t offset;  // of its closure
  };
  struct Outside {
    Storage* storage;
    const std::byte* data;
  };
  void keep(const std::shared_ptr<Storage>& storage);
  void write(const std::shared_ptr<Storage>& storage);

  std::vector<Call> calls_;
  std::vector<std::byte> closures_;
  std::unordered_set<std::shared_ptr<Storage>> kept_;
  std::vector<Outside> outside_;
  std::vector<Storage*> changed_;
  /// Memory from inside. A kernel takes it once and writes it; who takes it beside one may write later, unseen.
  struct Inside {
    bool is_known = false;
    int taken = 0;  // to be written, since a captured kernel wrote it
  };
  std::unordered_map<const Storage*, Inside> inside_;
  std::string why_not_;
};

namespace detail {
/// Closures lie at multiples of this.
inline constexpr std::size_t kClosureAlignment = 16;
}  // namespace detail

/// Whether kernels of this thread are kept.
inline bool is_on() { return detail::tape != nullptr; }

/// While it lives, kernels of this thread are kept. Throws Error inside another.
class CaptureScope {
 public:
  explicit CaptureScope(Tape& tape);
  ~CaptureScope();
  CaptureScope(const CaptureScope&) = delete;
  CaptureScope& operator=(const CaptureScope&) = delete;
};

/// f(), which computes `writes` from `reads` and is the whole of what a kernel does to memory; then the change of
/// `writes` is marked. f is kept bit by bit: pointers and numbers, nothing that has an owner or lies on the stack.
template <class F>
void run(const char* kernel, std::initializer_list<const Array*> reads, std::initializer_list<Array*> writes,
         const F& f) {
  static_assert(std::is_trivially_copyable_v<F> && std::is_trivially_destructible_v<F>);
  static_assert(alignof(F) <= detail::kClosureAlignment);
  f();
  for (Array* y : writes) y->storage()->mark_changed();
  if (!is_on()) return;
  detail::tape->add(
      kernel, reads, writes, [](const void* closure) { (*static_cast<const F*>(closure))(); }, &f, sizeof(F));
}

/// What `who` does now would not happen in a replay: `what` completes the sentence "who ...".
inline void refuse(const char* who, const char* what) {
  if (is_on()) detail::tape->spoil(who, what);
}

/// The output of an op of autograd: not captured unless it comes from kernels that are.
inline void check_output(const char* op, const Array& y) {
  if (is_on() && !detail::tape->knows(y)) detail::tape->spoil(op, "is not captured");
}

/// Grows with every change of what a step may depend on besides memory: the mode of a module, who asks for gradients,
/// the number of threads. A tape of another age is not to be replayed.
std::uint64_t age();
void grow_older();

}  // namespace tandem::capture
