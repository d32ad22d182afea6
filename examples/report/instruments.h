// instruments.jsonl of a run read back; its form: examples/train/instrument_log.h. Private to examples/report.
#pragma once

#include <string>

#include "record.h"

namespace tandem::report {

/// Fills run.instruments and run.instrument_details. Throws Error naming `where` and the line: it is no JSON of that
/// form, a bin or parameter is not there, a line is cut off.
void read_instruments(const std::string& text, const std::string& where, RunRecord& run);

}  // namespace tandem::report
