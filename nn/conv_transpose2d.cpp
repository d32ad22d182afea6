// See conv_transpose2d.h.
#include <algorithm>

#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/nn/conv_transpose2d.h>
#include <tandem/nn/describe.h>
#include <tandem/nn/init.h>

namespace tandem::nn {

namespace {

void check(const ConvTranspose2d::Options& o) {
  if (o.in < 1 || o.out < 1) {
    fail("ConvTranspose2d", "in and out must be at least 1", fmt::format("in {}, out {}", o.in, o.out));
  }
  if (o.groups < 1 || o.in % o.groups != 0 || o.out % o.groups != 0) {
    fail("ConvTranspose2d", "groups must divide in and out",
         fmt::format("in {}, out {}, groups {}", o.in, o.out, o.groups));
  }
  const auto least = [](const char* name, Size2 size, std::int64_t smallest) {
    if (size.h >= smallest && size.w >= smallest) return;
    fail("ConvTranspose2d", fmt::format("{} must be at least {}", name, smallest),
         fmt::format("{} {}", name, to_string(size)));
  };
  least("kernel", o.kernel, 1);
  least("stride", o.stride, 1);
  least("dilation", o.dilation, 1);
  least("padding", o.padding, 0);
  least("output_padding", o.output_padding, 0);
  if (o.output_padding.h >= std::max(o.stride.h, o.dilation.h) ||
      o.output_padding.w >= std::max(o.stride.w, o.dilation.w)) {
    fail("ConvTranspose2d", "output_padding must be below the stride or the dilation",
         fmt::format("output_padding {}, stride {}, dilation {}", to_string(o.output_padding), to_string(o.stride),
                     to_string(o.dilation)));
  }
}

}  // namespace

ConvTranspose2d::ConvTranspose2d(const Options& options) : options_(options) {
  check(options);
  const Shape shape{options.in, options.out / options.groups, options.kernel.h, options.kernel.w};
  weight = parameter("weight", Array::empty(shape));
  if (options.bias) bias = parameter("bias", Array::empty({options.out}));
  init::pytorch_default(weight, bias);
}

Tensor ConvTranspose2d::forward(const Tensor& x) {
  return conv_transpose2d(x, weight, bias,
                          {.stride = options_.stride,
                           .padding = options_.padding,
                           .output_padding = options_.output_padding,
                           .dilation = options_.dilation,
                           .groups = options_.groups});
}

std::string ConvTranspose2d::describe() const {
  std::string text =
      fmt::format("ConvTranspose2d({} -> {}, kernel {}", options_.in, options_.out, to_string(options_.kernel));
  if (options_.stride != Size2(1)) text += ", stride " + describe_size(options_.stride);
  if (options_.padding != Size2(0)) text += ", padding " + describe_size(options_.padding);
  if (options_.output_padding != Size2(0)) text += ", output padding " + describe_size(options_.output_padding);
  if (options_.dilation != Size2(1)) text += ", dilation " + describe_size(options_.dilation);
  if (options_.groups != 1) text += fmt::format(", groups {}", options_.groups);
  if (!options_.bias) text += ", no bias";
  return text + ")";
}

std::int64_t ConvTranspose2d::multiply_adds(const Shape& x, const Shape&) const {
  return x.count() * (options_.out / options_.groups) * options_.kernel.h * options_.kernel.w;
}

}  // namespace tandem::nn
