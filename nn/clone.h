// clone: a copy of a model that shares nothing with it. Not here: snapshots of values alone, clone(model.state_dict())
// of autograd/named_tensor.h, and files (model_file.h).
#pragma once

#include <memory>

#include <tandem/nn/module.h>

namespace tandem::nn {

/// A model of the same class (Module::fresh) with the same parameters, buffers, dtype and random state, each module's
/// training behaviour, and the same parameters frozen. No gradients, no optimizer; default_generator() is where it was.
/// Throws Error when the model cannot be made again, or fresh() makes something else.
std::shared_ptr<Module> clone(const Module& model);

/// module.fresh(). Throws Error where that makes another class, as in a subclass that does not override it.
std::shared_ptr<Module> fresh_as(const Module& module);

}  // namespace tandem::nn
