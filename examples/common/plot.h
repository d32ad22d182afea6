// Plot: curves as SVG that stands in the page itself: axes with ticks at round numbers, a legend, labels at the ends of
// curves, bands or bars of a deviation. Colours and fonts come from the page's style (report_style.h). Not here: what
// is drawn (report_comparison.h, report_quadratic.h).
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace tandem::examples {

struct PlotPoint {
  double x = 0, y = 0;
  double low = std::numeric_limits<double>::quiet_NaN(), high = low;  ///< of a band or bar; NaN: none
};

/// How a series looks: a number from 0 to 7 each. Series of equal colour also have equal markers.
struct PlotStyle {
  int color = 0, dash = 0;
};

struct PlotSeries {
  enum class Spread { band, bars };
  std::string name = {};               ///< in the legend; empty: not there
  std::vector<PlotPoint> points = {};  ///< in the order of x; one that is not finite leaves a gap
  PlotStyle style = {};
  bool has_line = true;
  bool has_marks = true;
  bool is_open = false;  ///< markers as outlines
  Spread spread = Spread::band;
  std::string label = {};  ///< at the last point; empty: none
};

struct PlotAxis {
  std::string label = {};
  bool is_log = false;
  std::optional<double> low = {}, high = {};  ///< a fixed end; what lies outside is cut off
  std::vector<std::string> categories = {};   ///< labels of x = 1, 2, ... instead of numbers
};

struct Plot {
  std::string title = {};
  std::string note = {};  ///< beside the title: unit, what a band is
  PlotAxis x = {}, y = {};
  std::vector<PlotSeries> series = {};
  std::optional<double> rule = {};  ///< a horizontal line of reference
};

/// <figure> with title, legend and drawing; empty when no point is finite.
std::string plot_html(const Plot& plot);

/// The sample of a series' style that legends show.
std::string sample_html(const PlotSeries& series);
/// That of a curve with markers, for tables.
std::string style_sample_html(const PlotStyle& style);

}  // namespace tandem::examples
