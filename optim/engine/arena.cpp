// Checking, ordering and moving parameters; the bookkeeping of gradients and versions. See arena.h.
#include <tandem/optim/engine/arena.h>

#include <algorithm>
#include <cassert>
#include <cstring>

#include <fmt/format.h>

#include <tandem/core/capture.h>
#include <tandem/core/error.h>

namespace tandem {
namespace {

constexpr std::size_t kSlotBytes = 64;

std::size_t padded(std::size_t bytes) { return (bytes + kSlotBytes - 1) / kSlotBytes * kSlotBytes; }

std::size_t bytes_of(const Array& x) { return static_cast<std::size_t>(x.size()) * size_of(x.dtype()); }

[[noreturn]] void refuse(const std::string& name, std::string_view what, std::string_view facts = {},
                         std::string_view remedy = {}) {
  fail("optimizer", fmt::format("parameter \"{}\" {}", name, what), facts, remedy);
}

void check_parameter(const NamedTensor& parameter) {
  const Tensor& tensor = parameter.tensor;
  if (!tensor.defined()) refuse(parameter.name, "is not defined");
  if (!tensor.is_leaf()) refuse(parameter.name, "is the result of an op", {}, "bind the leaf it was computed from");
  const Array& value = tensor.value();
  if (value.dtype() != DType::f32 && value.dtype() != DType::f64) {
    refuse(parameter.name, fmt::format("is {}, must be f32 or f64", name(value.dtype())));
  }
  if (value.offset() != 0 || !value.is_dense() || padded(value.storage()->bytes()) != padded(bytes_of(value))) {
    refuse(parameter.name, "is a view of larger memory",
           fmt::format("shape {}, strides {}", value.shape().to_string(), value.strides().to_string()),
           "make it from value().clone()");
  }
  if (tensor.state()->owner != nullptr) {
    refuse(parameter.name, "belongs to another live Optimizer", {}, "give several rules to one Optimizer as groups");
  }
}

}  // namespace

std::vector<Slot> collect_slots(const NamedTensors& parameters, NamedTensors& frozen) {
  std::vector<Slot> slots;
  for (const NamedTensor& parameter : parameters) {
    check_parameter(parameter);
    if (!parameter.tensor.requires_grad()) {
      frozen.push_back(parameter);
      continue;
    }
    const auto known = std::find_if(slots.begin(), slots.end(),
                                    [&](const Slot& s) { return s.tensor.state() == parameter.tensor.state(); });
    if (known != slots.end()) {
      known->aliases.push_back(parameter.name);
      continue;
    }
    for (const Slot& other : slots) {
      if (other.name == parameter.name) refuse(parameter.name, "appears twice with different values");
      if (other.tensor.value().storage() == parameter.tensor.value().storage()) {
        refuse(parameter.name, fmt::format("shares the memory of \"{}\"", other.name), {},
               "tie parameters by sharing the Tensor");
      }
      if (other.tensor.dtype() != parameter.tensor.dtype()) {
        refuse(parameter.name, fmt::format("is {}", name(parameter.tensor.dtype())),
               fmt::format("\"{}\" is {}", other.name, name(other.tensor.dtype())), "make a group of each dtype");
      }
    }
    slots.push_back({parameter.name, parameter.tensor});
  }
  std::stable_partition(slots.begin(), slots.end(), [](const Slot& s) { return s.tensor.rank() > 1; });
  return slots;
}

Arena::Arena(std::vector<Slot> slots, const void* owner) : slots_(std::move(slots)) {
  const DType dtype = slots_.empty() ? DType::f32 : slots_.front().tensor.dtype();
  const std::size_t element = size_of(dtype);
  std::size_t bytes = 0;
  for (Slot& slot : slots_) {
    slot.begin = static_cast<std::int64_t>(bytes / element);
    slot.end = slot.begin + slot.tensor.size();
    bytes += padded(std::max(bytes_of(slot.tensor.value()), slot.tensor.value().storage()->bytes()));
    slot.padded_end = static_cast<std::int64_t>(bytes / element);
  }
  weights_ = std::make_shared<Buffer>(std::max(bytes, kSlotBytes));
  gradients_ = std::make_shared<Buffer>(std::max(bytes, kSlotBytes));
  std::memset(weights_->data(), 0, weights_->bytes());
  std::memset(gradients_->data(), 0, gradients_->bytes());
  frame_.size = static_cast<std::int64_t>(bytes / element);
  frame_.dtype = dtype;
  frame_.all.reserve(2);
  frame_.arrived.reserve(slots_.size() + 1);
  frame_.has_gradient.reserve(slots_.size());

  for (Slot& slot : slots_) {
    TensorState& state = *slot.tensor.state();
    const Array& value = state.value;
    const std::size_t begin = static_cast<std::size_t>(slot.begin) * element;
    value.storage()->move_to(weights_, begin);
    Array grad = Array::over(std::make_shared<Storage>(gradients_, begin, bytes_of(value)), value.shape(),
                             value.strides(), dtype);
    if (state.grad_arrived) grad.copy_from(state.grad);
    state.grad = std::move(grad);
    state.grad_bound = true;
    state.owner = owner;
    slot.storage = value.storage().get();
    append(frame_.all, slot);
    frame_.parameters.push_back({slot.name, value.shape(), value.strides()});
    frame_.tensors.push_back({slot.begin, slot.end, slot.tensor.rank() > 1});
  }
  capture::grow_older();
  accept_changes();
}

Arena::~Arena() {
  for (Slot& slot : slots_) {
    TensorState& state = *slot.tensor.state();
    state.owner = nullptr;
    state.locked = nullptr;
    state.grad_bound = false;
    if (!state.grad_arrived) state.grad = Array{};
  }
}

void Arena::append(std::vector<Interval>& runs, const Slot& slot) const {
  const bool is_decayed = slot.tensor.rank() > 1;
  if (!runs.empty() && runs.back().end == slot.begin && runs.back().is_decayed == is_decayed) {
    runs.back().end = slot.padded_end;
  } else {
    runs.push_back({slot.begin, slot.padded_end, is_decayed});
  }
}

Array Arena::weights_array() const {
  return Array::over(std::make_shared<Storage>(weights_, 0, weights_->bytes()), {frame_.size}, {1}, frame_.dtype);
}
Array Arena::gradients_array() const {
  return Array::over(std::make_shared<Storage>(gradients_, 0, gradients_->bytes()), {frame_.size}, {1}, frame_.dtype);
}

void Arena::set_arrived() {
  for (std::size_t i = 0; i < slots_.size(); ++i) slots_[i].tensor.state()->grad_arrived = frame_.has_gradient[i] != 0;
}

void Arena::zero_grad() {
  for (Slot& slot : slots_) slot.tensor.state()->grad_arrived = false;
}

void Arena::fill_missing_gradients() {
  const std::size_t element = size_of(frame_.dtype);
  for (const Slot& slot : slots_) {
    if (slot.tensor.state()->grad_arrived) continue;
    std::memset(static_cast<std::byte*>(static_cast<void*>(gradients_->data())) +
                    static_cast<std::size_t>(slot.begin) * element,
                0, static_cast<std::size_t>(slot.end - slot.begin) * element);
  }
}

void Arena::gather_arrived() {
  frame_.arrived.clear();
  frame_.has_gradient.clear();
  for (const Slot& slot : slots_) {
    const TensorState& state = *slot.tensor.state();
    if (state.value.storage().get() != slot.storage) {
      refuse(slot.name, "has other memory than when it was bound", {}, "write into a parameter with copy_from");
    }
    frame_.has_gradient.push_back(state.grad_arrived ? 1 : 0);
    if (state.grad_arrived) append(frame_.arrived, slot);
  }
}

bool Arena::is_changed() const {
  return std::any_of(slots_.begin(), slots_.end(), [](const Slot& slot) {
    const Array& value = slot.tensor.value();
    return value.storage().get() == slot.storage && value.version() != slot.version;
  });
}

void Arena::accept_changes() {
  for (Slot& slot : slots_) slot.version = slot.tensor.value().version();
}

void Arena::mark_changed(bool all) {
  for (Slot& slot : slots_) {
    TensorState& state = *slot.tensor.state();
    if (!all && !state.grad_arrived) continue;
    state.value.mark_changed();
    slot.version = state.value.version();
  }
}

void Arena::lock(const char* reason) {
  for (Slot& slot : slots_) slot.tensor.state()->locked = reason;
}

Array Arena::view(const Array& flat, const Slot& slot) const {
  const Array& value = slot.tensor.value();
  return Array::over(flat.storage(), value.shape(), value.strides(), flat.dtype(), slot.begin);
}

}  // namespace tandem
