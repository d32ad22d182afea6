// Metrics by name, and numbers as text; see metrics.h.
#include "metrics.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

#include <tandem/core/error.h>

namespace tandem::report {

double value_of(const Metrics& metrics, std::string_view name) {
  for (const auto& [known, value] : metrics)
    if (known == name) return value;
  return std::numeric_limits<double>::quiet_NaN();
}

bool is_larger_better(std::string_view name) {
  for (const std::string_view better : {"accuracy", "psnr", "ssim", "elbo", "bleu"})
    if (name.find(better) != std::string_view::npos) return true;
  return false;
}

bool is_better(std::string_view name, double value, double other) {
  if (std::isnan(value) || std::isnan(other)) return !std::isnan(value);
  return is_larger_better(name) ? value > other : value < other;
}

void keep_best(Metrics& best, const Metrics& now) {
  for (const auto& [name, value] : now) {
    if (std::isnan(value) || !is_better(name, value, value_of(best, name))) continue;
    bool is_known = false;
    for (auto& [known, kept] : best)
      if (known == name) kept = value, is_known = true;
    if (!is_known) best.emplace_back(name, value);
  }
}

std::string number_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return fmt::format("{}", value);
}

double parse_number(std::string_view text, std::string_view where) {
  if (text == "inf") return std::numeric_limits<double>::infinity();
  if (text == "-inf") return -std::numeric_limits<double>::infinity();
  if (text == "nan" || text == "-nan") return std::numeric_limits<double>::quiet_NaN();
  double value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size() || !std::isfinite(value))
    fail(where, fmt::format("\"{}\" is not a number", text.substr(0, 40)));
  return value;
}

std::string shown(double value) {
  if (std::isnan(value)) return "-";
  if (std::isinf(value)) return number_text(value);
  const double size = std::abs(value);
  if (size == 0) return "0";
  if (size < 1e-4 || size >= 1e6) return fmt::format("{:.3e}", value);
  if (size < 1e-3) return fmt::format("{:.5f}", value);
  return size < 100 ? fmt::format("{:.4f}", value) : fmt::format("{:.2f}", value);
}

std::string with_commas(long long number) {
  std::string digits = std::to_string(number);
  const std::size_t first = digits[0] == '-' ? 1 : 0;
  for (std::size_t i = digits.size(); i > first + 3;) digits.insert(i -= 3, 1, ',');
  return digits;
}

std::string shown_duration(double seconds) {
  if (!(seconds >= 0 && seconds < 1e9)) return "-";
  const auto whole = static_cast<long long>(std::ceil(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

}  // namespace tandem::report
