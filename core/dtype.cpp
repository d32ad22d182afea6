// Names of the element types and the table of promotions. See dtype.h.
#include <cmath>

#include <tandem/core/dtype.h>

namespace tandem {

namespace {

using enum DType;

constexpr std::string_view kNames[kDTypeCount] = {"f32", "bf16", "f64", "i64", "u8", "f16", "i32", "i8", "bool"};

// Rows and columns in the order of DType.
constexpr DType kPromotions[kDTypeCount][kDTypeCount] = {
    // f32  bf16  f64  i64   u8   f16  i32   i8   bool
    {f32, f32, f64, f32, f32, f32, f32, f32, f32},        // f32
    {f32, bf16, f64, bf16, bf16, f32, bf16, bf16, bf16},  // bf16
    {f64, f64, f64, f64, f64, f64, f64, f64, f64},        // f64
    {f32, bf16, f64, i64, i64, f16, i64, i64, i64},       // i64
    {f32, bf16, f64, i64, u8, f16, i32, i32, u8},         // u8
    {f32, f32, f64, f16, f16, f16, f16, f16, f16},        // f16
    {f32, bf16, f64, i64, i32, f16, i32, i32, i32},       // i32
    {f32, bf16, f64, i64, i32, f16, i32, i8, i8},         // i8
    {f32, bf16, f64, i64, u8, f16, i32, i8, boolean},     // bool
};

// What counts more (dims) and what counts less (a number or rank 0): only a higher kind changes the first.
DType with_lesser(DType more, DType less) {
  if (is_floating(more)) return more;
  return more == boolean || is_floating(less) ? promote(more, less) : more;
}

}  // namespace

std::string_view name(DType dtype) { return kNames[static_cast<std::size_t>(dtype)]; }

bool are_booleans(const std::byte* bytes, std::size_t n) {
  auto seen = std::byte{0};
  for (std::size_t i = 0; i < n; ++i) seen |= bytes[i];
  return seen <= std::byte{1};
}

DType promote(DType a, DType b) { return kPromotions[static_cast<std::size_t>(a)][static_cast<std::size_t>(b)]; }

DType result_type(DType a, int rank_a, DType b, int rank_b) {
  if ((rank_a == 0) == (rank_b == 0)) return promote(a, b);
  return rank_b == 0 ? with_lesser(a, b) : with_lesser(b, a);
}

DType result_type(DType x, double c) { return with_lesser(x, c == std::trunc(c) && std::isfinite(c) ? i64 : f32); }

}  // namespace tandem
