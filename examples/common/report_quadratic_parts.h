// The sections of quadratic's report, each from its part of quadratic.json. Private to report_quadratic*.cpp. Throw
// nlohmann's exceptions where a part is not as quadratic_files.cpp writes it.
#pragma once

#include <cmath>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "plot.h"

namespace tandem::examples {

// Figures with tables and what is counted in them.
std::string variance_html(const nlohmann::ordered_json& rows);
std::string convergence_html(const nlohmann::ordered_json& json);
std::string rates_html(const nlohmann::ordered_json& json);
std::string adaptive_html(const nlohmann::ordered_json& json);

/// SGD and the heavy ball alone, and Lookahead, in all figures.
constexpr PlotStyle kAloneStyle{6, 0}, kLookaheadStyle{0, 5};

/// A number of a row; NaN where it is null.
double number(const nlohmann::ordered_json& row, const char* key);
/// Heading, what is measured, the rest; all HTML.
std::string section_html(const std::string& title, const std::string& text, const std::string& rest);
/// Sentences that were counted from the figures.
std::string findings_html(const std::vector<std::string>& sentences);
std::string plots_html(const std::vector<Plot>& plots);

}  // namespace tandem::examples
