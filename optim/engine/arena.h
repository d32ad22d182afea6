// Arena: the parameters of one group side by side in one Buffer, their gradients in another. Private to optim/.
//
//   weights    | conv1.weight | pad | conv2.weight | pad | ... | bn1.weight | pad | ...   ranks above 1 first, 64-byte
//   slots gradients  the same places; a gradient that has not arrived holds old numbers, the padding zeros
//
// Binding moves Storages, so every handle to a parameter stays valid. When the arena goes, parameters keep living in
// its memory and may be bound again.
#pragma once

#include <string>
#include <vector>

#include <tandem/autograd/named_tensor.h>
#include <tandem/core/io/safetensors.h>
#include <tandem/optim/engine/frame.h>

namespace tandem {

/// One parameter in its slot, in elements of the arena.
struct Slot {
  std::string name;
  Tensor tensor;
  std::vector<std::string> aliases = {};  ///< other names of a tied parameter
  std::int64_t begin = 0, end = 0, padded_end = 0;
  std::uint64_t version = 0;  ///< of the Storage, as the optimizer left it
  const Storage* storage = nullptr;
};

/// The slots of a group: distinct parameters that require a gradient, in the order of the arena; the others go to
/// `frozen`. Throws Error when one cannot be bound, or when the group mixes dtypes.
std::vector<Slot> collect_slots(const NamedTensors& parameters, NamedTensors& frozen);

class Arena {
 public:
  /// Binds; `owner` marks the parameters until the arena goes.
  Arena(std::vector<Slot> slots, const void* owner);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  const Frame& frame() const { return frame_; }
  void set_watch(GroupWatch* watch) { frame_.watch = watch; }
  void set_workers(Workers* workers) { frame_.workers = workers; }
  void split_syncs(bool on) { frame_.splits_syncs = on; }
  const std::vector<Slot>& slots() const { return slots_; }
  template <class T>
  T* weights() const {
    return reinterpret_cast<T*>(weights_->data());
  }
  template <class T>
  T* gradients() const {
    return static_cast<T*>(static_cast<void*>(gradients_->data()));
  }

  /// All weights, padding included.
  Array weights_array() const;
  Array gradients_array() const;

  void zero_grad();
  /// Writes zeros where no gradient has arrived.
  void fill_missing_gradients();
  /// Finds the runs of parameters whose gradient has arrived. Throws Error when a parameter's memory was replaced.
  void gather_arrived();
  /// Gradients count as arrived that did when gather_arrived() looked.
  void set_arrived();
  /// Someone else changed a parameter since the last mark_changed() or accept_changes().
  bool is_changed() const;
  void accept_changes();
  /// The optimizer has written into all parameters, or those with a gradient.
  void mark_changed(bool all);
  /// Sets TensorState::locked of all parameters; null unlocks.
  void lock(const char* reason);

  /// The part of a buffer of the arena's size that belongs to a slot, with the shape of its parameter.
  Array view(const Array& flat, const Slot& slot) const;

 private:
  void append(std::vector<Interval>& runs, const Slot& slot) const;

  std::vector<Slot> slots_;
  Frame frame_;
  std::shared_ptr<Buffer> weights_, gradients_;
};

}  // namespace tandem
