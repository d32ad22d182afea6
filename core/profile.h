// The profiler's hooks: what code says of itself while a profile is taken. When none is, each costs one relaxed load.
// Scopes nest: a phase of a training, a layer, an op, a kernel. Of kernels inside kernels the outermost counts.
//
//   Array conv2d(const Array& x, ...) {
//     const profile::KernelScope kernel("conv2d", [&] { return profile::Work{2.0 * products, profile::bytes(x, w)}; });
//     ... profile::implementation("winograd");
//
// Bits do not depend on it: nothing here computes. Not here: beginning, and what came out (profile_report.h).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <tandem/core/array.h>

namespace tandem::profile {

namespace detail {
extern std::atomic<bool> on;
}

/// True while a profile is taken.
inline bool is_on() { return detail::on.load(std::memory_order_relaxed); }

/// What the time of a training is spent on. `other` is what no scope names: logs, the program's own code.
enum class Phase : std::uint8_t { other, loading, forward, backward, update, evaluation, instruments, saving };
inline constexpr int kPhases = 8;
const char* name(Phase phase);

/// What a kernel has to do at least: arithmetic operations (an addition and a multiplication are two), and bytes read
/// and written once each.
struct Work {
  double operations = 0, bytes = 0;
};

/// Bytes of these: Arrays, undefined ones nothing; a number is itself.
inline double bytes(const Array& x) {
  return x.defined() ? static_cast<double>(x.size()) * static_cast<double>(size_of(x.dtype())) : 0;
}
inline double bytes(double number) { return number; }
template <class First, class... More>
double bytes(const First& first, const More&... more) {
  return (bytes(first) + ... + bytes(more));
}
/// Bytes of an Array of this shape.
inline double bytes_of(const Shape& shape, DType dtype) {
  return static_cast<double>(shape.count()) * static_cast<double>(size_of(dtype));
}

/// The work of a kernel that is bound by memory: it reads and writes these, as bytes() counts them.
template <class... Moved>
Work moves(const Moved&... moved) {
  return {0, bytes(moved...)};
}

namespace detail {
void begin_kernel(const char* name, const Work& work, DType dtype);
void end_kernel();
void enter_layer(std::string_view name);
void leave_layer();
void enter_op(const char* op, std::uint32_t layer);
void leave_op();
void enter_phase(Phase phase);
void leave_phase();
void label_op(const char* op);
void add_implementation(std::string_view name);
void count_repack(double seconds);
void count_primitive();
void count_allocation(std::size_t bytes);
std::uint32_t current_layer();
double seconds_now();
}  // namespace detail

/// A kernel, from its door to its end. `work` is called when a profile is taken: () -> Work.
class KernelScope {
 public:
  template <class F>
  KernelScope(const char* name, DType dtype, F&& work) : is_open_(is_on()) {
    if (is_open_) detail::begin_kernel(name, work(), dtype);
  }
  ~KernelScope() {
    if (is_open_) detail::end_kernel();
  }
  KernelScope(const KernelScope&) = delete;
  KernelScope& operator=(const KernelScope&) = delete;

 private:
  bool is_open_;
};

/// A layer's forward. `name` is called when a profile is taken: () -> the layer's path below the layer that runs.
class LayerScope {
 public:
  template <class F>
  explicit LayerScope(F&& name) : is_open_(is_on()) {
    if (is_open_) detail::enter_layer(name());
  }
  ~LayerScope() {
    if (is_open_) detail::leave_layer();
  }
  LayerScope(const LayerScope&) = delete;
  LayerScope& operator=(const LayerScope&) = delete;

 private:
  bool is_open_;
};

/// The backward of an op; `layer` is what current_layer() was when it was recorded.
class OpScope {
 public:
  OpScope(const char* op, std::uint32_t layer) : is_open_(is_on()) {
    if (is_open_) detail::enter_op(op, layer);
  }
  ~OpScope() {
    if (is_open_) detail::leave_op();
  }
  OpScope(const OpScope&) = delete;
  OpScope& operator=(const OpScope&) = delete;

 private:
  bool is_open_;
};

/// A phase. Forward, backward and update inside an evaluation, a measurement or a saving belong to that.
class PhaseScope {
 public:
  explicit PhaseScope(Phase phase) : is_open_(is_on()) {
    if (is_open_) detail::enter_phase(phase);
  }
  ~PhaseScope() {
    if (is_open_) detail::leave_phase();
  }
  PhaseScope(const PhaseScope&) = delete;
  PhaseScope& operator=(const PhaseScope&) = delete;

 private:
  bool is_open_;
};

/// Kernels that ended since the last op, or layer, on this thread were those of the forward of `op`.
inline void label(const char* op) {
  if (is_on()) detail::label_op(op);
}

/// Who computes inside the kernel that runs: "winograd", the name that oneDNN gives, "reference" (a naive twin).
inline void implementation(std::string_view name) {
  if (is_on()) detail::add_implementation(name);
}

/// A primitive or descriptor was made; the system was asked for memory.
inline void created_primitive() {
  if (is_on()) detail::count_primitive();
}
inline void allocated(std::size_t bytes) {
  if (is_on()) detail::count_allocation(bytes);
}

/// Weights are written into the layout that a kernel wants, in this scope.
class RepackScope {
 public:
  RepackScope() : begin_(is_on() ? detail::seconds_now() : -1) {}
  ~RepackScope() {
    if (begin_ >= 0) detail::count_repack(detail::seconds_now() - begin_);
  }
  RepackScope(const RepackScope&) = delete;
  RepackScope& operator=(const RepackScope&) = delete;

 private:
  double begin_;
};

/// The layer that runs on this thread, for OpScope; 0 without.
inline std::uint32_t current_layer() { return is_on() ? detail::current_layer() : 0; }

}  // namespace tandem::profile
