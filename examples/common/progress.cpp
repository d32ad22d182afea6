// Progress on standard output. The bar is redrawn at most ten times a second and cut to the width of the terminal.
#include "progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

namespace tandem::examples {
namespace {

constexpr std::string_view kWipeLine = "\r\033[K";
constexpr std::int64_t kBarWidth = 20;

std::size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace

ProgressStyle progress_style(bool is_quiet) {
  if (is_quiet) return ProgressStyle::quiet;
  return ::isatty(STDOUT_FILENO) != 0 ? ProgressStyle::bar : ProgressStyle::lines;
}

Progress::Progress(ProgressStyle style, std::int64_t total_steps) : style_(style), total_steps_(total_steps) {}

Progress::~Progress() { wipe(); }

void Progress::start_run(const std::string& name, std::int64_t epochs, std::int64_t steps, std::int64_t done) {
  run_ = name;
  metric_.clear();
  epochs_ = epochs;
  run_steps_ = steps;
  run_done_ = done;
  total_steps_ -= done;
}

void Progress::start_epoch(std::int64_t epoch) { epoch_ = epoch; }

void Progress::step(double loss, double examples_per_second) {
  ++done_steps_;
  ++run_done_;
  if (style_ != ProgressStyle::bar || Clock::now() - drawn_ < std::chrono::milliseconds(100)) return;
  draw(loss, examples_per_second);
}

void Progress::end_epoch(const Metrics& metrics, std::string_view metric, double examples_per_second, double seconds) {
  if (style_ == ProgressStyle::quiet) return;
  metric_ = fmt::format("{} {:.4f}", metric, value_of(metrics, metric));
  std::string line = fmt::format("{}  epoch {}/{}  step {}", run_, epoch_, epochs_, run_done_);
  for (const auto& [name, value] : metrics) line += fmt::format("  {} {:.4f}", name, value);
  line +=
      fmt::format("  {} examples/s  {}\n", with_commas(std::llround(examples_per_second)), format_duration(seconds));
  wipe();
  print(line);
}

void Progress::draw(double loss, double examples_per_second) {
  drawn_ = Clock::now();
  const std::int64_t filled = kBarWidth * run_done_ / run_steps_;
  const double elapsed = std::chrono::duration<double>(drawn_ - begin_).count();
  const double left = elapsed * static_cast<double>(total_steps_ - done_steps_) / static_cast<double>(done_steps_);
  std::string line =
      fmt::format("{}  {}/{} [{:=<{}}{:{}}] {:3}%  loss {:.4f}  {}{}{} examples/s  {} left", run_, epoch_, epochs_, "",
                  filled, "", kBarWidth - filled, 100 * run_done_ / run_steps_, loss, metric_,
                  metric_.empty() ? "" : "  ", with_commas(std::llround(examples_per_second)), format_duration(left));
  line.resize(std::min(line.size(), terminal_width() - 1));
  print(std::string(kWipeLine) + line);
  is_drawn_ = true;
}

void Progress::wipe() {
  if (is_drawn_) print(kWipeLine);
  is_drawn_ = false;
}

std::string format_duration(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::ceil(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string with_commas(std::int64_t number) {
  std::string digits = std::to_string(number);
  const std::size_t first = digits[0] == '-' ? 1 : 0;
  for (std::size_t i = digits.size(); i > first + 3;) digits.insert(i -= 3, 1, ',');
  return digits;
}

}  // namespace tandem::examples
