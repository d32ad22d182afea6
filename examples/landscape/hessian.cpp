// Products batch by batch: the graph of one batch is in memory at a time.
#include "hessian.h"

#include <fmt/format.h>

#include <tandem/autograd/hessian.h>
#include <tandem/autograd/ops.h>
#include <tandem/core/error.h>
#include <tandem/nn/behaviour_scope.h>
#include <tandem/optim/study/curvature.h>

#include "weights.h"

namespace tandem::landscape {
namespace {

void append(std::vector<double>& values, const Array& array) {
  const std::vector<double> plain = array.to(DType::f64).to_vector<double>();
  values.insert(values.end(), plain.begin(), plain.end());
}

/// sum += part * x
void add(std::vector<Array>& sum, const std::vector<Array>& x, double part) {
  for (std::size_t i = 0; i < sum.size(); ++i) {
    const Array term = x[i].contiguous();
    float* to = sum[i].data<float>();
    for (std::int64_t j = 0; j < term.size(); ++j) to[j] += static_cast<float>(part * term.data<float>()[j]);
  }
}

}  // namespace

HessianPlane hessian_plane(nn::Module& model, const std::vector<Batch>& batches, int iterations, std::uint64_t seed) {
  const nn::BehaviourScope behaviour(model);
  model.evaluate();
  std::vector<Tensor> parameters;
  std::vector<Array> like;
  for (const NamedTensor& parameter : model.parameters()) {
    parameters.push_back(parameter.tensor);
    like.push_back(Array::zeros(parameter.tensor.shape()));
  }
  double examples = 0;
  for (const Batch& batch : batches) examples += static_cast<double>(batch.labels.size());
  const auto product = [&](const std::vector<Array>& v) {
    std::vector<Array> sum;
    for (const Array& one : like) sum.push_back(Array::zeros(one.shape()));
    for (const Batch& batch : batches)
      add(sum, hessian_vector_product([&] { return cross_entropy(model(batch.images), batch.labels); }, parameters, v),
          static_cast<double>(batch.labels.size()) / examples);
    return sum;
  };
  const auto pairs = largest_eigenpairs(product, like, 2, {.iterations = iterations, .tolerance = 0.01, .seed = seed});
  if (pairs.size() < 2) fail("hessian", "Lanczos' method found one direction only");
  HessianPlane found;
  found.plane.origin = weights_of(model).values;
  std::vector<double>* directions[] = {&found.plane.first, &found.plane.second};
  for (std::size_t i = 0; i < 2; ++i) {
    for (const Array& one : pairs[i].vector) append(*directions[i], one);
    found.value[i] = pairs[i].value;
    found.residual[i] = pairs[i].residual;
  }
  found.plane.first_name = fmt::format("along the first eigenvector (eigenvalue {:.4g})", pairs[0].value);
  found.plane.second_name = fmt::format("along the second ({:.4g})", pairs[1].value);
  found.finding = fmt::format(
      "The largest eigenvalues of the Hessian of the training loss (of {} pictures, in evaluation behaviour) are "
      "{:.4g} "
      "and {:.4g}, each within {:.2g} and {:.2g} of an eigenvalue.",
      static_cast<std::int64_t>(examples), pairs[0].value, pairs[1].value, pairs[0].residual, pairs[1].residual);
  return found;
}

}  // namespace tandem::landscape
