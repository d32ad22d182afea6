// StepTrace: what a run is to look at beside training: the updates of a few weights in some steps, its state after a
// step, its weights along the way. A file says what, which TANDEM_TRACE names in the environment; nothing without it.
// The run stays the same, bit for bit. Not here: how a run is repeated (replay.h), explanations
// (optim/study/explain.h).
//
//   {"run": "adam-seed0", "steps": [7, 8], "weights": [{"parameter": "conv1.weight", "index": [0, 0, 1, 1]}],
//    "out": "FILE",                     the explanations of these weights in these steps
//    "largest": true, "of": "",         the element (of this parameter; empty: of any) that the last step moves most
//    "save_at": 6, "save": "FILE",      the state after this step, as a checkpoint; 0: before the first one
//    "path_steps": [0, 5], "path": DIR, the model after these steps: path_file()
//    "ends": true}                      the run stops when all this is done, and leaves no model
//
// FILE gets {"run", "machine", "software", "steps": [{"step", "loss", "weights": [EXPLANATION]}],
// "largest": {"parameter", "index", "update"}}; EXPLANATION has the fields of Explanation, and "text", its to_string().
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <tandem/optim/optimizer.h>

namespace tandem::train {

inline constexpr const char* kTraceVariable = "TANDEM_TRACE";

/// An element of a parameter.
struct TracedWeight {
  std::string parameter;
  std::vector<std::int64_t> index;
};

struct TraceRequest {
  std::string run = {};                    ///< its name; other runs of the process are left alone
  std::vector<std::int64_t> steps = {};    ///< in rising order
  std::vector<TracedWeight> weights = {};  ///< empty: none
  std::filesystem::path out = {};
  bool largest = false;
  std::string largest_of = {};
  std::int64_t save_at = -1;  ///< -1: nowhere
  std::filesystem::path save = {};
  std::vector<std::int64_t> path_steps = {};  ///< in rising order
  std::filesystem::path path = {};            ///< a folder that is there
  bool ends = false;
};

/// Where the parameters and buffers stand that a model had after a step, or at its sync before the pull of the
/// outermost loop: FOLDER/57.safetensors, FOLDER/57-fast.safetensors.
std::filesystem::path path_file(const std::filesystem::path& folder, std::int64_t step, bool is_before_pull = false);

void write_trace_request(const std::filesystem::path& path, const TraceRequest& request);

class StepTrace {
 public:
  /// What TANDEM_TRACE asks of this run; null when it asks nothing. Throws Error when the file is not such a request.
  static std::unique_ptr<StepTrace> of_this_process(const std::string& run);
  explicit StepTrace(TraceRequest request);
  ~StepTrace();
  StepTrace(const StepTrace&) = delete;
  StepTrace& operator=(const StepTrace&) = delete;

  /// Before a step. Throws UsageError for a parameter or an index that there is not.
  void before(Optimizer& optimizer, const NamedTensors& parameters, std::int64_t step);
  void after(Optimizer& optimizer, std::int64_t step, double loss);

  bool saves_at(std::int64_t step) const { return step == request_.save_at; }
  const std::filesystem::path& save_path() const { return request_.save; }
  /// The path has this step.
  bool keeps(std::int64_t step) const;
  /// Writes path_file(): `state` is Module::state_dict().
  void keep(const NamedTensors& state, std::int64_t step, bool is_before_pull) const;
  bool ends() const { return request_.ends; }
  /// Nothing is left to look at after this step, where the run is to end then.
  bool ends_after(std::int64_t step) const;

 private:
  struct Result;
  bool has(std::int64_t step) const;
  bool looks_for_largest(std::int64_t step) const;
  void check(Optimizer& optimizer, const NamedTensors& parameters);
  void find_largest();

  TraceRequest request_;
  bool is_checked_ = false;
  NamedTensors moved_;              // parameters whose largest update is looked for,
  std::vector<Array> before_;       // and their values before the step
  std::unique_ptr<Result> result_;  // JSON
};

}  // namespace tandem::train
