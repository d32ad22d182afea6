// Progress on standard output. The bar is redrawn at most ten times a second and cut to the width of the terminal.
#include "progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

namespace tandem::train {
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
  metric_ = fmt::format("{} {:.4f}", metric, report::value_of(metrics, metric));
  std::string line = fmt::format("{}  epoch {}/{}  step {}", run_, epoch_, epochs_, run_done_);
  for (const auto& [name, value] : metrics) line += fmt::format("  {} {:.4f}", name, value);
  line += fmt::format("  {} examples/s  {}\n", with_commas(std::llround(examples_per_second)),
                      report::shown_duration(seconds));
  wipe();
  print(line);
}

void Progress::note(const std::string& line) {
  if (style_ == ProgressStyle::quiet) return;
  wipe();
  print(line + "\n");
}

void Progress::draw(double loss, double examples_per_second) {
  drawn_ = Clock::now();
  const double elapsed = std::chrono::duration<double>(drawn_ - begin_).count();
  const double left = elapsed * static_cast<double>(total_steps_ - done_steps_) / static_cast<double>(done_steps_);
  const BarLine bar{run_, metric_, epoch_, epochs_, run_done_, run_steps_, loss, examples_per_second, left};
  print(std::string(kWipeLine) + bar_line(bar, terminal_width() - 1));
  is_drawn_ = true;
}

void Progress::wipe() {
  if (is_drawn_) print(kWipeLine);
  is_drawn_ = false;
}

std::string bar_line(const BarLine& bar, std::size_t width) {
  const auto line = [&](std::int64_t cells, bool has_metric, bool has_speed) {
    const std::int64_t filled = cells * bar.done / bar.steps;
    std::string text = fmt::format("{}  epoch {}/{}", bar.run, bar.epoch, bar.epochs);
    if (cells > 0) text += fmt::format(" [{:=<{}}{:{}}]", "", filled, "", cells - filled);
    text += fmt::format(" {:3}%  loss {:.4f}", 100 * bar.done / bar.steps, bar.loss);
    if (has_metric && !bar.metric.empty()) text += "  " + bar.metric;
    if (has_speed) text += fmt::format("  {} examples/s", with_commas(std::llround(bar.examples_per_second)));
    return text + fmt::format("  {} left", report::shown_duration(bar.seconds_left));
  };
  for (const std::string& text : {line(kBarWidth, true, true), line(kBarWidth / 2, true, true),
                                  line(kBarWidth / 2, true, false), line(kBarWidth / 2, false, false)})
    if (text.size() <= width) return text;
  std::string text = line(0, false, false);
  text.resize(std::min(text.size(), width));
  return text;
}

}  // namespace tandem::train
