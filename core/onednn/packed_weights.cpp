// The table of packed copies. Buffers, not Storages, hold the copies, so that dropping one never re-enters the reaper.
#include "packed_weights.h"

#include <memory>
#include <unordered_map>
#include <vector>

#include <tandem/core/profile.h>

#include "cache_counts.h"
#include "engine.h"

namespace tandem::onednn {

namespace {

struct PackedCopy {
  std::int64_t offset = 0;
  Descriptor source_layout, wanted;
  std::uint64_t version = 0;
  std::unique_ptr<Buffer> buffer;  // none where the weights' own memory has the layout
  dnnl::memory source, packed;
  dnnl::reorder pack;
  std::unordered_map<int, dnnl::memory> arguments;
};

using Copies = std::unordered_map<std::uint64_t, std::vector<PackedCopy>>;

Copies& copies() {
  static Copies& instance = *new Copies;
  return instance;
}

void drop(std::uint64_t id) {
  const std::lock_guard lock(execution_mutex());
  const auto found = copies().find(id);
  if (found == copies().end()) return;
  for (const PackedCopy& copy : found->second) cache_counts().packed_copies -= copy.buffer ? 1 : 0;
  copies().erase(found);
}

/// A reorder serves all weights of its two layouts: also those that are made anew in every step, as widened copies are.
struct Reorder {
  Descriptor from, to;
  dnnl::reorder primitive;
};

constexpr std::size_t kMostReorders = 256;  // far above any training; bounds a program whose shapes never repeat

std::vector<Reorder>& reorders() {
  static std::vector<Reorder>& instance = *new std::vector<Reorder>;
  return instance;
}

dnnl::reorder reorder_between(const dnnl::memory& from, const dnnl::memory& to) {
  for (const Reorder& known : reorders())
    if (known.from == from.get_desc() && known.to == to.get_desc()) return known.primitive;
  if (reorders().size() >= kMostReorders) reorders().clear();
  ++cache_counts().primitives_created;
  profile::created_primitive();
  return reorders().emplace_back(Reorder{from.get_desc(), to.get_desc(), dnnl::reorder(from, to)}).primitive;
}

PackedCopy make_copy(const Array& w, const Descriptor& layout, const Descriptor& wanted) {
  PackedCopy copy;
  copy.offset = w.offset();
  copy.source_layout = layout;
  copy.wanted = wanted;
  copy.version = w.version() + 1;  // any other: the first use packs
  copy.source = dnnl::memory(layout, cpu_engine(), handle(w.bytes()));
  if (layout == wanted) return copy;
  copy.buffer = std::make_unique<Buffer>(wanted.get_size());
  copy.packed = dnnl::memory(wanted, cpu_engine(), copy.buffer->data());
  copy.pack = reorder_between(copy.source, copy.packed);
  copy.arguments = {{DNNL_ARG_FROM, copy.source}, {DNNL_ARG_TO, copy.packed}};
  ++cache_counts().packed_copies;
  return copy;
}

}  // namespace

dnnl::memory::dims weights_dims(const Shape& w, std::int64_t groups) {
  if (groups == 1) return {w[0], w[1], w[2], w[3]};
  return {groups, w[0] / groups, w[1], w[2], w[3]};
}

Descriptor weights_descriptor(const Array& w, std::int64_t groups) {
  const Strides& s = w.strides();
  dnnl::memory::dims strides{s[0], s[1], s[2], s[3]};
  if (groups > 1) strides.insert(strides.begin(), s[0] * (w.shape(0) / groups));
  return {weights_dims(w.shape(), groups), data_type_of(w), strides};
}

dnnl::memory::data_type data_type_of(const Array& x) {
  return x.dtype() == DType::bf16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}

dnnl::memory packed_weights(const Array& w, const Descriptor& layout, const Descriptor& wanted) {
  [[maybe_unused]] static const bool registered = (set_packed_copy_reaper(drop), true);
  std::vector<PackedCopy>& list = copies()[w.storage()->id()];
  PackedCopy* copy = nullptr;
  for (PackedCopy& candidate : list)
    if (candidate.offset == w.offset() && candidate.wanted == wanted && candidate.source_layout == layout)
      copy = &candidate;
  if (copy == nullptr) {
    w.storage()->set_has_packed_copies();
    copy = &list.emplace_back(make_copy(w, layout, wanted));
  }
  if (!copy->buffer || copy->version != w.version()) copy->source.set_data_handle(handle(w.bytes()));
  if (!copy->buffer) return copy->source;
  if (copy->version != w.version()) {
    const profile::RepackScope repack;
    copy->pack.execute(cpu_stream(), copy->arguments);
    copy->version = w.version();
    ++cache_counts().packings;
  }
  return copy->packed;
}

void release_reorders() { reorders().clear(); }

}  // namespace tandem::onednn
