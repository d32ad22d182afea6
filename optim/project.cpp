// Projections at work: one in the sweep of the inner rule, one after a look at all rows. See project.h.
#include <tandem/optim/project.h>

#include <cmath>

#include <tandem/optim/combinator.h>
#include <tandem/optim/engine/register.h>
#include <tandem/optim/engine/unit_row.h>

namespace tandem {
namespace {

struct ProjectOptions {
  Schedule max = 1;
  void fields(Fields& f) { f("max", max, {.is_low_open = true}, kAlways); }
};

template <class T>
struct Box {
  static constexpr const char* kName = "project_box";
  static constexpr std::array kNames = {"w", "w"};
  static constexpr auto kState = kNoState;
  T max;
  void operator()(T& w, T from) const { w = from < -max ? -max : max < from ? max : from; }
};

template <class T>
struct Shrink {
  static constexpr const char* kName = "project_norm";
  static constexpr std::array kNames = {"w", "factor"};
  static constexpr auto kState = kNoState;
  void operator()(T& w, T factor) const { w *= factor; }
};

/// What both share: they come after the inner rule, on the parameters with a gradient.
template <class T>
class RunningProject : public Follower<T> {
 public:
  RunningProject(const ProjectOptions& options, std::unique_ptr<Running<T>> inner, const Frame& frame, bool sees_all)
      : Follower<T>(std::move(inner)), options_(options), frame_(frame), sees_all_(sees_all) {}

  void begin(std::int64_t index) override {
    max_ = options_.max.at(index);
    this->inner().begin(index);
    this->plan(true, sees_all_);
  }
  bool is_at_sync() const override { return false; }
  void join(Roll<T>& roll) override {
    roll.changes_updates = true;
    Follower<T>::join(roll);
  }

 protected:
  double max() const { return max_; }
  const Frame& frame() const { return frame_; }

 private:
  const ProjectOptions& options_;
  const Frame& frame_;
  const bool sees_all_;
  double max_ = 0;
};

template <class T>
class RunningProjectBox : public RunningProject<T> {
 public:
  RunningProjectBox(const ProjectOptions& options, std::unique_ptr<Running<T>> inner, const Frame& frame)
      : RunningProject<T>(options, std::move(inner), frame, false) {}
  void act(const Block<T>& block) override {
    for_runs(this->frame().arrived, block.begin, block.end, [&](std::int64_t begin, std::int64_t end, bool) {
      T* const w = block.weight + (begin - block.begin);
      detail::formula_pass<T>(Box<T>{coefficient<T>("max", this->max())}, w, w, nullptr, end - begin);
    });
  }
};

template <class T>
class RunningProjectNorm : public RunningProject<T> {
 public:
  RunningProjectNorm(const ProjectOptions& options, std::unique_ptr<Running<T>> inner, const Frame& frame)
      : RunningProject<T>(options, std::move(inner), frame, true), rows_(rows_of(frame, 2)), factors_(frame) {
    std::fill(factors_.at(0), factors_.at(0) + frame.size, T(1));
  }
  bool look_before_act(const Look<T>& look) override {
    for_arrived_rows(this->frame(), rows_, [&](const UnitRow& row) {
      const double norm = std::sqrt(row_sum(row, look.weight, [](double w) { return w * w; }));
      fill_row(row, factors_.at(0), static_cast<T>(norm > this->max() ? this->max() / norm : 1));
    });
    return false;
  }
  void act(const Block<T>& block) override {
    for_runs(this->frame().arrived, block.begin, block.end, [&](std::int64_t begin, std::int64_t end, bool) {
      detail::formula_pass<T>(Shrink<T>{}, block.weight + (begin - block.begin), factors_.at(begin), nullptr,
                              end - begin);
    });
  }
  void measured(const std::string& path, MeasuredVisitor<T>& visitor) override {
    visitor.buffer(path + "factor", factors_);
    Follower<T>::measured(path, visitor);
  }

 private:
  std::vector<UnitRow> rows_;
  Numbers<T> factors_;  // 1 where there are no rows
};

struct ProjectBoxNode : Combinator<ProjectBoxNode, ProjectOptions, RunningProjectBox> {
  static constexpr const char* kName = "project_box";
  using Combinator::Combinator;
};
struct ProjectNormNode : Combinator<ProjectNormNode, ProjectOptions, RunningProjectNorm> {
  static constexpr const char* kName = "project_norm";
  using Combinator::Combinator;
};

}  // namespace

Rule project_box(const Rule& inner, const Schedule& max) { return combine<ProjectBoxNode>({max}, inner); }
Rule project_norm(const Rule& inner, const Schedule& max) { return combine<ProjectNormNode>({max}, inner); }

void detail::register_projections() {
  register_combinator<ProjectBoxNode>();
  register_combinator<ProjectNormNode>();
}

}  // namespace tandem
