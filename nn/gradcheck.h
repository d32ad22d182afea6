// gradcheck of a model: the gradients of its input and of all its parameters against central differences, in double
// precision, whatever precision it has. For everyone who writes a layer. Read next: autograd/gradcheck.h.
#pragma once

#include <tandem/autograd/gradcheck.h>
#include <tandem/nn/module.h>

namespace tandem::nn {

/// Checks d(v . model(x)) / dx, for floating x, and by every parameter, frozen ones too; tied ones once, by the sum
/// over their places. Inputs are named "x", parameters by their path. Behaviour (training or evaluation) is the model's
/// own; random layers draw the same in every call. Afterwards model and x are as before, bit for bit: values, dtypes,
/// gradients, what is frozen, buffers, random state, an optimizer's hold. Throws Error as tandem::gradcheck does, and
/// for options.second_order, which takes functions of Tensors.
///   const GradcheckResult result = nn::gradcheck(layer, x);
///   if (!result) std::cout << result.to_string();
GradcheckResult gradcheck(Module& model, const Tensor& x, const GradcheckOptions& options = {});

}  // namespace tandem::nn
