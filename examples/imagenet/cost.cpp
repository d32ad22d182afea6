// The whole of ImageNet on paper; see cost.h.
#include "cost.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <tandem/report/metrics.h>

namespace imagenet {
namespace {

constexpr std::int64_t kFullCrop = 224;

/// "4.09 billion", "18.3 million".
std::string count_text(std::int64_t count) {
  constexpr double kMillion = 1e6, kBillion = 1e9;
  const auto number = static_cast<double>(count);
  return number < kBillion ? fmt::format("{:.3g} million", number / kMillion)
                           : fmt::format("{:.3g} billion", number / kBillion);
}

constexpr double kMinute = 60, kHour = 60 * kMinute, kDay = 24 * kHour, kYear = 365.25 * kDay;

}  // namespace

double whole_seconds(const Measured& m) {
  return static_cast<double>(kImageNetImages) * static_cast<double>(m.epochs) / m.examples_per_second;
}

double whole_seconds_full(const Measured& m) {
  return whole_seconds(m) * static_cast<double>(m.multiply_adds_full) / static_cast<double>(m.multiply_adds);
}

std::string long_duration(double seconds) {
  const auto text = [&](double unit, const char* name) { return fmt::format("{:.3g} {}", seconds / unit, name); };
  if (seconds >= 2 * kYear) return text(kYear, "years");
  if (seconds >= 2 * kDay) return text(kDay, "days");
  if (seconds >= 2 * kHour) return text(kHour, "hours");
  return text(kMinute, "minutes");
}

std::string cost_text(const Measured& m) {
  if (!(m.examples_per_second > 0) || m.multiply_adds < 1) return {};
  std::string text = fmt::format("ImageNet   {:.1f} images a second at {}x{} ({} multiply-adds forward)",
                                 m.examples_per_second, m.crop, m.crop, count_text(m.multiply_adds));
  if (m.peak_bytes > 0) text += fmt::format(", {:.2f} GB at the most", static_cast<double>(m.peak_bytes) / 1e9);
  text += fmt::format("\n           {} epochs of its {} images would take {} on this machine\n", m.epochs,
                      tandem::report::with_commas(kImageNetImages), long_duration(whole_seconds(m)));
  if (m.crop != kFullCrop) {
    text +=
        fmt::format("           at 224x224 a picture has {:.3g} times the multiply-adds: {}, if time goes with them\n",
                    static_cast<double>(m.multiply_adds_full) / static_cast<double>(m.multiply_adds),
                    long_duration(whole_seconds_full(m)));
  }
  return text;
}

std::int64_t peak_memory() {
  rusage usage{};
  constexpr std::int64_t kKibibyte = 1024;
  return ::getrusage(RUSAGE_SELF, &usage) == 0 ? static_cast<std::int64_t>(usage.ru_maxrss) * kKibibyte : 0;
}

}  // namespace imagenet
