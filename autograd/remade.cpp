// See remade.h.
#include <tandem/autograd/remade.h>

#include <tandem/autograd/record.h>
#include <tandem/core/error.h>

namespace tandem {

Remade::Remade(const Array& value, std::vector<Array> sources, std::function<Array(const std::vector<Array>&)> again)
    : again_(std::move(again)) {
  for (Array& source : sources) {
    const std::uint64_t version = source.version();
    sources_.push_back({std::move(source), version});
  }
  remember(value);
}

void Remade::remember(const Array& value) {
  storage_ = value.storage();
  shape_ = value.shape();
  strides_ = value.strides();
  dtype_ = value.dtype();
  offset_ = value.offset();
  version_ = value.version();
}

bool Remade::is_of(const Array& x) {
  const std::lock_guard guard(mutex_);
  return storage_.lock() == x.storage() && version_ == x.version();
}

Array Remade::value() {
  const std::lock_guard guard(mutex_);
  if (std::shared_ptr<Storage> alive = storage_.lock(); alive && alive->version() == version_) {
    return Array::over(std::move(alive), shape_, strides_, dtype_, offset_);
  }
  std::vector<Array> arrays;
  for (const Source& source : sources_) {
    if (source.array.version() != source.version) {
      fail("backward", "what a value is made again from was changed in place after forward",
           to_string(source.array.shape()), "clone() it before changing it, or call backward first");
    }
    arrays.push_back(source.array);
  }
  Array value = again_(arrays);
  remember(value);
  return value;
}

}  // namespace tandem
