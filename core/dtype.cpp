// Names of the element types. See dtype.h.
#include <tandem/core/dtype.h>

namespace tandem {

std::string_view name(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "f32";
    case DType::bf16:
      return "bf16";
    case DType::f64:
      return "f64";
    case DType::i64:
      return "i64";
    case DType::u8:
      break;
  }
  return "u8";
}

}  // namespace tandem
