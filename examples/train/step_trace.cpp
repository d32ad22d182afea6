// The request read, the explanations written.
#include "step_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include <tandem/core/threads.h>
#include <tandem/core/versions.h>
#include <tandem/report/folder_files.h>
#include <tandem/report/metrics.h>

namespace tandem::train {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(report::number_text(value)); }

Json numbers(const std::vector<std::pair<std::string, double>>& values) {
  Json json = Json::object();
  for (const auto& [name, value] : values) json[name] = number(value);
  return json;
}

Json to_json(const Explanation& e) {
  Json lines = Json::array();
  for (const TracedLine& line : e.lines) {
    Json terms = Json::array();
    for (const TracedTerm& t : line.terms)
      terms.push_back({{"symbols", t.symbols}, {"numbers", t.numbers}, {"value", number(t.value)}});
    lines.push_back({{"formula", line.formula},
                     {"place", line.place},
                     {"name", line.name},
                     {"symbols", line.symbols},
                     {"numbers", line.numbers},
                     {"value", number(line.value)},
                     {"terms", std::move(terms)}});
  }
  return {{"parameter", e.parameter},
          {"index", e.index},
          {"step", e.step},
          {"rule", e.rule},
          {"dtype", name(e.dtype)},
          {"before", number(e.before)},
          {"gradient", e.has_gradient ? number(e.gradient) : Json()},
          {"after", number(e.after)},
          {"is_exact", e.is_exact},
          {"state", numbers(e.state)},
          {"measured", numbers(e.measured)},
          {"lines", std::move(lines)},
          {"text", e.to_string()}};
}

TraceRequest read_request(const std::filesystem::path& path) {
  constexpr std::uint64_t kLargest = std::uint64_t{1} << 20;
  const std::string text = read_file(path, kLargest);
  report::check_depth(text, path.string());
  try {
    const Json json = Json::parse(text);
    TraceRequest r;
    r.run = json.at("run");
    r.steps = json.value("steps", r.steps);
    for (const Json& w : json.value("weights", Json::array())) r.weights.push_back({w.at("parameter"), w.at("index")});
    r.out = json.value("out", "");
    r.largest = json.value("largest", false);
    r.largest_of = json.value("of", "");
    r.save_at = json.value("save_at", std::int64_t{-1});
    r.save = json.value("save", "");
    r.path_steps = json.value("path_steps", r.path_steps);
    r.path = json.value("path", "");
    r.ends = json.value("ends", false);
    for (const auto& [name, steps] : {std::pair("steps", &r.steps), {"path_steps", &r.path_steps}})
      if (!std::is_sorted(steps->begin(), steps->end()))
        fail(path.string(), fmt::format("\"{}\" are not in rising order", name));
    if ((!r.steps.empty() && r.out.empty()) || (r.save_at >= 0 && r.save.empty()) ||
        (!r.path_steps.empty() && r.path.empty()))
      fail(path.string(), "it does not say where to write", {}, "\"out\", \"save\" or \"path\"");
    return r;
  } catch (const Json::exception& error) {
    fail(path.string(), fmt::format("not a request for {}", kTraceVariable), error.what());
  }
}

/// f(offset, n) for every element of an Array in logical order; n counts them.
template <class F>
void for_each_offset(const Array& array, F&& f) {
  std::vector<std::int64_t> index(static_cast<std::size_t>(array.shape().rank()), 0);
  for (std::int64_t n = 0; n < array.size(); ++n) {
    std::int64_t offset = 0;
    for (std::size_t d = 0; d < index.size(); ++d) offset += index[d] * array.stride(static_cast<int>(d));
    f(offset, index);
    for (std::size_t d = index.size(); d-- > 0;) {
      if (++index[d] < array.shape(static_cast<int>(d))) break;
      index[d] = 0;
    }
  }
}

double value_at(const Array& array, std::int64_t offset) {
  return array.dtype() == DType::f64 ? array.data<double>()[offset] : static_cast<double>(array.data<float>()[offset]);
}

}  // namespace

struct StepTrace::Result {
  Json json;
};

void write_trace_request(const std::filesystem::path& path, const TraceRequest& r) {
  Json weights = Json::array();
  for (const TracedWeight& w : r.weights) weights.push_back({{"parameter", w.parameter}, {"index", w.index}});
  const Json json = {{"run", r.run},
                     {"steps", r.steps},
                     {"weights", std::move(weights)},
                     {"out", r.out},
                     {"largest", r.largest},
                     {"of", r.largest_of},
                     {"save_at", r.save_at},
                     {"save", r.save.string()},
                     {"path_steps", r.path_steps},
                     {"path", r.path.string()},
                     {"ends", r.ends}};
  write_file(path, json.dump(2) + "\n");
}

std::filesystem::path path_file(const std::filesystem::path& folder, std::int64_t step, bool is_before_pull) {
  return folder / fmt::format("{}{}.safetensors", step, is_before_pull ? "-fast" : "");
}

std::unique_ptr<StepTrace> StepTrace::of_this_process(const std::string& run) {
  const char* const path = std::getenv(kTraceVariable);
  if (path == nullptr || *path == '\0') return nullptr;
  TraceRequest request = read_request(path);
  return request.run == run ? std::make_unique<StepTrace>(std::move(request)) : nullptr;
}

StepTrace::StepTrace(TraceRequest request) : request_(std::move(request)), result_(std::make_unique<Result>()) {
  result_->json = {{"run", request_.run},
                   {"machine", fmt::format("{}, {}", processor_name(), instruction_set())},
                   {"software", library_versions()},
                   {"steps", Json::array()}};
}

StepTrace::~StepTrace() = default;

bool StepTrace::has(std::int64_t step) const {
  return std::binary_search(request_.steps.begin(), request_.steps.end(), step);
}

bool StepTrace::looks_for_largest(std::int64_t step) const {
  return request_.largest && !request_.steps.empty() && step == request_.steps.back();
}

bool StepTrace::ends_after(std::int64_t step) const {
  return request_.ends && step >= request_.save_at && (request_.steps.empty() || step >= request_.steps.back()) &&
         (request_.path_steps.empty() || step >= request_.path_steps.back());
}

bool StepTrace::keeps(std::int64_t step) const {
  return std::binary_search(request_.path_steps.begin(), request_.path_steps.end(), step);
}

void StepTrace::keep(const NamedTensors& state, std::int64_t step, bool is_before_pull) const {
  NamedArrays arrays;
  for (const NamedTensor& entry : state) arrays.push_back({entry.name, entry.tensor.value()});
  save_safetensors(path_file(request_.path, step, is_before_pull), arrays,
                   {{"run", request_.run}, {"step", std::to_string(step)}});
}

/// Before the first step, so that nobody waits for a name that is wrong.
void StepTrace::check(Optimizer& optimizer, const NamedTensors& parameters) {
  for (const TracedWeight& weight : request_.weights) optimizer.trace(weight.parameter, weight.index);
  std::vector<std::string> names;
  for (const NamedTensor& parameter : parameters)
    if (parameter.tensor.requires_grad()) names.push_back(parameter.name);
  const std::string& of = request_.largest_of;
  if (of.empty() || std::find(names.begin(), names.end(), of) != names.end()) return;
  const std::string near = nearest_word(of, names.data(), names.size());
  fail_usage("optimizer", fmt::format("no parameter \"{}\"", of), fmt::format("{} are trained", names.size()),
             near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
}

void StepTrace::before(Optimizer& optimizer, const NamedTensors& parameters, std::int64_t step) {
  if (!is_checked_) check(optimizer, parameters);
  is_checked_ = true;
  optimizer.end_traces();
  if (!has(step)) return;
  for (const TracedWeight& weight : request_.weights) optimizer.trace(weight.parameter, weight.index);
  if (!looks_for_largest(step)) return;
  moved_.clear();
  before_.clear();
  for (const NamedTensor& parameter : parameters) {
    const bool is_meant = request_.largest_of.empty() || parameter.name == request_.largest_of;
    if (!parameter.tensor.requires_grad() || !is_meant) continue;
    moved_.push_back(parameter);
    before_.push_back(parameter.tensor.value().clone());
  }
}

void StepTrace::find_largest() {
  double most = -1;
  TracedWeight found;
  for (std::size_t i = 0; i < moved_.size(); ++i) {
    const Array after = moved_[i].tensor.value().contiguous(), before = before_[i].contiguous();
    for_each_offset(after, [&](std::int64_t offset, const std::vector<std::int64_t>& index) {
      double update = std::abs(value_at(after, offset) - value_at(before, offset));
      if (std::isnan(update)) update = std::numeric_limits<double>::infinity();
      if (update <= most) return;
      most = update;
      found = {moved_[i].name, index};
    });
  }
  result_->json["largest"] = {{"parameter", found.parameter}, {"index", found.index}, {"update", number(most)}};
  moved_.clear();
  before_.clear();
}

void StepTrace::after(Optimizer& optimizer, std::int64_t step, double loss) {
  if (!has(step)) return;
  Json weights = Json::array();
  for (const TracedWeight& weight : request_.weights)
    weights.push_back(to_json(optimizer.explain(weight.parameter, weight.index)));
  result_->json["steps"].push_back({{"step", step}, {"loss", number(loss)}, {"weights", std::move(weights)}});
  if (looks_for_largest(step)) find_largest();
  write_file(request_.out, result_->json.dump(1) + "\n");
}

}  // namespace tandem::train
