// The part of the report about a comparison of optimizers: table of results, sentences, metrics at equal steps, curves,
// pictures, configuration. Not here: the page (html.h), reading (comparison_record.h).
#pragma once

#include <string>

#include "comparison_record.h"

namespace tandem::examples {

/// "cifar: resnet20 on cifar10".
std::string title_of(const ComparisonRecord& record);

/// HTML below the heading.
std::string comparison_html(const ComparisonRecord& record);

}  // namespace tandem::examples
