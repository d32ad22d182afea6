// The only place that knows which oneDNN it is compiled with: 2.6 (operation descriptors) or 3.x (arguments in a row).
// Makes primitive descriptors of convolutions and products; what holds and runs them is convolution.cpp and matmul.cpp.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>

namespace tandem::onednn {

using Descriptor = dnnl::memory::desc;

/// The places and the geometry of a convolution in oneDNN's terms. `bias` is a zero descriptor where there is none;
/// `forward_weights` are those of the forward that a backward belongs to: never f32 beside bf16, as gradients may be.
/// Forward gives u where u > 0, else slope u; a slope of 1 leaves all as it is.
struct ConvolutionProblem {
  Descriptor source, weights, forward_weights, bias, destination;
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

/// Rows of numbers in oneDNN's terms; `bias` is a zero descriptor where there is none.
dnnl::matmul::primitive_desc describe_matmul(const dnnl::engine& engine, const Descriptor& a, const Descriptor& b,
                                             const Descriptor& bias, const Descriptor& y);

/// Whether this processor has instructions for products of bf16 (AVX512_BF16 or AMX) and oneDNN uses them.
bool has_bf16_instructions();
/// Whether they are those of AMX, an order faster.
bool has_amx();

/// "2.6.3", of the headers.
const char* library_version();

}  // namespace tandem::onednn
