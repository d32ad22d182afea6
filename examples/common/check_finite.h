// Numbers that are not finite: where they come from. A training step looks only at its loss; this is the search that
// follows when that is nan or inf.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <tandem/core/array.h>
#include <tandem/nn/module.h>

namespace tandem::examples {

/// True when no element is nan or infinite; always for whole numbers.
bool is_finite(const Array& array);

/// Runs `forward` again without recording and watches every layer. What it says reads on from "the loss is nan: ":
/// `layer "layer1.0.bn1" BatchNorm2d(16) is the first whose output is not finite`, with the parameter of that layer
/// that is not finite itself, where there is one; or that all layers are finite, and the loss alone is not.
std::string first_not_finite(nn::Module& model, const std::function<void()>& forward);

/// Throws Error `step 12: train_loss is nan: ...; use a smaller lr ...` with the finding of first_not_finite.
[[noreturn]] void fail_not_finite(std::int64_t step, const std::string& metric, double value, nn::Module& model,
                                  const std::function<void()>& forward);

}  // namespace tandem::examples
