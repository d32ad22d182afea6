// Double backward: the gradient with its history, and that history walked back from v. See hessian.h.
#include <tandem/autograd/hessian.h>

#include <fmt/format.h>

#include <tandem/autograd/backward.h>
#include <tandem/core/error.h>

namespace tandem {

namespace {

/// The value in memory of its own and of the parameter's order; zeros for an undefined gradient.
Array dense_value(const Tensor& gradient, const Tensor& parameter) {
  Array y = Array::empty_like(parameter.value());
  if (gradient.defined()) {
    y.copy_from(gradient.value());
  } else {
    y.fill(0);
  }
  return y;
}

void require_fitting(const std::vector<Array>& vectors, const std::vector<Tensor>& parameters) {
  if (vectors.size() != parameters.size()) {
    fail("hessian", "one vector per parameter is needed",
         fmt::format("{} vectors, {} parameters", vectors.size(), parameters.size()));
  }
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const Array& v = vectors[i];
    require_defined("hessian", fmt::format("vector {}", i).c_str(), v);
    if (v.shape() == parameters[i].shape() && v.dtype() == parameters[i].dtype()) continue;
    fail("hessian", "a vector does not fit its parameter",
         fmt::format("vector {} is {} {}, the parameter {} {}", i, to_string(v.shape()), name(v.dtype()),
                     to_string(parameters[i].shape()), name(parameters[i].dtype())));
  }
}

}  // namespace

Hessian::Hessian(const Tensor& loss, std::vector<Tensor> parameters) : parameters_(std::move(parameters)) {
  if (!loss.defined()) fail("hessian", "the loss is not defined");
  if (parameters_.empty()) fail("hessian", "there are no parameters");
  gradients_ = grad({loss}, parameters_, {.create_graph = true, .allow_unused = true});
}

std::vector<Array> Hessian::times(const std::vector<Array>& vectors) const {
  require_fitting(vectors, parameters_);
  std::vector<Tensor> outputs, seeds;
  for (std::size_t i = 0; i < gradients_.size(); ++i) {
    if (!gradients_[i].requires_grad()) continue;  // linear in the parameters: nothing to add
    outputs.push_back(gradients_[i]);
    seeds.emplace_back(vectors[i]);
  }
  std::vector<Tensor> products(parameters_.size());
  if (!outputs.empty()) {
    products = grad(outputs, parameters_, {.retain_graph = true, .allow_unused = true, .seeds = seeds});
  }
  std::vector<Array> result;
  for (std::size_t i = 0; i < products.size(); ++i) result.push_back(dense_value(products[i], parameters_[i]));
  return result;
}

std::vector<Array> Hessian::gradients() const {
  std::vector<Array> result;
  for (std::size_t i = 0; i < gradients_.size(); ++i) result.push_back(dense_value(gradients_[i], parameters_[i]));
  return result;
}

std::vector<Array> hessian_vector_product(const Tensor& loss, const std::vector<Tensor>& parameters,
                                          const std::vector<Array>& vectors) {
  return Hessian(loss, parameters).times(vectors);
}

std::vector<Array> hessian_vector_product(const std::function<Tensor()>& loss, const std::vector<Tensor>& parameters,
                                          const std::vector<Array>& vectors) {
  return Hessian(loss(), parameters).times(vectors);
}

}  // namespace tandem
