// One cached entry per problem, as for convolutions: a call only sets data handles. Bias is a row [1, N] to oneDNN.
#include "matmul.h"

#include <array>
#include <memory>
#include <unordered_map>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/profile.h>
#include <tandem/core/threads.h>

#include "adapter.h"
#include "cache_counts.h"
#include "engine.h"
#include "packed_weights.h"

namespace tandem::onednn {

namespace {

using dnnl::memory;

// threads, types, B, M, K, N, strides of a and of b; those of packed weights are 0
using Key = std::array<std::int64_t, 12>;

struct Entry {
  bool is_supported = false;
  std::string implementation;  // "oneDNN " and the name that it gives
  std::uint64_t last_use = 0;
  dnnl::matmul primitive;
  std::unordered_map<int, memory> arguments;
  Descriptor weights;
  std::size_t scratch_bytes = 0;
};

constexpr std::size_t kMaxEntries = 1024;  // far above any training; bounds a program whose shapes never repeat

struct Cache {
  std::unordered_map<Key, Entry, KeyHash> entries;
  std::uint64_t uses = 0;
};

Cache& cache() {
  static Cache& instance = *new Cache;
  return instance;
}

bool are_weights(const Array& b) { return b.dtype() == DType::f32; }

Key key_of(const Array& a, const Array& b, const Array& bias, const Array& y) {
  const bool batched = a.rank() == 3, packed = are_weights(b);
  const std::int64_t types = packed + 2 * (y.dtype() == DType::f32) + 4 * bias.defined() +
                             8 * (bias.defined() && bias.dtype() == DType::f32) + 16 * batched;
  Key key{threads(),    types,        batched ? a.shape(0) : 1,  a.shape(-2), a.shape(-1), y.shape(-1),
          a.stride(-2), a.stride(-1), batched ? a.stride(0) : 0, 0,           0,           0};
  if (!packed) key[9] = b.stride(-2), key[10] = b.stride(-1), key[11] = batched ? b.stride(0) : 0;
  return key;
}

Descriptor layout_of(const Array& x) {
  const memory::dims dims(x.shape().begin(), x.shape().end()), strides(x.strides().begin(), x.strides().end());
  return {dims, data_type_of(x), strides};
}

Entry make(const Array& a, const Array& b, const Array& bias, const Array& y) {
  Descriptor of_bias;
  if (bias.defined()) {
    const std::int64_t N = y.shape(-1);
    const memory::dims row = y.rank() == 3 ? memory::dims{1, 1, N} : memory::dims{1, N};
    const memory::dims strides = y.rank() == 3 ? memory::dims{N, N, 1} : memory::dims{N, 1};
    of_bias = Descriptor(row, data_type_of(bias), strides);
  }
  const Descriptor of_b = are_weights(b)
                              ? Descriptor({b.shape(0), b.shape(1)}, memory::data_type::bf16, memory::format_tag::any)
                              : layout_of(b);
  Entry entry;
  try {
    const auto description = describe_matmul(cpu_engine(), layout_of(a), of_b, of_bias, layout_of(y));
    entry.primitive = dnnl::matmul(description);
    entry.weights = description.weights_desc();
    const auto add = [&entry](int argument, const Descriptor& layout) {
      entry.arguments.emplace(argument, memory(layout, cpu_engine(), nullptr));
    };
    add(DNNL_ARG_SRC, description.src_desc());
    add(DNNL_ARG_WEIGHTS, entry.weights);
    if (bias.defined()) add(DNNL_ARG_BIAS, of_bias);
    add(DNNL_ARG_DST, description.dst_desc());
    add(DNNL_ARG_SCRATCHPAD, description.scratchpad_desc());
    entry.scratch_bytes = description.scratchpad_desc().get_size();
    entry.is_supported = true;
    entry.implementation = fmt::format("oneDNN {}", description.impl_info_str());
    ++cache_counts().primitives_created;
    profile::created_primitive();
  } catch (const dnnl::error& error) {
    if (error.status != dnnl_unimplemented) throw;
    entry = Entry();
  }
  return entry;
}

Entry& find_or_make(const Array& a, const Array& b, const Array& bias, const Array& y) {
  Cache& c = cache();
  const Key key = key_of(a, b, bias, y);
  auto found = c.entries.find(key);
  if (found == c.entries.end()) {
    Entry entry = make(a, b, bias, y);  // what cannot be made leaves no trace
    if (c.entries.size() >= kMaxEntries) {
      auto oldest = c.entries.begin();
      for (auto it = c.entries.begin(); it != c.entries.end(); ++it)
        if (it->second.last_use < oldest->second.last_use) oldest = it;
      c.entries.erase(oldest);
    }
    found = c.entries.emplace(key, std::move(entry)).first;
  }
  found->second.last_use = ++c.uses;
  return found->second;
}

}  // namespace

bool matmul(const Array& a, const Array& b, const Array& bias, Array& y) try {
  const std::lock_guard lock(execution_mutex());
  Entry& entry = find_or_make(a, b, bias, y);
  if (!entry.is_supported) return false;
  const auto set = [&entry](int argument, const std::byte* data) {
    entry.arguments.at(argument).set_data_handle(handle(data));
  };
  set(DNNL_ARG_SRC, a.bytes());
  if (are_weights(b))
    entry.arguments.at(DNNL_ARG_WEIGHTS) = packed_weights(b, layout_of(b), entry.weights);
  else
    set(DNNL_ARG_WEIGHTS, b.bytes());
  if (bias.defined()) set(DNNL_ARG_BIAS, bias.bytes());
  set(DNNL_ARG_DST, y.bytes());
  set(DNNL_ARG_SCRATCHPAD, scratch(entry.scratch_bytes));
  profile::implementation(entry.implementation);
  entry.primitive.execute(cpu_stream(), entry.arguments);
  return true;
} catch (const dnnl::error& error) {
  fail("matmul", fmt::format("oneDNN failed: {} (status {})", error.message, static_cast<int>(error.status)),
       fmt::format("a {}, b {}", a.shape().to_string(), b.shape().to_string()));
}

std::size_t matmul_primitives() { return cache().entries.size(); }
void release_matmul_primitives() { cache().entries.clear(); }

}  // namespace tandem::onednn
