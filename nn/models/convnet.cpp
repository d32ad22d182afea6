// See convnet.h.
#include <tandem/nn/activations.h>
#include <tandem/nn/batch_norm2d.h>
#include <tandem/nn/conv2d.h>
#include <tandem/nn/flatten.h>
#include <tandem/nn/linear.h>
#include <tandem/nn/models/convnet.h>
#include <tandem/nn/pool2d.h>

namespace tandem::nn {

std::shared_ptr<Sequential> convnet(const ConvNetOptions& options) {
  auto model = std::make_shared<Sequential>();
  std::int64_t in = options.channels;
  for (std::int64_t out = options.width; out <= 4 * options.width; in = out, out *= 2) {
    model->add(layer<Conv2d>({.in = in, .out = out, .kernel = 3, .padding = 1, .bias = false}));
    model->add(layer<BatchNorm2d>({.channels = out}));
    model->add(layer<ReLU>());
    model->add(layer<MaxPool2d>({.kernel = 2}));
  }
  model->add(layer<GlobalAveragePool2d>());
  model->add(layer<Flatten>());
  model->add(layer<Linear>({.in = in, .out = options.classes}));
  return model;
}

}  // namespace tandem::nn
