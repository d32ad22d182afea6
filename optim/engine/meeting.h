// Meeting: what the groups of an Optimizer tell each other between looks (Seat, look.h). Private to optim/
// (stepper.cpp).
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <tandem/optim/engine/group.h>

namespace tandem {

/// The loss of the step's batch once more; gradients go into the arenas.
using Evaluate = std::function<double()>;

class Meeting {
 public:
  /// All groups look, meet, and look again, until none needs to.
  void run(const std::vector<std::unique_ptr<RunningGroup>>& groups, const Evaluate* evaluate, double loss);
  /// Of the evaluation that runs: which copy's weights the parameters hold (copies.h).
  std::int64_t copy() const { return copy_; }

 private:
  void evaluate_where_asked();
  void name_sums();

  class GroupSeat : public Seat {
   public:
    GroupSeat(Meeting& meeting, RunningGroup& group) : meeting_(meeting), group_(group) {}
    /// This group's part of a sum: null where it has none, or not yet.
    const Squares* part(int id) const;
    void add(int key, const Squares& part) override;
    bool is_complete(int key) const override;
    Squares sum(int key) const override;
    void ask(void* point, std::int64_t copy) override;
    const void* gradients() const override { return group_.evaluated(); }
    double loss() const override { return meeting_.loss_; }
    double step_loss() const override { return meeting_.step_loss_; }

    void begin();
    /// True when it must look again.
    bool look();

    Meeting& meeting_;
    RunningGroup& group_;
    std::vector<int> ids;        // of each of this group's sums: the same in all groups that have it
    std::vector<Squares> parts;  // this group's, by key
    bool is_done = false, has_asked = false;
    bool has_progressed = false;  // in its last look: gave a part, asked, or is done
    void* point = nullptr;
    std::int64_t copy = 0;
  };

  const Evaluate* evaluate_ = nullptr;
  double step_loss_ = 0, loss_ = 0;
  std::int64_t copy_ = 0;
  std::vector<GroupSeat> seats_;
};

}  // namespace tandem
