// The page of a few updates: for each weight a slider over the steps, the terms of the update as bars, the formula with
// its numbers, and the paths of fast and slow weights. Not here: how it is drawn (examples/report, page/update.js).
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace tandem::explain {

using Json = nlohmann::ordered_json;

/// What the page says of the run.
struct PageTitle {
  std::string program, run;
  std::int64_t step = 0;  ///< where the slider stands at first
  std::string note;       ///< how the run was repeated
};

/// The whole file. `trace`: what a run writes for TANDEM_TRACE (train/step_trace.h), of neighbouring steps.
std::string update_page(const Json& trace, const PageTitle& title);

/// "conv1.weight[0, 0, 1, 1]"
std::string name_of(const Json& explanation);

}  // namespace tandem::explain
