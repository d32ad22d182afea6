// One cached entry per problem: primitive, memory objects and arguments are made once, a call only sets data handles.
// The key holds all that a primitive depends on, the number of threads included.
#include "convolution.h"

#include <array>
#include <bit>
#include <memory>
#include <optional>
#include <unordered_map>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/profile.h>
#include <tandem/core/threads.h>

#include "adapter.h"
#include "cache_counts.h"
#include "engine.h"
#include "matmul.h"
#include "packed_weights.h"

namespace tandem::onednn {

namespace {

using dnnl::memory;
using Dims = memory::dims;

enum class Kind : std::int64_t { forward, forward_bias, input_grad, weight_grad, weight_bias_grad };

/// What is f32 and what is bf16. Packed weights have the dtype of the activations.
struct Types {
  memory::data_type activations, bias;  // gradients of weights are f32

  std::int64_t code() const { return (activations == memory::data_type::bf16) + 2 * (bias == memory::data_type::bf16); }
};

Types types_of(const Array& activations, const Array& bias = {}) {
  return {data_type_of(activations), data_type_of(bias)};
}

// kind, threads, x [4], w [4], stride, padding, dilation, groups, types, bits of the slope
using Key = std::array<std::int64_t, 19>;

struct Entry {
  bool is_supported = false;
  std::string implementation;  // "oneDNN " and the name that it gives
  std::uint64_t last_use = 0;
  dnnl::primitive primitive;
  std::unordered_map<int, memory> arguments;
  Descriptor weights;  // the layout that the primitive wants of w, or gives dw
  std::size_t scratch_bytes = 0;
  // Weight gradient only: from the primitive's layout, at `packed_begin` of the scratch memory, to row major.
  dnnl::reorder unpack;
  std::unordered_map<int, memory> unpack_arguments;
  std::size_t packed_begin = 0;

  void add(int argument, const Descriptor& layout) {
    arguments.emplace(argument, memory(layout, cpu_engine(), nullptr));
  }
};

constexpr std::size_t kMaxEntries = 1024;  // far above any training; bounds a program whose shapes never repeat

struct Cache {
  std::unordered_map<Key, std::unique_ptr<Entry>, KeyHash> entries;
  std::uint64_t uses = 0;
};

Cache& cache() {
  static Cache& instance = *new Cache;
  return instance;
}

Key key_of(Kind kind, Types types, const Shape& x, const Shape& w, const Conv2dOptions& o, float slope) {
  const auto which = static_cast<std::int64_t>(kind), after = std::int64_t{std::bit_cast<std::int32_t>(slope)};
  return {which,        threads(),    x[0],     x[1],         x[2],       x[3],        w[0],
          w[1],         w[2],         w[3],     o.stride.h,   o.stride.w, o.padding.h, o.padding.w,
          o.dilation.h, o.dilation.w, o.groups, types.code(), after};
}

ConvolutionProblem problem_of(Kind kind, Types types, const Shape& x, const Shape& w, const Shape& y,
                              const Conv2dOptions& o) {
  const bool is_weight_grad = kind == Kind::weight_grad || kind == Kind::weight_bias_grad;
  const bool has_bias = kind == Kind::forward_bias || kind == Kind::weight_bias_grad;
  const auto of_weights = is_weight_grad ? memory::data_type::f32 : types.activations;
  const auto nhwc = memory::format_tag::nhwc, any = memory::format_tag::any;
  ConvolutionProblem p;
  p.source = Descriptor({x[0], x[1], x[2], x[3]}, types.activations, nhwc);
  p.weights = Descriptor(weights_dims(w, o.groups), of_weights, any);
  p.forward_weights = Descriptor(weights_dims(w, o.groups), types.activations, any);
  if (has_bias) p.bias = Descriptor({w[0]}, types.bias, memory::format_tag::x);
  p.destination = Descriptor({y[0], y[1], y[2], y[3]}, types.activations, nhwc);
  p.stride = {o.stride.h, o.stride.w};
  p.dilation = {o.dilation.h - 1, o.dilation.w - 1};  // oneDNN counts the gaps
  p.padding = {o.padding.h, o.padding.w};
  return p;
}

template <class Description>
std::string implementation_of(const Description& description) {
  return fmt::format("oneDNN {}", description.impl_info_str());
}

void finish(Entry& entry, const Descriptor& scratchpad) {
  entry.add(DNNL_ARG_SCRATCHPAD, scratchpad);
  entry.scratch_bytes = scratchpad.get_size();
  ++cache_counts().primitives_created;
  profile::created_primitive();
}

void make_forward(Entry& entry, const ConvolutionProblem& problem) {
  const auto description = describe_forward(cpu_engine(), problem);
  entry.implementation = implementation_of(description);
  entry.primitive = dnnl::convolution_forward(description);
  entry.weights = description.weights_desc();
  entry.add(DNNL_ARG_SRC, problem.source);
  entry.add(DNNL_ARG_WEIGHTS, entry.weights);
  if (problem.bias.get_size() != 0) entry.add(DNNL_ARG_BIAS, problem.bias);
  entry.add(DNNL_ARG_DST, problem.destination);
  finish(entry, description.scratchpad_desc());
}

void make_input_grad(Entry& entry, const ConvolutionProblem& problem) {
  const auto description = describe_backward_data(cpu_engine(), problem);
  entry.implementation = implementation_of(description);
  entry.primitive = dnnl::convolution_backward_data(description);
  entry.weights = description.weights_desc();
  entry.add(DNNL_ARG_DIFF_SRC, problem.source);
  entry.add(DNNL_ARG_WEIGHTS, entry.weights);
  entry.add(DNNL_ARG_DIFF_DST, problem.destination);
  finish(entry, description.scratchpad_desc());
}

void make_weight_grad(Entry& entry, const ConvolutionProblem& problem, const Dims& dims) {
  const auto description = describe_backward_weights(cpu_engine(), problem);
  entry.implementation = implementation_of(description);
  entry.primitive = dnnl::convolution_backward_weights(description);
  entry.weights = description.diff_weights_desc();
  entry.add(DNNL_ARG_SRC, problem.source);
  entry.add(DNNL_ARG_DIFF_WEIGHTS, entry.weights);
  if (problem.bias.get_size() != 0) entry.add(DNNL_ARG_DIFF_BIAS, problem.bias);
  entry.add(DNNL_ARG_DIFF_DST, problem.destination);
  finish(entry, description.scratchpad_desc());

  const auto row_major = dims.size() == 5 ? memory::format_tag::goihw : memory::format_tag::oihw;
  const Descriptor plain(dims, memory::data_type::f32, row_major);
  if (entry.weights == plain) return;
  entry.packed_begin = (entry.scratch_bytes + 63) / 64 * 64;
  entry.scratch_bytes = entry.packed_begin + entry.weights.get_size();
  const memory to(plain, cpu_engine(), nullptr);
  entry.unpack = dnnl::reorder(entry.arguments.at(DNNL_ARG_DIFF_WEIGHTS), to);
  entry.unpack_arguments = {{DNNL_ARG_FROM, entry.arguments.at(DNNL_ARG_DIFF_WEIGHTS)}, {DNNL_ARG_TO, to}};
  ++cache_counts().primitives_created;
  profile::created_primitive();
}

[[noreturn]] void fail_library(const char* where, const dnnl::error& error, const Shape& x, const Shape& w) {
  fail(where, fmt::format("oneDNN failed: {} (status {})", error.message, static_cast<int>(error.status)),
       fmt::format("x {}, w {}", x.to_string(), w.to_string()));
}

void drop_oldest(Cache& c) {
  auto oldest = c.entries.begin();
  for (auto it = c.entries.begin(); it != c.entries.end(); ++it)
    if (it->second->last_use < oldest->second->last_use) oldest = it;
  c.entries.erase(oldest);
}

/// An entry, whole; one that is not supported where oneDNN has no implementation.
std::unique_ptr<Entry> make(Kind kind, Types types, const Shape& x, const Shape& w, const Shape& y,
                            const Conv2dOptions& options, float slope) {
  ConvolutionProblem problem = problem_of(kind, types, x, w, y, options);
  problem.slope = slope;
  auto entry = std::make_unique<Entry>();
  try {
    if (kind == Kind::input_grad)
      make_input_grad(*entry, problem);
    else if (kind == Kind::weight_grad || kind == Kind::weight_bias_grad)
      make_weight_grad(*entry, problem, weights_dims(w, options.groups));
    else
      make_forward(*entry, problem);
    entry->is_supported = true;
  } catch (const dnnl::error& error) {
    if (error.status != dnnl_unimplemented) throw;
    entry = std::make_unique<Entry>();
  }
  return entry;
}

Entry& find_or_make(Kind kind, Types types, const Shape& x, const Shape& w, const Shape& y,
                    const Conv2dOptions& options, float slope = 1) {
  Cache& c = cache();
  const Key key = key_of(kind, types, x, w, options, slope);
  auto found = c.entries.find(key);
  if (found == c.entries.end()) {
    std::unique_ptr<Entry> entry = make(kind, types, x, w, y, options, slope);  // what cannot be made leaves no trace
    if (c.entries.size() >= kMaxEntries) drop_oldest(c);
    found = c.entries.emplace(key, std::move(entry)).first;
  }
  found->second->last_use = ++c.uses;
  return *found->second;
}

void set(Entry& entry, int argument, const std::byte* p) { entry.arguments.at(argument).set_data_handle(handle(p)); }

void set_weights(Entry& entry, const Array& w, std::int64_t groups) {
  entry.arguments.at(DNNL_ARG_WEIGHTS) = packed_weights(w, weights_descriptor(w, groups), entry.weights);
}

void run(Entry& entry) {
  profile::implementation(entry.implementation);
  set(entry, DNNL_ARG_SCRATCHPAD, scratch(entry.scratch_bytes));
  entry.primitive.execute(cpu_stream(), entry.arguments);
}

}  // namespace

kernels::KernelCacheStats& cache_counts() {
  static kernels::KernelCacheStats instance;
  return instance;
}

bool convolution(const Array& x, const Array& w, const Array& b, const Conv2dOptions& options, Array& y,
                 float slope) try {
  const std::lock_guard lock(execution_mutex());
  const Kind kind = b.defined() ? Kind::forward_bias : Kind::forward;
  Entry& entry = find_or_make(kind, types_of(x, b), x.shape(), w.shape(), y.shape(), options, slope);
  if (!entry.is_supported) return false;
  set(entry, DNNL_ARG_SRC, x.bytes());
  set(entry, DNNL_ARG_DST, y.bytes());
  if (b.defined()) set(entry, DNNL_ARG_BIAS, b.bytes());
  set_weights(entry, w, options.groups);
  run(entry);
  return true;
} catch (const dnnl::error& error) {
  fail_library("conv2d", error, x.shape(), w.shape());
}

bool convolution_input_grad(const Array& dy, const Array& w, const Conv2dOptions& options, Array& dx) try {
  const std::lock_guard lock(execution_mutex());
  Entry& entry = find_or_make(Kind::input_grad, types_of(dy), dx.shape(), w.shape(), dy.shape(), options);
  if (!entry.is_supported) return false;
  set(entry, DNNL_ARG_DIFF_SRC, dx.bytes());
  set(entry, DNNL_ARG_DIFF_DST, dy.bytes());
  set_weights(entry, w, options.groups);
  run(entry);
  return true;
} catch (const dnnl::error& error) {
  fail_library("conv2d_input_grad", error, dx.shape(), w.shape());
}

bool convolution_weight_grad(const Array& dy, const Array& x, const Conv2dOptions& options, Array& dw, Array* db) try {
  const std::lock_guard lock(execution_mutex());
  const Kind kind = db != nullptr ? Kind::weight_bias_grad : Kind::weight_grad;
  Entry& entry = find_or_make(kind, types_of(x, db ? *db : Array()), x.shape(), dw.shape(), dy.shape(), options);
  if (!entry.is_supported) return false;
  const bool unpacks = !entry.unpack_arguments.empty();
  set(entry, DNNL_ARG_SRC, x.bytes());
  set(entry, DNNL_ARG_DIFF_DST, dy.bytes());
  if (db != nullptr) set(entry, DNNL_ARG_DIFF_BIAS, db->bytes());
  set(entry, DNNL_ARG_DIFF_WEIGHTS, unpacks ? scratch(entry.scratch_bytes) + entry.packed_begin : dw.bytes());
  run(entry);
  if (unpacks) {
    entry.unpack_arguments.at(DNNL_ARG_TO).set_data_handle(dw.bytes());
    entry.unpack.execute(cpu_stream(), entry.unpack_arguments);
  }
  return true;
} catch (const dnnl::error& error) {
  fail_library("conv2d_weight_grad", error, x.shape(), dw.shape());
}

}  // namespace tandem::onednn

namespace tandem::kernels {

KernelCacheStats kernel_cache_stats() {
  const std::lock_guard lock(onednn::execution_mutex());
  KernelCacheStats stats = onednn::cache_counts();
  stats.primitives = static_cast<std::int64_t>(onednn::cache().entries.size() + onednn::matmul_primitives());
  return stats;
}

void release_kernel_caches() {
  const std::lock_guard lock(onednn::execution_mutex());
  onednn::cache().entries.clear();
  onednn::release_matmul_primitives();
  onednn::release_reorders();
  onednn::release_scratch();
}

}  // namespace tandem::kernels
