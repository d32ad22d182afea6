// What is unusual in a profile, in words. Each rule says what it looks for; none looks at anything but the report.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>

#include <tandem/core/threads.h>

#include "profile_log.h"

namespace tandem::train {
namespace {

using profile::Phase;
using profile::Report;
using profile::Row;

using Sentences = std::vector<std::string>;

bool is_training(Phase phase) { return phase == Phase::forward || phase == Phase::backward || phase == Phase::update; }

double percent(double part, double whole) { return whole > 0 ? 100 * part / whole : 0; }

std::string place(const Row& row) {
  return fmt::format("{} of {}", row.kernel, row.layer.empty() ? "no layer" : row.layer);
}

/// One of the words that this text is of: oneDNN's names join theirs by ':' and '_', several implementations by " + ".
bool has_word(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const auto ends = [&](std::size_t i) {
      return i >= text.size() || std::string_view(":_ +,").find(text[i]) != std::string_view::npos;
    };
    if ((at == 0 || ends(at - 1)) && ends(at + word.size())) return true;
  }
  return false;
}

/// The text of rows that meet a condition: how many, how long, and the longest of them.
template <class Condition>
void say_rows(const Report& report, double least_percent, const char* what, Condition meets, Sentences& all) {
  double seconds = 0;
  std::size_t count = 0;
  const Row* longest = nullptr;
  for (const Row& row : report.rows) {
    if (!meets(row)) continue;
    seconds += row.seconds;
    ++count;
    if (longest == nullptr) longest = &row;  // rows come sorted
  }
  if (longest == nullptr || percent(seconds, report.wall()) < least_percent) return;
  all.push_back(fmt::format("{}: {:.1f} % of the time{}, most of it {} ({}).", what, percent(seconds, report.wall()),
                            count > 1 ? fmt::format(" in {} places", count) : "", place(*longest),
                            longest->implementation.empty() ? name(longest->dtype) : longest->implementation));
}

/// OpenBLAS's kernels for processors before AVX.
bool is_old_blas(const Row& row) {
  constexpr std::string_view kOld[] = {"Prescott", "Core2",   "Penryn",       "Dunnington", "Nehalem", "Atom",
                                       "Athlon",   "Opteron", "Opteron_SSE3", "Barcelona",  "Bobcat",  "Nano"};
  return has_word(row.implementation, "OpenBLAS") &&
         std::any_of(std::begin(kOld), std::end(kOld),
                     [&](std::string_view old) { return has_word(row.implementation, old); });
}

bool processor_has_bf16() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.rfind("flags", 0) == 0) return has_word(line, "avx512_bf16") || has_word(line, "amx_bf16");
  return false;
}

void say_implementations(const Report& report, Sentences& all) {
  say_rows(
      report, 0.5, "Reference implementations, which are written to be read, compute",
      [](const Row& row) { return has_word(row.implementation, "reference") || has_word(row.implementation, "ref"); },
      all);
  if (instruction_set() != "x86-64") {  // OpenBLAS takes the oldest kernels for a processor that it does not know
    say_rows(report, 0.5, "OpenBLAS does not know this processor and computes without its vectors", is_old_blas, all);
  }
  if (processor_has_bf16()) return;
  say_rows(
      report, 0, "This processor has no bf16 arithmetic (avx512_bf16), so that it is done by way of f32",
      [](const Row& row) { return row.dtype == DType::bf16; }, all);
}

/// Packed weights are written anew after each update, once a layout. More often, or for long, is worth a word.
void say_repacks(const Report& report, Sentences& all) {
  double seconds = 0;
  std::int64_t repacks = 0;
  for (const Row& row : report.rows) {
    seconds += row.repack_seconds;
    repacks += row.repacks;
    const std::int64_t steps = std::max<std::int64_t>(1, report.steps);
    if (is_training(row.phase) && row.repacks > steps)
      all.push_back(fmt::format("{} repacks its weights {:.1f} times a step; they change once.", place(row),
                                static_cast<double>(row.repacks) / static_cast<double>(steps)));
    if (row.phase == Phase::evaluation && row.calls > 4 && row.repacks == row.calls)
      all.push_back(
          fmt::format("{} repacks its weights in every call of the evaluation, where they do not change.", place(row)));
  }
  if (percent(seconds, report.wall()) < 1) return;
  all.push_back(fmt::format(
      "Weights are repacked in every step: {:.2f} ms, {:.1f} % of the time, {:.1f} copies a step.",
      1000 * seconds / static_cast<double>(std::max<std::int64_t>(1, report.steps)), percent(seconds, report.wall()),
      static_cast<double>(repacks) / static_cast<double>(std::max<std::int64_t>(1, report.steps))));
}

void say_creations(const Report& report, Sentences& all) {
  if (report.warm_up_steps == 0) return;
  const auto worst = [&](std::int64_t Row::*count) {
    const auto most = std::max_element(report.rows.begin(), report.rows.end(),
                                       [&](const Row& a, const Row& b) { return a.*count < b.*count; });
    return most != report.rows.end() && (*most).*count > 0 ? fmt::format(", most of them by {}", place(*most)) : "";
  };
  const auto is_unsteady = [&](std::int64_t count) { return count > 2 * report.steps; };  // not once for a last batch
  if (is_unsteady(report.primitives))
    all.push_back(
        fmt::format("oneDNN's primitives are made anew all the time, {} after the warm-up{}: shapes change "
                    "from step to step.",
                    report.primitives, worst(&Row::primitives)));
  if (is_unsteady(report.allocations))
    all.push_back(fmt::format("The system is asked for memory all the time, {} times after the warm-up{}.",
                              report.allocations, worst(&Row::allocations)));
}

void say_neighbours(const Report& report, Sentences& all) {
  const Processors& p = report.processors;
  if (p.wall <= 0) return;
  const double others = p.others / p.wall, stolen = p.stolen / p.wall;
  const double idle = p.count - p.own / p.wall - others;
  if (others >= 0.1 && idle < 0.5)
    all.push_back(
        fmt::format("A neighbour: other processes had {:.2f} of {} processors meanwhile, this one {:.2f}, and "
                    "its threads had to make room {:.0f} times a second: times are longer than the work.",
                    others, p.count, p.own / p.wall, static_cast<double>(p.preemptions) / p.wall));
  if (stolen >= 0.05)
    all.push_back(fmt::format(
        "A neighbour: the host of this virtual machine gave {:.2f} of its {} processors to others.", stolen, p.count));
  if (report.threads > p.count)
    all.push_back(fmt::format("{} threads share {} processors: they wait for each other.", report.threads, p.count));
}

void say_gaps(const Report& report, Sentences& all) {
  double wall = 0, kernels = 0, cpu = 0;
  for (const Phase phase : {Phase::forward, Phase::backward, Phase::update}) {
    const profile::PhaseTime& time = report.phases[static_cast<std::size_t>(phase)];
    wall += time.wall;
    kernels += time.kernels;
    cpu += time.cpu;
  }
  if (wall > 0 && kernels < 0.9 * wall)
    all.push_back(
        fmt::format("{:.0f} % of forward, backward and update pass outside of kernels: the work is small "
                    "beside what a call costs.",
                    percent(wall - kernels, wall)));
  const Processors& p = report.processors;
  const bool is_alone = p.wall <= 0 || (p.others + p.stolen) / p.wall < 0.1;  // else they were made to wait
  if (is_alone && wall > 0 && report.threads > 1 && cpu < 0.75 * wall * report.threads)
    all.push_back(fmt::format("Of {} threads {:.1f} were busy while training.", report.threads, cpu / wall));
  for (const Phase phase : {Phase::loading, Phase::instruments, Phase::saving}) {
    const double share = percent(report.phases[static_cast<std::size_t>(phase)].wall, report.wall());
    if (share >= 5) all.push_back(fmt::format("{} takes {:.0f} % of the time.", name(phase), share));
  }
}

/// The rows that take long and are far from what the machine does.
void say_slow_rows(const Report& report, const Roof& roof, Sentences& all) {
  int said = 0;
  for (const Row& row : report.rows) {
    const double share = percent(row.seconds, report.wall());
    if (share < 3 || row.is_elsewhere || said == 3) continue;
    const double reached = share_of_roof(roof, row.dtype, row.operations, row.bytes, row.seconds);
    if (reached <= 0 || reached > 0.25) continue;
    ++said;
    all.push_back(fmt::format("{} takes {:.1f} % of the time and reaches {:.0f} % of the roof.", place(row), share,
                              100 * reached));
  }
}

}  // namespace

std::vector<std::string> findings(const Report& report, const Roof& roof) {
  Sentences all;
  say_neighbours(report, all);
  say_implementations(report, all);
  say_repacks(report, all);
  say_creations(report, all);
  say_gaps(report, all);
  say_slow_rows(report, roof, all);
  return all;
}

}  // namespace tandem::train
