// A Dataset as a source of pictures. See image_source.h.
#include <tandem/data/image_source.h>

#include <utility>

namespace tandem {

namespace {

class DatasetSource final : public ImageSource {
 public:
  explicit DatasetSource(Dataset dataset) : dataset_(std::move(dataset)) {
    validate(dataset_);
    const Array& images = dataset_.images;
    format_ = {images.shape(2), images.shape(3), images.shape(1), true};
    pixels_ = images.data<std::uint8_t>();
    labels_ = dataset_.labels.data<std::int64_t>();
  }

  const std::string& name() const override { return dataset_.name; }
  std::int64_t size() const override { return dataset_.size(); }
  std::int64_t label(std::int64_t index) const override { return labels_[index]; }
  ImageView read(std::int64_t index, std::vector<std::uint8_t>&) const override {
    return {pixels_ + index * format_.count(), format_};
  }

 private:
  const Dataset dataset_;
  PictureFormat format_;
  const std::uint8_t* pixels_ = nullptr;
  const std::int64_t* labels_ = nullptr;
};

}  // namespace

std::shared_ptr<const ImageSource> source_of(Dataset dataset) {
  return std::make_shared<DatasetSource>(std::move(dataset));
}

}  // namespace tandem
