// plane.safetensors of a survey that is not finished: the plane, the weights of its paths and the running statistics
// that belong to them, for every process that measures. It goes when all is measured.
#pragma once

#include <filesystem>
#include <vector>

#include "plane.h"
#include "weights.h"

namespace tandem::landscape {

struct PlaneFile {
  Plane plane;
  NamedArrays buffers;          ///< of every node of the grid
  std::vector<Weights> points;  ///< of paths, in the order of tasks
};

std::filesystem::path plane_path(const std::filesystem::path& folder);
void save_plane(const std::filesystem::path& folder, const PlaneFile& file);
/// Throws Error when it is missing or damaged.
PlaneFile load_plane(const std::filesystem::path& folder);

}  // namespace tandem::landscape
