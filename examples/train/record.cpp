// Logs of a run. The lines of steps are formatted into a buffer that is written when it is full, so that a step costs
// no call to the system.
#include "record.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include <tandem/core/error.h>

namespace tandem::train {
namespace {

constexpr std::size_t kBuffer = std::size_t{1} << 16;
constexpr const char* kEvents = "events.out.tfevents.tandem";

/// The part of a log that can be kept: all of `keep`, or with a warning what is there.
std::int64_t kept(const std::filesystem::path& path, std::int64_t keep) {
  std::error_code error;
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(path, error));
  const std::int64_t found = error ? 0 : size;
  if (found >= keep) return keep;
  warn(fmt::format("{}: {} of {} bytes are there: lines of steps before the checkpoint are lost", path.string(), found,
                   keep));
  return found;
}

/// The whole lines of a text file among its first `bytes`.
std::int64_t whole_lines(const std::filesystem::path& path, std::int64_t bytes) {
  const std::size_t end = read_file(path).rfind('\n', static_cast<std::size_t>(bytes - 1));
  return end == std::string::npos ? 0 : static_cast<std::int64_t>(end) + 1;
}

std::unique_ptr<LogFile> open_log(const std::filesystem::path& path, std::int64_t keep) {
  std::int64_t there = keep > 0 ? kept(path, keep) : 0;
  if (there > 0 && there < keep) there = whole_lines(path, there);
  return there > 0 ? std::make_unique<LogFile>(path, there) : std::make_unique<LogFile>(path);
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

/// RUN/name of all runs in one file: `joined` gives the line for a line of a run, and for the header, which has no run.
template <class Joined>
void join(const std::filesystem::path& folder, const Manifest& manifest, const char* name, Joined joined) {
  std::string text;
  for (const PlannedRun& run : manifest.planned) {
    const std::filesystem::path path = folder / run.name / name;
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(path, ignored)) continue;
    const std::string log = read_file(path);
    for (std::size_t begin = 0; begin < log.size();) {
      const std::size_t end = std::min(log.find('\n', begin), log.size() - 1) + 1;
      const std::string_view line(log.data() + begin, end - begin);
      if (begin > 0) text += joined(&run, line);
      if (begin == 0 && text.empty()) text += joined(nullptr, line);
      begin = end;
    }
  }
  if (!text.empty()) write_file(folder / name, text);
}

}  // namespace

/// A log with a header, which stands when the first line comes.
class RunLogs::Log {
 public:
  Log(const std::filesystem::path& path, std::int64_t keep) : file_(open_log(path, keep)) {}
  bool is_empty() const { return file_->size() == 0 && buffer_.size() == 0; }
  fmt::memory_buffer& buffer() { return buffer_; }
  void end_line() {
    buffer_.push_back('\n');
    if (buffer_.size() >= kBuffer) flush();
  }
  void flush() {
    file_->append({buffer_.data(), buffer_.size()});
    buffer_.clear();
  }
  std::int64_t sync() {
    flush();
    file_->sync();
    return file_->size();
  }

 private:
  std::unique_ptr<LogFile> file_;
  fmt::memory_buffer buffer_;
};

RunLogs::RunLogs(std::filesystem::path folder, const LogPosition& position)
    : folder_(std::move(folder)),
      steps_(std::make_unique<Log>(folder_ / "steps.csv", position.steps)),
      metrics_(std::make_unique<Log>(folder_ / "metrics.csv", position.metrics)) {
  inner_ = reopen("inner.csv", position.inner);
  instruments_ = reopen("instruments.jsonl", position.instruments);
  const std::int64_t events = position.events > 0 ? kept(folder_ / kEvents, position.events) : 0;
  events_ = events == position.events && events > 0 ? std::make_unique<EventFile>(folder_ / kEvents, events)
                                                    : std::make_unique<EventFile>(folder_ / kEvents);
}

RunLogs::~RunLogs() {
  try {
    for (Log* log : {steps_.get(), metrics_.get(), inner_.get(), instruments_.get()})
      if (log != nullptr) log->flush();
  } catch (const Error& error) {
    warn(error.what());
  }
}

/// A log that stands only where there is something in it.
std::unique_ptr<RunLogs::Log> RunLogs::reopen(const char* name, std::int64_t keep) const {
  if (keep > 0) return std::make_unique<Log>(folder_ / name, keep);
  std::error_code ignored;
  std::filesystem::remove(folder_ / name, ignored);
  return nullptr;
}

void RunLogs::step(const StepLine& line) {
  fmt::memory_buffer& buffer = steps_->buffer();
  const auto out = std::back_inserter(buffer);
  if (steps_->is_empty())
    fmt::format_to(out, "step,loss,lr,gradient_norm,update_norm,distance,alpha,synced{}\n",
                   line.bytes < 0 ? "" : ",bytes,waited");
  fmt::format_to(out, FMT_COMPILE("{},{},{}"), line.step, line.loss, line.lr);
  for (const double value : {line.gradient_norm, line.update_norm, line.distance, line.alpha}) {
    buffer.push_back(',');
    if (!std::isnan(value)) fmt::format_to(out, FMT_COMPILE("{}"), static_cast<float>(value));
  }
  buffer.push_back(',');
  buffer.push_back(line.synced ? '1' : '0');
  if (line.bytes >= 0) fmt::format_to(out, FMT_COMPILE(",{},{:.6f}"), line.bytes, line.waited);
  steps_->end_line();
  events_->begin(line.step);
  events_->add("loss", line.loss);
  events_->add("lr", line.lr);
  events_->add("gradient_norm", line.gradient_norm);
  events_->add("update_norm", line.update_norm);
  if (!std::isnan(line.distance)) events_->add("distance", line.distance);
  events_->end();
}

/// A line of metrics behind other values; their names, where it is the first line.
void RunLogs::line(Log& log, const char* names, const std::string& values, const Metrics& metrics) {
  const auto out = std::back_inserter(log.buffer());
  if (log.is_empty()) {
    fmt::format_to(out, "{}", names);
    for (const auto& [name, value] : metrics) fmt::format_to(out, ",{}", name);
    fmt::format_to(out, "\n");
  }
  fmt::format_to(out, "{}", values);
  for (const auto& [name, value] : metrics) fmt::format_to(out, ",{}", value);
  log.end_line();
}

void RunLogs::evaluation(std::int64_t step, double epoch, const Metrics& metrics) {
  line(*metrics_, "step,epoch", fmt::format("{},{}", step, epoch), metrics);
  events_->begin(step);
  for (const auto& [name, value] : metrics) events_->add(name, value);
  events_->end();
}

void RunLogs::inner(std::int64_t step, const char* weights, const Metrics& metrics) {
  if (!inner_) inner_ = std::make_unique<Log>(folder_ / "inner.csv", 0);
  line(*inner_, "step,weights", fmt::format("{},{}", step, weights), metrics);
}

void RunLogs::instruments(std::int64_t step, const InstrumentReport& report) {
  if (!instruments_) instruments_ = std::make_unique<Log>(folder_ / "instruments.jsonl", 0);
  const auto out = std::back_inserter(instruments_->buffer());
  if (instruments_->is_empty()) fmt::format_to(out, "{}\n", instrument_header(report));
  fmt::format_to(out, "{}", instrument_line(step, report));
  instruments_->end_line();
  events_->begin(step);
  for (const auto& [name, value] : report.scalars())
    if (std::isfinite(value)) events_->add(fmt::format("instruments/{}", name), value);
  events_->end();
}

LogPosition RunLogs::sync() {
  return {steps_->sync(), metrics_->sync(), events_->sync(), inner_ ? inner_->sync() : 0,
          instruments_ ? instruments_->sync() : 0};
}

void join_logs(const std::filesystem::path& folder, const Manifest& manifest) {
  join(folder, manifest, "metrics.csv", [](const PlannedRun* run, std::string_view line) {
    // Here the epoch stands before the step: what a person looks for first.
    const std::size_t first = line.find(','), second = std::min(line.find(',', first + 1), line.size() - 1);
    const std::string swapped =
        fmt::format("{},{}{}", line.substr(first + 1, second - first - 1), line.substr(0, first), line.substr(second));
    return run == nullptr ? "run,optimizer,seed," + swapped
                          : fmt::format("{},{},{},{}", run->name, csv_field(run->optimizer), run->seed, swapped);
  });
  join(folder, manifest, "steps.csv", [](const PlannedRun* run, std::string_view line) {
    return fmt::format("{},{}", run == nullptr ? "run" : run->name, line);
  });
}

}  // namespace tandem::train
