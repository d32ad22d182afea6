// Recorder: what the optimizer knows of a few chosen weights round a step, for explanations. Costs nothing when no
// weight was chosen. Private to optim/ (optimizer.cpp, explain.cpp).
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include <tandem/optim/engine/group.h>
#include <tandem/optim/study/explain.h>

namespace tandem {

class Recorder {
 public:
  explicit Recorder(const std::vector<std::unique_ptr<RunningGroup>>& groups) : groups_(groups) {}

  /// `element`: of the arena of the group. Chosen twice is chosen once.
  void choose(std::size_t group, std::size_t slot, const std::string& name, const std::vector<std::int64_t>& index);
  void clear() { chosen_.clear(); }
  /// Round a step that schedules call `index`, when its gradients have arrived.
  void before(std::int64_t index);
  void after();
  /// The last step of a chosen weight. Throws Error when it was not chosen before that step.
  Explanation explain(std::size_t group, std::size_t slot, const std::string& name,
                      const std::vector<std::int64_t>& index) const;

 private:
  struct Record {
    std::string path;
    double value = 0;
  };
  struct Chosen {
    std::size_t group, slot;
    std::int64_t element;
    std::string name;
    std::vector<std::int64_t> index;
    // Of the last step:
    std::int64_t step = -1;
    std::shared_ptr<RuleNode> rule;  // with the hyper-parameters of then
    double before = 0, gradient = 0, after = 0;
    bool has_gradient = false;
    std::vector<Record> state, measured;
  };
  const Chosen* find(std::size_t group, std::int64_t element) const;
  std::int64_t element_of(std::size_t group, std::size_t slot, const std::vector<std::int64_t>& index) const;

  const std::vector<std::unique_ptr<RunningGroup>>& groups_;
  std::vector<Chosen> chosen_;
};

}  // namespace tandem
