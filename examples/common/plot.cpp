// Drawing in a box of 400 x 260 units that the page scales: near 1 : 1 on a phone.
#include "plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "html.h"
#include "plot_axis.h"

namespace tandem::examples {
namespace {

constexpr double kWidth = 400, kHeight = 260, kTop = 10, kBottom = 40;
constexpr double kLabelHeight = 14;              // of the labels at the ends of curves
constexpr std::size_t kMostMarks = 40;           // on one curve
constexpr double kMark = 3.5, kOpenMark = 4.75;  // radius: an outline stands round a filled one

/// About what a wide sans-serif face of 11.5 units needs: labels are measured here, drawn by whoever reads the page.
double text_width(const std::string& text) {
  double width = 0;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xC0U) == 0x80U) continue;  // within a character
    width += std::strchr("mwMW@%", c) != nullptr ? 11.3 : std::strchr("fijlrtI.,:=()-' ", c) != nullptr ? 4.7 : 7.3;
  }
  return width;
}

/// A circle, square, triangle or diamond round (x, y).
std::string mark_path(int shape, double x, double y, double r) {
  switch (shape % 4) {
    case 0:
      return fmt::format("M{:.1f} {:.1f}a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0 -{d} 0Z", x - r, y, fmt::arg("r", r),
                         fmt::arg("d", 2 * r));
    case 1:
      return fmt::format("M{:.1f} {:.1f}h{d:.1f}v{d:.1f}h-{d:.1f}Z", x - .88 * r, y - .88 * r, fmt::arg("d", 1.76 * r));
    case 2:
      return fmt::format("M{:.1f} {:.1f}l{:.1f} {:.1f}h-{:.1f}Z", x, y - 1.2 * r, 1.15 * r, 2 * r, 2.3 * r);
    default:
      return fmt::format("M{:.1f} {:.1f}l{d:.1f} {d:.1f}l-{d:.1f} {d:.1f}l-{d:.1f} -{d:.1f}Z", x, y - 1.25 * r,
                         fmt::arg("d", 1.25 * r));
  }
}

struct Scale {
  Range range;
  bool is_log = false;
  double begin = 0, end = 1;  // where the ends of the range lie

  double operator()(double value) const {
    const double part = is_log ? std::log(value / range.low) / std::log(range.high / range.low)
                               : (value - range.low) / (range.high - range.low);
    return begin + part * (end - begin);
  }
  bool shows(double value) const { return std::isfinite(value) && (!is_log || value > 0); }
};

struct EndLabel {
  std::string text;
  int color = 0;
  double x = 0, y = 0, at = 0;  // the end of the curve; the label's height
};

/// Moves labels apart, keeping their order and as near to their curves as the room allows.
void spread(std::vector<EndLabel>& labels, double top, double bottom) {
  std::stable_sort(labels.begin(), labels.end(), [](const EndLabel& a, const EndLabel& b) { return a.y < b.y; });
  double least = top;
  for (EndLabel& label : labels) {
    label.at = std::max(label.y, least);
    least = label.at + kLabelHeight;
  }
  double most = bottom;
  for (auto label = labels.rbegin(); label != labels.rend(); ++label) {
    label->at = std::min(label->at, most);
    most = label->at - kLabelHeight;
  }
}

class Drawing {
 public:
  explicit Drawing(const Plot& plot) : plot_(plot) {
    std::vector<double> xs, ys;
    for (const PlotSeries& series : plot.series)
      for (const PlotPoint& p : series.points) {
        if (!std::isfinite(p.y)) continue;
        has_points_ = true;
        xs.push_back(p.x);
        for (const double y : {p.y, p.low, p.high}) ys.push_back(y);
      }
    if (plot.rule) ys.push_back(*plot.rule);
    x_ = {fixed(range_of(xs, plot.x.is_log), plot.x), plot.x.is_log, 0, 0};
    y_ = {fixed(range_of(ys, plot.y.is_log), plot.y), plot.y.is_log, kHeight - kBottom, kTop};
    if (!plot.x.categories.empty()) x_.range = {0.5, static_cast<double>(plot.x.categories.size()) + 0.5};
    y_ticks_ = y_.is_log ? log_ticks(y_.range, 6) : linear_ticks(y_.range, 6);
    double longest = 0, label = 0;
    for (const Tick& tick : y_ticks_) longest = std::max(longest, text_width(tick.label));
    for (const PlotSeries& series : plot.series) label = std::max(label, text_width(series.label));
    x_.begin = 10 + longest;
    x_.end = kWidth - (label > 0 ? 10 + label : 10);
  }

  bool has_points() const { return has_points_; }

  std::string svg() {
    std::string text = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n", kWidth, kHeight,
                                   escaped(plot_.title + " against " + plot_.x.label));
    text += axes();
    // A nested <svg> cuts off what lies outside a fixed range.
    const bool is_cut = plot_.x.low || plot_.x.high || plot_.y.low || plot_.y.high;
    if (is_cut)
      text += fmt::format(
          "<svg x=\"{0:.1f}\" y=\"{1}\" width=\"{2:.1f}\" height=\"{3}\" viewBox=\"{0:.1f} {1} {2:.1f} {3}\">\n",
          x_.begin, kTop, x_.end - x_.begin, kHeight - kTop - kBottom);
    if (plot_.rule)
      text += fmt::format("<line class=\"rule\" x1=\"{:.1f}\" y1=\"{y:.1f}\" x2=\"{:.1f}\" y2=\"{y:.1f}\"/>\n",
                          x_.begin, x_.end, fmt::arg("y", y_(*plot_.rule)));
    for (const PlotSeries& series : plot_.series) text += spread_of(series);
    for (const PlotSeries& series : plot_.series) text += curve(series);
    if (is_cut) text += "</svg>\n";
    return text + labels() + "</svg>\n";
  }

 private:
  static Range fixed(Range range, const PlotAxis& axis) {
    return {axis.low.value_or(range.low), axis.high.value_or(range.high)};
  }

  std::vector<Tick> x_ticks() const {
    std::vector<Tick> ticks;
    for (std::size_t i = 0; i < plot_.x.categories.size(); ++i)
      ticks.push_back({static_cast<double>(i + 1), plot_.x.categories[i]});
    if (!ticks.empty()) return ticks;
    return x_.is_log ? log_ticks(x_.range, 5) : linear_ticks(x_.range, 5);
  }

  std::string axes() const {
    const double bottom = kHeight - kBottom;
    std::string text;
    for (const Tick& tick : y_ticks_) {
      const double y = y_(tick.value);
      text += fmt::format("<line class=\"grid\" x1=\"{:.1f}\" y1=\"{y:.1f}\" x2=\"{:.1f}\" y2=\"{y:.1f}\"/>", x_.begin,
                          x_.end, fmt::arg("y", y));
      text += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", x_.begin - 6, y + 4,
                          escaped(tick.label));
    }
    text += fmt::format("<line class=\"axis\" x1=\"{:.1f}\" y1=\"{y}\" x2=\"{:.1f}\" y2=\"{y}\"/>\n", x_.begin, x_.end,
                        fmt::arg("y", bottom));
    for (const Tick& tick : x_ticks()) {
      const double x = x_(tick.value);
      text += fmt::format("<line class=\"axis\" x1=\"{x:.1f}\" y1=\"{}\" x2=\"{x:.1f}\" y2=\"{}\"/>", bottom,
                          bottom + 4, fmt::arg("x", x));
      text += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", x, bottom + 16,
                          escaped(tick.label));
    }
    return text + fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", (x_.begin + x_.end) / 2,
                              kHeight - 6, escaped(plot_.x.label));
  }

  bool is_shown(const PlotPoint& p) const { return x_.shows(p.x) && y_.shows(p.y); }
  bool has_spread(const PlotPoint& p) const { return is_shown(p) && y_.shows(p.low) && y_.shows(p.high); }

  std::string spread_of(const PlotSeries& series) const {
    std::string text;
    if (series.spread == PlotSeries::Spread::bars) {
      for (const PlotPoint& p : series.points)
        if (has_spread(p))
          text += fmt::format("M{x:.1f} {l:.1f}V{h:.1f}M{:.1f} {l:.1f}h6M{:.1f} {h:.1f}h6", x_(p.x) - 3, x_(p.x) - 3,
                              fmt::arg("x", x_(p.x)), fmt::arg("l", y_(p.low)), fmt::arg("h", y_(p.high)));
      return text.empty() ? text : fmt::format("<path class=\"bar s{}\" d=\"{}\"/>\n", series.style.color, text);
    }
    for (std::size_t begin = 0; begin < series.points.size();) {
      std::size_t end = begin;
      while (end < series.points.size() && has_spread(series.points[end])) ++end;
      if (end - begin > 1) {
        text += "M";
        for (std::size_t i = begin; i < end; ++i)
          text += fmt::format("{:.1f} {:.1f} ", x_(series.points[i].x), y_(series.points[i].high));
        for (std::size_t i = end; i-- > begin;)
          text += fmt::format("{:.1f} {:.1f} ", x_(series.points[i].x), y_(series.points[i].low));
        text.back() = 'Z';
      }
      begin = std::max(end, begin + 1);
    }
    return text.empty() ? text : fmt::format("<path class=\"band s{}\" d=\"{}\"/>\n", series.style.color, text);
  }

  std::string curve(const PlotSeries& series) {
    std::string line, marks;
    bool is_open = false;
    const PlotPoint* last = nullptr;
    for (const PlotPoint& p : series.points) {
      if (!is_shown(p)) {
        is_open = false;
        continue;
      }
      line += fmt::format("{}{:.1f} {:.1f}", is_open ? "L" : "M", x_(p.x), y_(p.y));
      is_open = true;
      last = &p;
      if (!series.has_marks || (series.has_line && series.points.size() > kMostMarks)) continue;
      marks += fmt::format("<path class=\"{} s{}\" d=\"{}\"><title>{}</title></path>\n",
                           series.is_open ? "open" : "mark", series.style.color,
                           mark_path(series.style.color, x_(p.x), y_(p.y), series.is_open ? kOpenMark : kMark),
                           hint(series, p));
    }
    if (last != nullptr && !series.label.empty())
      labels_.push_back({series.label, series.style.color, x_(last->x), y_(last->y), 0});
    if (series.has_line && !line.empty())
      line = fmt::format("<path class=\"curve s{} d{}\" d=\"{}\"/>\n", series.style.color, series.style.dash, line);
    else
      line.clear();
    return line + marks;
  }

  /// What a pointer that rests on a marker is told.
  std::string hint(const PlotSeries& series, const PlotPoint& p) const {
    std::string text = series.name.empty() ? std::string() : series.name + ": ";
    if (plot_.x.categories.empty()) text += fmt::format("{} {:.6g}, ", plot_.x.label, p.x);
    text += fmt::format("{:.6g}", p.y);
    if (std::isfinite(p.high)) text += fmt::format(" ± {:.3g}", p.high - p.y);
    return escaped(text);
  }

  std::string labels() {
    spread(labels_, kTop + 4, kHeight - kBottom - 4);
    std::string text;
    for (const EndLabel& label : labels_) {
      const double x = x_.end + 8;
      text += fmt::format("<line class=\"leader s{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>",
                          label.color, label.x + 5, label.y, x - 2, label.at);
      text += fmt::format("<text class=\"label s{}\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", label.color, x,
                          label.at + 4, escaped(label.text));
    }
    return text;
  }

  const Plot& plot_;
  bool has_points_ = false;
  Scale x_, y_;
  std::vector<Tick> y_ticks_;
  std::vector<EndLabel> labels_;
};

std::string legend(const Plot& plot) {
  std::string items;
  for (const PlotSeries& series : plot.series)
    if (!series.name.empty()) items += fmt::format("<li>{}{}</li>\n", sample_html(series), escaped(series.name));
  return items.empty() ? items : "<ul class=\"legend\">\n" + items + "</ul>\n";
}

}  // namespace

std::string sample_html(const PlotSeries& series) {
  const int color = series.style.color;
  std::string text = "<svg viewBox=\"0 0 28 12\" aria-hidden=\"true\">";
  if (series.has_line) text += fmt::format("<path class=\"curve s{} d{}\" d=\"M0 6H28\"/>", color, series.style.dash);
  if (series.has_marks)
    text += fmt::format("<path class=\"{} s{}\" d=\"{}\"/>", series.is_open ? "open" : "mark", color,
                        mark_path(color, 14, 6, series.is_open ? kOpenMark : kMark));
  return text + "</svg>";
}

std::string style_sample_html(const PlotStyle& style) { return sample_html({.style = style}); }

std::string plot_html(const Plot& plot) {
  Drawing drawing(plot);
  if (!drawing.has_points()) return {};
  const std::string note = plot.note.empty() ? "" : fmt::format(" {}", escaped(plot.note));
  return fmt::format("<figure class=\"plot\">\n<figcaption><b>{}</b>{}</figcaption>\n{}{}</figure>\n",
                     escaped(plot.title), note, legend(plot), drawing.svg());
}

}  // namespace tandem::examples
