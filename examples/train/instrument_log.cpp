// See instrument_log.h.
#include "instrument_log.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

namespace tandem::train {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) {
  if (std::isnan(value)) return nullptr;
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return std::strtod(fmt::format("{:.6g}", value).c_str(), nullptr);
}

Json bins_of(const Histogram& histogram) {
  Json bins = Json::array();
  for (int bin = 0; bin < Histogram::kBins; ++bin)
    if (const std::int64_t count = histogram.counts[static_cast<std::size_t>(bin)]; count > 0)
      bins.push_back({bin, count});
  return bins;
}

Json bins_of(const Histogram2d& histogram) {
  Json bins = Json::array();
  for (int y = 0; y < Histogram::kBins; ++y)
    for (int x = 0; x < Histogram::kBins; ++x)
      if (histogram.at(x, y) > 0) bins.push_back({x, y, histogram.at(x, y)});
  return bins;
}

}  // namespace

std::string instrument_header(const InstrumentReport& report) {
  Json header = {{"tandem", "instruments 1"}, {"bins", Json::array()}, {"parameters", Json::array()}};
  for (int bin = 0; bin < Histogram::kBins; ++bin) header["bins"].push_back(Histogram::name_of(bin));
  for (const auto& [name, values] : report.parameters) header["parameters"].push_back(name);
  return header.dump();
}

std::string instrument_line(std::int64_t step, const InstrumentReport& report) {
  Json line = {{"step", step},
               {"examples", report.examples},
               {"parts", report.parts},
               {"curvature_examples", report.curvature_examples},
               {"products", report.sharpness.products},
               {"whole", Json::object()}};
  for (const auto& [name, value] : report.scalars()) line["whole"][name] = number(value);
  line["gradients"] = bins_of(report.whole.gradients);
  line["gradients_weights"] = bins_of(report.whole.gradients_weights);
  Json columns = Json::object(), histograms = Json::array();
  for (const auto& [parameter, values] : report.parameters) {
    for (const auto& [name, value] : values.scalars()) columns[name].push_back(number(value));
    histograms.push_back(bins_of(values.gradients));
  }
  columns.erase("trace_error");  // of all parameters together alone
  line["by_parameter"] = std::move(columns);
  line["gradients_by_parameter"] = std::move(histograms);
  return line.dump();
}

}  // namespace tandem::train
