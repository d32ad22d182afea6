// The ten solids as signed distances: how far a point lies outside (> 0) or inside (< 0) of an outline, in units of the
// solid's size. Branch-free, so that a row of pixels is computed in vector registers (formulas after Quilez, "2D
// distance functions"). Private to data; scene.cpp inflates the outlines and lights them.
#pragma once

#include <cstdint>

namespace tandem {

/// Where a solid stands in the picture: p_solid = turn(p_pixel - centre) / (size * stretch).
struct Pose {
  float x = 0, y = 0;          ///< centre, pixels
  float size = 1;              ///< pixels per unit
  float cosine = 1, sine = 0;  ///< of the turn
  float stretch = 1;           ///< of the solid's own x axis; its y axis is shrunk as much
};

inline constexpr std::int64_t kGridSide = 34;  ///< a border of one pixel round the picture, for gradients

/// distance[34 * 34]: signed distances of all pixel centres, in pixels.
void solid_distances(int kind, const Pose& pose, float* distance);

/// How deep the inside of a solid is, in units of its size: the depth from which its surface is flat.
float solid_depth(int kind);

}  // namespace tandem
