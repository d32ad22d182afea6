// Sums behind image_measures.h.
#include "image_measures.h"

#include <numeric>
#include <vector>

#include <tandem/autograd/ops.h>
#include <tandem/autograd/record.h>
#include <tandem/data/image_quality.h>

namespace tandem::examples {
namespace {

double sum_of(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

}  // namespace

void ImageMeasures::add(const Array& x, const Array& y) {
  const NoGradGuard no_grad;
  const std::int64_t n = x.shape(0);
  squared_error_ += mse_loss(y, x).item() * static_cast<double>(n);
  psnr_ += sum_of(tandem::psnr(x, y));
  ssim_ += sum_of(tandem::ssim(x, y));
  images_ += n;
}

}  // namespace tandem::examples
