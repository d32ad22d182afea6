// Axes and curves of the report: ranges, ticks and labels by hand; bands, gaps and escaping in the drawing.
#include "examples/common/plot.h"

#include <doctest/doctest.h>

#include <cmath>

#include "examples/common/plot_axis.h"

using namespace tandem::examples;

namespace {

const double kNaN = std::nan("");

std::string labels(const std::vector<Tick>& ticks) {
  std::string text;
  for (const Tick& tick : ticks) text += (text.empty() ? "" : " ") + tick.label;
  return text;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
  return n;
}

/// The d="..." of the only path of a class.
std::string path_of(const std::string& html, const std::string& name) {
  REQUIRE(count(html, "<path class=\"" + name) == 1);
  const std::size_t at = html.find(" d=\"", html.find("<path class=\"" + name)) + 4;
  return html.substr(at, html.find('"', at) - at);
}

}  // namespace

TEST_CASE("a range: 5 % of room, decades on a logarithmic axis, one value, none") {
  const Range plain = range_of({1, kNaN, 3}, false);
  CHECK(plain.low == doctest::Approx(0.9));
  CHECK(plain.high == doctest::Approx(3.1));
  const Range log = range_of({-1, 0, 1, 100}, true);
  CHECK(log.low == doctest::Approx(1 / std::pow(100, 0.05)));
  CHECK(log.high == doctest::Approx(100 * std::pow(100, 0.05)));
  CHECK(range_of({2}, false).low == doctest::Approx(1.8));
  CHECK(range_of({0}, false).high == doctest::Approx(0.5));
  CHECK(range_of({4}, true).low == doctest::Approx(2));
  CHECK(range_of({kNaN, INFINITY}, false).high == 1);
  CHECK(range_of({-3}, true).low == doctest::Approx(0.1));
}

TEST_CASE("linear ticks are the multiples of 1, 2 or 5 times a power of ten") {
  CHECK(labels(linear_ticks({0, 1}, 6)) == "0.0 0.2 0.4 0.6 0.8 1.0");
  CHECK(labels(linear_ticks({0, 1955}, 5)) == "0 500 1,000 1,500");
  CHECK(labels(linear_ticks({-0.3, 0.3}, 6)) == "−0.2 0.0 0.2");
  CHECK(labels(linear_ticks({0.7975, 0.8004}, 6)) == "0.7975 0.7980 0.7985 0.7990 0.7995 0.8000");
  CHECK(labels(linear_ticks({0, 3e6}, 5)) == "0 10⁶ 2×10⁶ 3×10⁶");
  CHECK(labels(linear_ticks({0, 3.1e-5}, 5)) == "0 10⁻⁵ 2×10⁻⁵ 3×10⁻⁵");
  CHECK(labels(linear_ticks({17, 29}, 3)) == "20 25");
  for (const Tick& tick : linear_ticks({0.1, 0.7}, 7)) CHECK(tick.value == std::stod(tick.label));
}

TEST_CASE("logarithmic ticks are powers of ten, finer where those are few and coarser where they are many") {
  CHECK(labels(log_ticks({0.03, 3}, 6)) == "0.05 0.1 0.2 0.5 1 2");
  CHECK(labels(log_ticks({1e-4, 1}, 6)) == "0.0001 0.001 0.01 0.1 1");
  CHECK(labels(log_ticks({1e-16, 1}, 6)) == "10⁻¹⁵ 10⁻¹² 10⁻⁹ 10⁻⁶ 0.001 1");
  CHECK(labels(log_ticks({10, 20000}, 5)) == "10 100 1,000 10,000");
}

TEST_CASE("a curve, its band, its label and its legend") {
  Plot plot;
  plot.title = "test_loss";
  plot.x.label = "step";
  plot.series = {{.name = "a", .points = {{0, 1, 0.5, 1.5}, {10, 2, 1.5, 2.5}}, .label = "end"}};
  const std::string html = plot_html(plot);
  CHECK(count(path_of(html, "curve s0 d0\" d=\"M4"), "L") == 1);  // the sample of the legend is M0
  CHECK(html.find("<title>a: step 10, 2 ± 0.5</title>") != std::string::npos);
  CHECK(html.find(">end</text>") != std::string::npos);
  CHECK(count(html, "class=\"legend\"") == 1);
  const std::string band = path_of(html, "band s0");
  CHECK(band.front() == 'M');
  CHECK(band.back() == 'Z');
  CHECK(count(band, ".") == 8);  // four corners
}

TEST_CASE("what is not finite leaves a gap, on a logarithmic axis also what is not positive") {
  Plot plot;
  plot.title = "t";
  plot.series = {{.points = {{0, 1}, {1, 2}, {2, kNaN}, {3, 1}, {4, 2}, {5, INFINITY}, {6, 1}}, .has_marks = false}};
  CHECK(count(path_of(plot_html(plot), "curve"), "M") == 3);
  plot.y.is_log = true;
  plot.series = {{.points = {{0, 1}, {1, 2}, {2, -1}, {3, 1}}, .has_marks = false}};
  CHECK(count(path_of(plot_html(plot), "curve"), "M") == 2);
  CHECK(plot_html(plot).find("nan") == std::string::npos);
  plot.series = {{.points = {{0, kNaN}}}};
  CHECK(plot_html(plot).empty());
}

TEST_CASE("bars stand for themselves, and a single point has no band") {
  Plot plot;
  plot.title = "t";
  plot.series = {{.points = {{1, 2, 1, 3}, {2, 3, 2, 4}}, .has_line = false, .spread = PlotSeries::Spread::bars}};
  CHECK(count(path_of(plot_html(plot), "bar s0"), "V") == 2);
  CHECK(count(plot_html(plot), "class=\"curve") == 0);
  plot.series = {{.points = {{1, 2, 1, 3}}}};
  CHECK(count(plot_html(plot), "class=\"band") == 0);
}

TEST_CASE("names are text, never markup") {
  Plot plot;
  plot.title = "<b>&\"";
  plot.x.label = "<i>";
  plot.series = {{.name = "<script>", .points = {{0, 1}, {1, 2}}, .label = "</svg>"}};
  const std::string html = plot_html(plot);
  for (const char* part : {"<b><b>", "<i>", "<script>", "></svg></text>"}) CHECK(html.find(part) == std::string::npos);
  CHECK(html.find("&lt;b&gt;&amp;&quot;") != std::string::npos);
}
