// BehaviourScope: training or evaluation behaviour may be changed freely below a model; afterwards every module is as
// it was, also when something throws.
#pragma once

#include <vector>

#include <tandem/nn/module.h>

namespace tandem::nn {

/// Remembers is_training() of every module below `model`, and puts it back when the scope ends.
///   { const BehaviourScope scope(model); model.evaluate(); ... }
class BehaviourScope {
 public:
  explicit BehaviourScope(Module& model) {
    for (const NamedModule& m : model.modules()) before_.push_back({m.module, m.module->is_training()});
  }
  ~BehaviourScope() {
    // Parents stand first: what they do to the modules below is put right by the rows after.
    for (const Row& row : before_) row.module->set_training(row.training);
  }
  BehaviourScope(const BehaviourScope&) = delete;
  BehaviourScope& operator=(const BehaviourScope&) = delete;

 private:
  struct Row {
    Module* module;
    bool training;
  };
  std::vector<Row> before_;
};

}  // namespace tandem::nn
