// The hyper-parameters of an Optimizer by name, "groups/0/inner/lr", and the states of their plateau schedules.
// Private to optim/ (optimizer.cpp).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/optim/engine/group.h>
#include <tandem/optim/text/plateau.h>

namespace tandem {

struct NamedField {
  std::string path;
  bool is_outer = false;  // of an outer rule
  RuleNode* node = nullptr;
  Field field;
};

/// A plateau schedule at work: the hyper-parameter it belongs to, and the name of its state.
struct NamedPlateau {
  std::string field, name;
  OwnPlateau plateau;
};

class HyperParameters {
 public:
  explicit HyperParameters(const std::vector<std::unique_ptr<RunningGroup>>& groups) : groups_(groups) {}

  /// The rules with their present hyper-parameters.
  std::string describe() const;
  /// Gives all plateau schedules states of their own.
  void bind();
  /// Numeric fields, all or those that `name` means. Throws UsageError when there is none of the name.
  std::vector<NamedField> fields(std::string_view name = {}) const;
  void set(std::string_view name, const Schedule& value);
  /// The first lr that is not of an outer rule; nullptr when no rule has one.
  const Schedule* find_lr() const;
  double peek(std::string_view name, std::int64_t step) const;
  void report(double metric, bool larger_is_better);
  /// Throws UsageError when a schedule that is known only now (custom, plateau) leaves the range in this step.
  void check(std::int64_t step) const;
  const std::vector<NamedPlateau>& plateaus() const { return plateaus_; }

 private:
  void bind_plateaus(const NamedField& f);
  void find_unknown();
  const std::vector<std::unique_ptr<RunningGroup>>& groups_;
  std::vector<NamedPlateau> plateaus_;
  std::vector<NamedField> unknown_;  // their schedules have custom parts or plateaus
};

}  // namespace tandem
