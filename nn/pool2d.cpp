// See pool2d.h.
#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/nn/describe.h>
#include <tandem/nn/pool2d.h>

namespace tandem::nn {

namespace {

void check(const char* layer, const Pool2dOptions& o) {
  if (o.kernel.h < 1 || o.kernel.w < 1) {
    fail(layer, "kernel must be at least 1", "kernel " + to_string(o.kernel));
  }
  if (o.stride.h < 0 || o.stride.w < 0) {
    fail(layer, "stride must be at least 0", "stride " + to_string(o.stride), "0 is the kernel");
  }
  if (o.padding.h < 0 || o.padding.w < 0 || 2 * o.padding.h > o.kernel.h || 2 * o.padding.w > o.kernel.w) {
    fail(layer, "padding must be from 0 to half the kernel",
         fmt::format("padding {}, kernel {}", to_string(o.padding), to_string(o.kernel)));
  }
}

std::string describe_pool(const char* layer, const Pool2dOptions& o) {
  std::string text = fmt::format("{}(kernel {}", layer, to_string(o.kernel));
  if (o.stride != Size2(0) && o.stride != o.kernel) text += ", stride " + describe_size(o.stride);
  if (o.padding != Size2(0)) text += ", padding " + describe_size(o.padding);
  return text + ")";
}

}  // namespace

MaxPool2d::MaxPool2d(const Options& options) : options_(options) { check("MaxPool2d", options); }
Tensor MaxPool2d::forward(const Tensor& x) { return max_pool2d(x, options_); }
std::string MaxPool2d::describe() const { return describe_pool("MaxPool2d", options_); }

AveragePool2d::AveragePool2d(const Options& options) : options_(options) { check("AveragePool2d", options); }
Tensor AveragePool2d::forward(const Tensor& x) { return average_pool2d(x, options_); }
std::string AveragePool2d::describe() const { return describe_pool("AveragePool2d", options_); }

Tensor GlobalAveragePool2d::forward(const Tensor& x) { return global_average_pool2d(x); }

}  // namespace tandem::nn
