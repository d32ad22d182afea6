// The only place that knows which oneDNN it is compiled with: 2.6 (operation descriptors) or 3.x (arguments in a row).
// Makes primitive descriptors of convolutions; what holds and runs them is convolution.cpp.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>

namespace tandem::onednn {

using Descriptor = dnnl::memory::desc;

/// The places and the geometry of a convolution in oneDNN's terms. `bias` is a zero descriptor where there is none.
/// Forward gives u where u > 0, else slope u; a slope of 1 leaves all as it is.
struct ConvolutionProblem {
  Descriptor source, weights, bias, destination;
  dnnl::memory::dims stride, dilation, padding;
  float slope = 1;
};

/// Each throws dnnl::error when the library has no implementation.
dnnl::convolution_forward::primitive_desc describe_forward(const dnnl::engine& engine,
                                                           const ConvolutionProblem& problem);
dnnl::convolution_backward_data::primitive_desc describe_backward_data(const dnnl::engine& engine,
                                                                       const ConvolutionProblem& problem);
dnnl::convolution_backward_weights::primitive_desc describe_backward_weights(const dnnl::engine& engine,
                                                                             const ConvolutionProblem& problem);

/// "2.6.3", of the headers.
const char* library_version();

}  // namespace tandem::onednn
