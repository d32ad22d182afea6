// The look of the report as CSS: light and dark, wide and narrow, on paper. Eight colours that tell apart under the
// common forms of colour blindness, each with a dash pattern and a marker of its own (plot.h).
#pragma once

#include <string>

namespace tandem::examples {

/// The content of the page's <style>.
std::string report_style();

}  // namespace tandem::examples
