// The element types of an Array, their names and sizes, and the type that two of them are promoted to.
// Not here: bfloat16 and float16 themselves (narrow_float.h), conversion between Arrays (Array::to).
// Read next: shape.h, array.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>

#include <tandem/core/narrow_float.h>

namespace tandem {

/// f32 for work, bf16 and f16 for speed, f64 for truth (gradcheck), i64 for indices and labels, u8 for images as
/// stored, i32 and i8 as others store indices and quantised weights, boolean ("bool") for what comparisons find.
enum class DType : std::uint8_t { f32, bf16, f64, i64, u8, f16, i32, i8, boolean };

/// The C++ types of the DTypes, in their order.
using ElementTypes =
    std::tuple<float, bfloat16, double, std::int64_t, std::uint8_t, float16, std::int32_t, std::int8_t, bool>;
inline constexpr std::size_t kDTypeCount = std::tuple_size_v<ElementTypes>;

namespace detail {
template <class T, std::size_t i = 0>
constexpr DType find_dtype() {
  static_assert(i < kDTypeCount, "not an element type of an Array");
  if constexpr (std::is_same_v<T, std::tuple_element_t<i, ElementTypes>>)
    return static_cast<DType>(i);
  else
    return find_dtype<T, i + 1>();
}
}  // namespace detail

/// The DType of a C++ type: dtype_of<float> == DType::f32.
template <class T>
inline constexpr DType dtype_of = detail::find_dtype<T>();

/// Calls f(T{}) with the C++ type of dtype; f is a generic lambda over all types.
template <class F>
constexpr decltype(auto) visit_dtype(DType dtype, F&& f) {
  switch (dtype) {
    case DType::f32:
      return f(float{});
    case DType::bf16:
      return f(bfloat16{});
    case DType::f64:
      return f(double{});
    case DType::i64:
      return f(std::int64_t{});
    case DType::u8:
      return f(std::uint8_t{});
    case DType::f16:
      return f(float16{});
    case DType::i32:
      return f(std::int32_t{});
    case DType::i8:
      return f(std::int8_t{});
    case DType::boolean:
      break;
  }
  return f(bool{});
}

/// Bytes of one element.
constexpr std::size_t size_of(DType dtype) {
  return visit_dtype(dtype, [](auto element) { return sizeof element; });
}

/// "f32", "bf16", "f64", "i64", "u8", "f16", "i32", "i8" or "bool".
std::string_view name(DType dtype);

constexpr bool is_floating(DType dtype) {
  return dtype == DType::f32 || dtype == DType::bf16 || dtype == DType::f64 || dtype == DType::f16;
}

/// True for f32, f64 and i64, the types that elements are computed in, and for no other.
constexpr bool is_work(DType dtype) { return dtype == DType::f32 || dtype == DType::f64 || dtype == DType::i64; }

/// The type that elements of this one are computed in: f32 for bf16 and f16, i64 for whole numbers and bool.
constexpr DType work_dtype(DType dtype) {
  if (dtype == DType::f64) return dtype;
  return is_floating(dtype) ? DType::f32 : DType::i64;
}

/// True when all of these bytes are 0 or 1, as those of a boolean Array must be: files may hold others.
bool are_booleans(const std::byte* bytes, std::size_t n);

/// The type that holds both, as torch.promote_types: bool < whole numbers < floats, and bf16 with f16 is f32. PyTorch's
/// i16 for u8 with i8 is i32 here.
DType promote(DType a, DType b);

/// The type of a result of two operands, as torch.result_type: an operand of rank 0 counts only when it is of a higher
/// kind (bool, whole, float) than one that has dims: f32 [3] and f64 [] are f32.
DType result_type(DType a, int rank_a, DType b, int rank_b);

/// The type of a result of x and a number. A whole number fits every dtype but bool, which becomes i64; any other makes
/// whole numbers f32.
DType result_type(DType x, double c);

}  // namespace tandem
