// Weights of a model as one vector: its parameters in their order, each in logical order; and read from the files in
// which they lie. Not here: planes through them (plane.h), how a run gives them (path.h).
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include <tandem/core/io/safetensors.h>
#include <tandem/nn/module.h>

namespace tandem::landscape {

/// A point of the space of weights, and the running statistics that belong to it.
struct Weights {
  std::vector<float> values;
  NamedArrays buffers;
};

Weights weights_of(const nn::Module& model);

/// Of a model file, a checkpoint of a run, or any safetensors file with the names of `like`. Throws Error naming the
/// file when an entry is missing or of another shape.
Weights read_weights(const std::filesystem::path& path, const nn::Module& like);

/// Throws Error when the sizes differ.
void put_values(nn::Module& model, std::span<const float> values);
void put_buffers(nn::Module& model, const NamedArrays& buffers);

}  // namespace tandem::landscape
