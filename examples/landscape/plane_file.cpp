// origin, first, second; buffers/NAME; points/N, points/N/buffers/NAME.
#include "plane_file.h"

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/tree.h>

namespace tandem::landscape {
namespace {

template <class T>
Array array_of(const std::vector<T>& values) {
  return Array::from(values, {static_cast<std::int64_t>(values.size())});
}

}  // namespace

std::filesystem::path plane_path(const std::filesystem::path& folder) { return folder / "plane.safetensors"; }

void save_plane(const std::filesystem::path& folder, const PlaneFile& file) {
  NamedArrays arrays = {{"origin", array_of(file.plane.origin)}, {"first", array_of(file.plane.first)}};
  if (!file.plane.is_line()) arrays.push_back({"second", array_of(file.plane.second)});
  graft(arrays, "buffers/", file.buffers);
  for (std::size_t i = 0; i < file.points.size(); ++i) {
    arrays.push_back({fmt::format("points/{}", i), array_of(file.points[i].values)});
    graft(arrays, fmt::format("points/{}/buffers/", i), file.points[i].buffers);
  }
  save_safetensors(plane_path(folder), arrays, {{"points", std::to_string(file.points.size())}});
}

PlaneFile load_plane(const std::filesystem::path& folder) {
  const Safetensors read = load_safetensors(plane_path(folder));
  const auto vector_of = [&]<class T>(const std::string& name, std::vector<T>& values) {
    const Array* const array = read.find(name);
    if (array == nullptr) fail(plane_path(folder).string(), fmt::format("\"{}\" is missing", name));
    values = array->to_vector<T>();
  };
  PlaneFile file;
  vector_of("origin", file.plane.origin);
  vector_of("first", file.plane.first);
  if (read.find("second") != nullptr) vector_of("second", file.plane.second);
  file.buffers = subtree(read.arrays, "buffers/");
  for (std::size_t i = 0; read.find(fmt::format("points/{}", i)) != nullptr; ++i) {
    file.points.emplace_back();
    vector_of(fmt::format("points/{}", i), file.points.back().values);
    file.points.back().buffers = subtree(read.arrays, fmt::format("points/{}/buffers/", i));
  }
  return file;
}

}  // namespace tandem::landscape
