// summary: what a model is made of, as a table: layers, output shapes, parameters, multiply-adds, with totals; and
// output_shape, what it makes of an input.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <tandem/nn/module.h>

namespace tandem::nn {

struct SummaryRow {
  std::string name;                ///< path; "" for the model itself
  int depth = 0;                   ///< 0 for the model, 1 for its children ...
  std::string description;         ///< Module::describe
  bool called = false;             ///< false: the forward pass did not come here
  Shape output;                    ///< of the last call
  std::int64_t parameters = 0;     ///< own ones, without children; tied ones count where they stand first
  std::int64_t multiply_adds = 0;  ///< own ones, over all calls
};

struct Summary {
  std::vector<SummaryRow> rows;  ///< parents before children
  Shape input;
  std::int64_t parameters = 0;
  std::int64_t trainable_parameters = 0;
  std::int64_t multiply_adds = 0;
};

/// Runs one forward pass over zeros of shape `input` (batch included), in evaluation behaviour, without recording.
/// The model is left as it was. Throws what the forward pass throws.
Summary summary(Module& model, const Shape& input);
/// The same with an input of the caller's.
Summary summary(Module& model, const Tensor& x);

/// The shape of model's output for an input of shape `input`, by a forward pass over zeros as summary() makes one: for
/// the layer that comes next.
///   model.add(layer<Flatten>());
///   model.add(layer<Linear>({.in = output_shape(model, {1, 3, 32, 32})[1], .out = 10}));
Shape output_shape(Module& model, const Shape& input);
/// The same with an input of the caller's, as ids need it.
Shape output_shape(Module& model, const Tensor& x);

/// The table as text, one line a layer, columns aligned, totals below.
std::string to_string(const Summary& summary);

}  // namespace tandem::nn
