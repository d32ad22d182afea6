// Paints one picture of the synthetic set: ground, clutter, shadow, object, something in front, light, grain.
// Private to data. Shapes stand in solids.h. Nothing in it depends on threads, and with -ffp-contract=off (see
// CMakeLists.txt) nothing on the instruction set: a seed means the same bytes everywhere.
#pragma once

#include <cstdint>

#include <tandem/core/generator.h>

namespace tandem {

inline constexpr std::int64_t kSceneSide = 32;
inline constexpr std::int64_t kSceneClasses = 10;

/// Writes pixels u8 [32, 32, 3] of a scene whose object is the solid number `kind` (see synthetic_classes).
void paint_scene(int kind, Generator generator, std::uint8_t* pixels);

/// The same solids as they are easiest to tell apart: one in the middle, nearly upright, large, on an even ground.
void paint_solid_alone(int kind, Generator generator, std::uint8_t* pixels);

}  // namespace tandem
