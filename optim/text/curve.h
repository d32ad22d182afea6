// The table of curves that schedules are made of: name, arguments, formula. Private to optim/.
// Adding one: a row in curve.cpp and a function in schedule.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tandem/optim/text/plateau.h>

namespace tandem {

/// An argument of a curve. Steps are whole numbers; a text may give them as fractions. Counts are
/// whole numbers of something else.
struct CurveArgument {
  enum class Kind { steps, step_list, number, count };
  const char* name;
  Kind kind;
  bool is_required;
  double default_value;
};

/// One row: the formula sees its arguments in the order of `arguments` (at, a step_list, apart from them).
struct CurveKind {
  const char* name;
  std::vector<CurveArgument> arguments;
  double (*formula)(const Curve& curve, double step);
  bool has_parts = false;  // schedules as positional arguments
  bool is_whole = false;   // the formula sees the steps of the warm-up too, which multiplies it
};

/// Where a schedule can be largest or smallest: curves are monotone between these steps.
struct ScheduleOutline {
  std::vector<std::int64_t> steps;
  bool is_open = false;  ///< it has a custom function or a plateau: known at work only
};
ScheduleOutline outline(const Schedule& schedule);

class Curve {
 public:
  /// Takes one list of values for each argument. Throws UsageError when they do not fit.
  Curve(const CurveKind& kind, std::vector<std::vector<double>> values, std::vector<Schedule> parts = {});
  /// custom(name).
  Curve(std::string name, std::function<double(std::int64_t)> function);

  double at(std::int64_t step) const;
  std::string describe() const;

  /// The value of an argument; 0 when the curve has no such argument.
  double operator[](std::string_view name) const;
  const std::vector<double>& list(std::string_view name) const;
  const std::vector<Schedule>& parts() const { return parts_; }
  const PlateauState* plateau() const { return plateau_.get(); }
  /// Gives this curve, and the curves of its parts, fresh plateau states where they are plateaus.
  void own_plateaus(std::vector<OwnPlateau>& plateaus);
  /// Adds this curve's steps, `start` later.
  void outline(std::int64_t start, ScheduleOutline& line) const;

 private:
  void check() const;
  const CurveKind* kind_ = nullptr;
  std::vector<std::vector<double>> values_;
  std::vector<Schedule> parts_;
  std::shared_ptr<PlateauState> plateau_;
  std::string custom_name_;
  std::function<double(std::int64_t)> custom_;
};

const std::vector<CurveKind>& curve_kinds();
/// A curve from some of its arguments by name; the others take their defaults.
std::shared_ptr<const Curve> make_curve(std::string_view kind,
                                        const std::vector<std::pair<std::string_view, std::vector<double>>>& given,
                                        std::vector<Schedule> parts = {});
/// A registered custom curve, or null.
std::shared_ptr<const Curve> find_custom(const std::string& name);
std::vector<std::string> custom_names();

}  // namespace tandem
