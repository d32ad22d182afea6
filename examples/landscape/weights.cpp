// Copies in logical order, whatever the memory order of a parameter is.
#include "weights.h"

#include <fmt/format.h>

#include <algorithm>

#include <tandem/core/error.h>
#include <tandem/core/tree.h>

namespace tandem::landscape {
namespace {

void append(std::vector<float>& values, const Array& array) {
  const Array plain = array.to(DType::f32).contiguous();
  values.insert(values.end(), plain.data<float>(), plain.data<float>() + plain.size());
}

const Array& entry(const std::filesystem::path& path, const NamedArrays& arrays, const NamedTensor& wanted) {
  const Array* found = find_array(arrays, wanted.name);
  if (found == nullptr) fail(path.string(), fmt::format("\"{}\" is missing", wanted.name), "the model has it");
  if (found->shape() != wanted.tensor.shape())
    fail(path.string(), fmt::format("\"{}\" is {}", wanted.name, to_string(found->shape())),
         fmt::format("the model has {}", to_string(wanted.tensor.shape())));
  return *found;
}

}  // namespace

Weights weights_of(const nn::Module& model) {
  Weights weights;
  for (const NamedTensor& parameter : model.parameters()) append(weights.values, parameter.tensor.value());
  for (const NamedTensor& buffer : model.buffers())
    weights.buffers.push_back({buffer.name, buffer.tensor.value().clone()});
  return weights;
}

Weights read_weights(const std::filesystem::path& path, const nn::Module& like) {
  const Safetensors file = load_safetensors(path);
  NamedArrays arrays = subtree(file.arrays, "model/");  // of a checkpoint
  if (arrays.empty()) arrays = file.arrays;
  Weights weights;
  for (const NamedTensor& parameter : like.parameters()) append(weights.values, entry(path, arrays, parameter));
  for (const NamedTensor& buffer : like.buffers())
    weights.buffers.push_back({buffer.name, entry(path, arrays, buffer).clone()});
  return weights;
}

void put_values(nn::Module& model, std::span<const float> values) {
  std::size_t at = 0;
  for (NamedTensor& parameter : model.parameters()) {
    const auto size = static_cast<std::size_t>(parameter.tensor.size());
    if (at + size > values.size())
      fail("weights", fmt::format("{} numbers", values.size()),
           fmt::format("the model has {}", model.parameter_count()));
    Array row = Array::empty(parameter.tensor.shape());
    std::copy_n(values.data() + at, size, row.data<float>());
    parameter.tensor.mutable_value().copy_from(row);
    at += size;
  }
  if (at != values.size())
    fail("weights", fmt::format("{} numbers", values.size()), fmt::format("the model has {}", at));
}

void put_buffers(nn::Module& model, const NamedArrays& buffers) {
  for (NamedTensor& buffer : model.buffers()) {
    const Array* found = find_array(buffers, buffer.name);
    if (found == nullptr) fail("weights", fmt::format("the buffer \"{}\" is missing", buffer.name));
    buffer.tensor.mutable_value().copy_from(*found);
  }
}

}  // namespace tandem::landscape
