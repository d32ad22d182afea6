// Array: n-dimensional numbers. A handle; copies share the Storage. transpose, permute and slice are views.
// It knows no gradients (autograd/tensor.h does). Computing on Arrays: core/kernels.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include <tandem/core/dtype.h>
#include <tandem/core/shape.h>
#include <tandem/core/storage.h>

namespace tandem {

namespace capture {
class Tape;
namespace detail {
extern constinit thread_local Tape* tape;  // capture.h
void give_to_write(const Storage& storage);
}  // namespace detail
}  // namespace capture

/// How a new Array lays out its elements. channels_last: shape reads [N, C, H, W], memory is N, H, W, C (rank 4 only;
/// other ranks are row major).
enum class Layout { row_major, channels_last };

class Array {
 public:
  /// An undefined Array: defined() is false; what describes it is that of a scalar f32, everything else throws Error.
  Array() = default;
  // Assigning to a handle that a function returned would be lost: it does not compile.
  Array(const Array&) = default;
  Array(Array&&) noexcept = default;
  Array& operator=(const Array&) & = default;
  Array& operator=(Array&&) & noexcept = default;
  ~Array() = default;

  /// Not initialised. Throws Error for a negative size, or more bytes than an address can count.
  static Array empty(const Shape& shape, DType dtype = DType::f32, Layout layout = Layout::row_major);
  /// Not initialised, shape and memory order of `like` (dense), another dtype if given.
  static Array empty_like(const Array& like);
  static Array empty_like(const Array& like, DType dtype);
  static Array zeros(const Shape& shape, DType dtype = DType::f32, Layout layout = Layout::row_major);
  static Array full(const Shape& shape, double value, DType dtype = DType::f32);
  /// 0, 1, ..., n-1. Throws Error when n is negative.
  static Array arange(std::int64_t n, DType dtype = DType::i64);
  /// Copies `values` in row-major order. Throws Error when their number is not shape.count().
  template <class T>
  static Array from(const std::vector<T>& values, const Shape& shape);
  static Array from(std::initializer_list<double> values, const Shape& shape, DType dtype = DType::f32);
  static Array scalar(double value, DType dtype = DType::f32);
  /// An Array over a Storage that exists; its elements lie within it.
  static Array over(std::shared_ptr<Storage> storage, const Shape& shape, const Strides& strides, DType dtype,
                    std::int64_t offset = 0);

  bool defined() const { return storage_ != nullptr; }
  const Shape& shape() const { return shape_; }
  const Strides& strides() const { return strides_; }
  std::int64_t shape(int dim) const { return shape_[dim]; }
  std::int64_t stride(int dim) const { return strides_[dim]; }
  int rank() const { return shape_.rank(); }
  std::int64_t size() const {
    if (!storage_) fail_undefined();
    return shape_.count();
  }
  DType dtype() const { return dtype_; }

  /// Row major without gaps; without elements, any strides.
  bool is_contiguous() const;
  /// Rank 4 with the memory order N, H, W, C, without gaps. Where C = 1 or H = W = 1 both layouts are the same memory
  /// and both predicates hold.
  bool is_channels_last() const;
  /// Some order of its dims is without gaps and overlaps.
  bool is_dense() const;
  /// channels_last when the strides say so and cannot be read as row major; see layout.h for the one rule.
  Layout layout() const;

  /// The first element. Throws Error when T is not the dtype. Of a const Array the memory is to be read; of others who
  /// made them writes there before handing them on, and takes write(), or mark_changed(), after that.
  template <class T>
  const T* data() const;
  template <class T>
  T* data();
  /// data(), to be written: marks the change.
  template <class T>
  T* write();
  /// data() of any dtype.
  const std::byte* bytes() const { return first_byte(); }
  std::byte* bytes() {
    note_writer();
    return first_byte();
  }

  // Views: they share the Storage. Throw Error with the shapes when they do not fit.
  /// A view where strides allow, else a copy; one size may be -1. Follows the logical order.
  Array reshape(const Shape& shape) const;
  Array transpose(int dim_a, int dim_b) const;
  Array permute(const std::vector<int>& dims) const;
  /// Elements begin, begin + step, ... below end of one dim (negative begin and end count from the back); step >= 1.
  Array slice(int dim, std::int64_t begin, std::int64_t end, std::int64_t step = 1) const;
  /// Element `index` of a dim (a negative one counts from the back), which disappears.
  Array select(int dim, std::int64_t index) const;
  /// Sizes of 1 (and new dims at the left) repeated by stride 0; -1 keeps a size.
  Array expand(const Shape& shape) const;
  Array unsqueeze(int dim) const;
  Array squeeze(int dim) const;

  // Copies.
  /// This Array if it has the layout already, else a copy.
  Array contiguous() const;
  Array to_layout(Layout layout) const;
  Array to(DType dtype) const;
  /// A copy in the same memory order.
  Array clone() const;

  /// Writes values of `source` (same shape, any strides and dtype, also of overlapping memory) here and marks the
  /// change. Throws Error where this is a view that shows a number more than once, as fill does.
  void copy_from(const Array& source);
  void fill(double value);

  /// The only element, as double. Throws Error when there is more than one.
  double item() const;
  double at(std::initializer_list<std::int64_t> index) const;
  void set(std::initializer_list<std::int64_t> index, double value);
  /// All elements in logical order.
  template <class T>
  std::vector<T> to_vector() const;

  std::uint64_t version() const {
    if (!storage_) fail_undefined();
    return storage_->version();
  }
  void mark_changed();
  const std::shared_ptr<Storage>& storage() const { return storage_; }
  std::int64_t offset() const { return offset_; }

  /// Readable by a person: values aligned, large arrays abbreviated, then shape and dtype.
  std::string to_string() const;

 private:
  [[noreturn]] void fail_dtype(DType asked) const;
  [[noreturn]] static void fail_undefined();
  /// Whoever takes memory that is not const may write there, which a capture has to know.
  void note_writer() const {
    if (capture::detail::tape != nullptr && storage_) capture::detail::give_to_write(*storage_);
  }
  std::byte* first_byte() const {
    if (!storage_) fail_undefined();
    return storage_->data_ + offset_ * static_cast<std::int64_t>(size_of(dtype_));
  }

  std::shared_ptr<Storage> storage_;
  Shape shape_;
  Strides strides_;
  std::int64_t offset_ = 0;  // in elements
  DType dtype_ = DType::f32;
};

/// The strides of a dense Array of this shape.
Strides dense_strides(const Shape& shape, Layout layout);

/// True when shape and every element are equal (NaN equals NaN of the same bits): the comparison of bit-for-bit tests.
bool identical(const Array& a, const Array& b);

/// Throws Error "where: x is not defined" / "where: x is f64, must be f32" ...; used at the doors of kernels.
void require_defined(const char* where, const char* name, const Array& x);
void require_dtype(const char* where, const char* name, const Array& x, DType dtype);
void require_floating(const char* where, const char* name, const Array& x);

/// x.data<T>(); null for an undefined Array.
template <class T>
const T* data_or_null(const Array& x) {
  return x.defined() ? x.data<T>() : nullptr;
}

namespace detail {
void check_from_count(std::size_t values, const Shape& shape);
/// Elements go to the host now: a capture (capture.h) cannot repeat what becomes of them.
void give_to_host();
}  // namespace detail

template <class T>
Array Array::from(const std::vector<T>& values, const Shape& shape) {
  detail::check_from_count(values.size(), shape);
  Array y = empty(shape, dtype_of<T>);
  T* out = y.template data<T>();
  for (std::size_t i = 0; i < values.size(); ++i) out[i] = values[i];
  return y;
}

template <class T>
T* Array::data() {
  if (dtype_ != dtype_of<T> || !storage_) fail_dtype(dtype_of<T>);
  note_writer();
  return reinterpret_cast<T*>(storage_->data_) + offset_;
}

template <class T>
const T* Array::data() const {
  if (dtype_ != dtype_of<T> || !storage_) fail_dtype(dtype_of<T>);
  return reinterpret_cast<const T*>(storage_->data()) + offset_;
}

template <class T>
T* Array::write() {
  T* p = data<T>();
  mark_changed();
  return p;
}

template <class T>
std::vector<T> Array::to_vector() const {
  detail::give_to_host();
  const Array plain = to(dtype_of<T>).contiguous();
  const T* p = plain.template data<T>();
  return std::vector<T>(p, p + plain.size());
}

}  // namespace tandem
