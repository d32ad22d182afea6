// oneDNN 2.6 and 3.x behind one set of functions: the only #if on the version. Scratchpads are always the caller's.
#include "adapter.h"

#define TANDEM_TEXT_(x) #x
#define TANDEM_TEXT(x) TANDEM_TEXT_(x)

namespace tandem::onednn {

namespace {

using dnnl::algorithm;
using dnnl::prop_kind;

dnnl::primitive_attr user_scratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

/// Instruction sets are sets of bits: a larger one holds those of the ones that it includes.
bool offers(dnnl_cpu_isa_t wanted) {
  const auto bits = static_cast<unsigned>(wanted);
  return (static_cast<unsigned>(dnnl_get_effective_cpu_isa()) & bits) == bits;
}

/// For forward: with the function after the sums.
dnnl::primitive_attr forward_attributes(const ConvolutionProblem& p) {
  dnnl::primitive_attr attributes = user_scratchpad();
  if (p.slope == 1) return attributes;
  dnnl::post_ops after;
#if DNNL_VERSION_MAJOR >= 3
  after.append_eltwise(algorithm::eltwise_relu, p.slope, 0);
#else
  after.append_eltwise(1, algorithm::eltwise_relu, p.slope, 0);
#endif
  attributes.set_post_ops(after);
  return attributes;
}

}  // namespace

#if DNNL_VERSION_MAJOR >= 3

dnnl::convolution_forward::primitive_desc describe_forward(const dnnl::engine& engine, const ConvolutionProblem& p) {
  const auto direct = algorithm::convolution_direct;
  const auto training = prop_kind::forward_training;
  if (p.bias.get_size() == 0)
    return {engine,   training,   direct,    p.source,  p.forward_weights,    p.destination,
            p.stride, p.dilation, p.padding, p.padding, forward_attributes(p)};
  return {engine,        training, direct,     p.source,  p.forward_weights, p.bias,
          p.destination, p.stride, p.dilation, p.padding, p.padding,         forward_attributes(p)};
}

dnnl::convolution_backward_data::primitive_desc describe_backward_data(const dnnl::engine& engine,
                                                                       const ConvolutionProblem& p) {
  return {engine,           algorithm::convolution_direct,
          p.source,         p.weights,
          p.destination,    p.stride,
          p.dilation,       p.padding,
          p.padding,        describe_forward(engine, p),
          user_scratchpad()};
}

dnnl::convolution_backward_weights::primitive_desc describe_backward_weights(const dnnl::engine& engine,
                                                                             const ConvolutionProblem& p) {
  const auto direct = algorithm::convolution_direct;
  const auto hint = describe_forward(engine, p);
  if (p.bias.get_size() == 0)
    return {engine,     direct,    p.source,  p.weights, p.destination,    p.stride,
            p.dilation, p.padding, p.padding, hint,      user_scratchpad()};
  return {engine,   direct,     p.source,  p.weights, p.bias, p.destination,
          p.stride, p.dilation, p.padding, p.padding, hint,   user_scratchpad()};
}

dnnl::matmul::primitive_desc describe_matmul(const dnnl::engine& engine, const Descriptor& a, const Descriptor& b,
                                             const Descriptor& bias, const Descriptor& y) {
  if (bias.get_size() == 0) return {engine, a, b, y, user_scratchpad()};
  return {engine, a, b, bias, y, user_scratchpad()};
}

#else

dnnl::convolution_forward::primitive_desc describe_forward(const dnnl::engine& engine, const ConvolutionProblem& p) {
  const auto direct = algorithm::convolution_direct;
  const auto training = prop_kind::forward_training;
  using Operation = dnnl::convolution_forward::desc;
  const Operation operation = p.bias.get_size() == 0
                                  ? Operation(training, direct, p.source, p.forward_weights, p.destination, p.stride,
                                              p.dilation, p.padding, p.padding)
                                  : Operation(training, direct, p.source, p.forward_weights, p.bias, p.destination,
                                              p.stride, p.dilation, p.padding, p.padding);
  return {operation, forward_attributes(p), engine};
}

dnnl::convolution_backward_data::primitive_desc describe_backward_data(const dnnl::engine& engine,
                                                                       const ConvolutionProblem& p) {
  const dnnl::convolution_backward_data::desc operation(algorithm::convolution_direct, p.source, p.weights,
                                                        p.destination, p.stride, p.dilation, p.padding, p.padding);
  return {operation, user_scratchpad(), engine, describe_forward(engine, p)};
}

dnnl::convolution_backward_weights::primitive_desc describe_backward_weights(const dnnl::engine& engine,
                                                                             const ConvolutionProblem& p) {
  const auto direct = algorithm::convolution_direct;
  using Operation = dnnl::convolution_backward_weights::desc;
  const Operation operation =
      p.bias.get_size() == 0
          ? Operation(direct, p.source, p.weights, p.destination, p.stride, p.dilation, p.padding, p.padding)
          : Operation(direct, p.source, p.weights, p.bias, p.destination, p.stride, p.dilation, p.padding, p.padding);
  return {operation, user_scratchpad(), engine, describe_forward(engine, p)};
}

dnnl::matmul::primitive_desc describe_matmul(const dnnl::engine& engine, const Descriptor& a, const Descriptor& b,
                                             const Descriptor& bias, const Descriptor& y) {
  const dnnl::matmul::desc operation =
      bias.get_size() == 0 ? dnnl::matmul::desc(a, b, y) : dnnl::matmul::desc(a, b, bias, y);
  return {operation, user_scratchpad(), engine};
}

#endif

bool has_bf16_instructions() { return offers(dnnl_cpu_isa_avx512_core_bf16); }
bool has_amx() { return offers(dnnl_cpu_isa_avx512_core_amx); }

const char* library_version() {
  return TANDEM_TEXT(DNNL_VERSION_MAJOR) "." TANDEM_TEXT(DNNL_VERSION_MINOR) "." TANDEM_TEXT(DNNL_VERSION_PATCH);
}

}  // namespace tandem::onednn
