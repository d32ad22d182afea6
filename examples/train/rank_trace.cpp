// Events as JSON, in microseconds; see rank_trace.h.
#include "rank_trace.h"

#include <fmt/format.h>

#include <cstdlib>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>

namespace tandem::train {
namespace {

constexpr const char* kVariable = "TANDEM_WORKERS_TRACE";
constexpr int kComputing = 1, kSumming = 2;  // rows

}  // namespace

std::unique_ptr<RankTrace> RankTrace::of_this_process(const std::shared_ptr<Workers>& workers) {
  const char* const path = std::getenv(kVariable);
  if (path == nullptr || workers->size() == 1 || workers->rank() > 0) return nullptr;
  return std::unique_ptr<RankTrace>(new RankTrace(path, workers));
}

RankTrace::RankTrace(std::filesystem::path path, std::shared_ptr<Workers> workers)
    : path_(std::move(path)), workers_(std::move(workers)) {
  workers_->record_events(true);
  for (const auto& [row, name] : {std::pair{kComputing, "rank 0 computes"}, {kSumming, "sums over ranks"}})
    events_ +=
        fmt::format(R"({{"ph":"M","name":"thread_name","pid":0,"tid":{},"args":{{"name":"{}"}}}},)", row, name) + "\n";
}

RankTrace::~RankTrace() {
  workers_->record_events(false);
  try {
    write_file(path_, "{\"traceEvents\":[\n" + events_.substr(0, events_.size() - 2) + "\n]}\n");
  } catch (const Error& error) {
    warn(error.what());
  }
}

void RankTrace::add(const std::string& name, int row, Clock::time_point begin, Clock::time_point end,
                    std::int64_t bytes) {
  const auto microseconds = [](Clock::duration d) { return std::chrono::duration<double, std::micro>(d).count(); };
  events_ += fmt::format(R"({{"ph":"X","name":"{}","pid":0,"tid":{},"ts":{:.1f},"dur":{:.1f},"args":{{"bytes":{}}}}},)",
                         name, row, microseconds(begin - origin_), microseconds(end - begin), bytes) +
             "\n";
}

void RankTrace::step(std::int64_t number, Clock::time_point begin, Clock::time_point backward_begin,
                     Clock::time_point backward_end) {
  add(fmt::format("step {}", number), kComputing, begin, Clock::now(), 0);
  add("backward", kComputing, backward_begin, backward_end, 0);
  for (const Workers::Event& event : workers_->take_events()) add("sum", kSumming, event.begin, event.end, event.bytes);
}

}  // namespace tandem::train
