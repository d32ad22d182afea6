// From the parsed text of a schedule to the Schedule. Private to optim/ (parse.cpp uses it for hyper-parameters).
#pragma once

#include <tandem/optim/schedule.h>
#include <tandem/optim/text/spec.h>

namespace tandem::spec {

/// See parse_schedule. Errors carry the source's word, text and columns.
Schedule to_schedule(const Source& source, const Value& value, std::int64_t total_steps);

}  // namespace tandem::spec
