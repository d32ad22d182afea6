// instruments.jsonl of a run, with --instruments N: what optim/study/instruments.h measured, a line of JSON each time.
//
//   {"tandem": "instruments 1", "bins": ["-32", ..., "0", ..., "32"], "parameters": ["conv1.weight", ...]}
//   {"step": 21, "examples": 128, "parts": 8, "curvature_examples": 32, "products": 9,
//    "whole": {"loss": 2.1, "alpha": -0.4, ...},
//    "gradients": [[bin, count], ...], "gradients_weights": [[bin of the gradient, bin of the weight, count], ...],
//    "by_parameter": {"distance": [a number a parameter], ...}, "gradients_by_parameter": [[[bin, count], ...], ...]}
//
// Bins that are left out are empty. null: not measured; "inf" and "-inf" are numbers; six digits of each are kept.
// Not here: when it is measured (run.h), the page that shows it (examples/report).
#pragma once

#include <cstdint>
#include <string>

#include <tandem/optim/study/instruments.h>

namespace tandem::train {

/// The first line of the file, without its end.
std::string instrument_header(const InstrumentReport& report);
/// The line of a step, counted from 1, which the report is of.
std::string instrument_line(std::int64_t step, const InstrumentReport& report);

}  // namespace tandem::train
