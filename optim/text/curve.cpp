// The formulas of all curves, their table, and what arguments they accept.
#include <tandem/optim/text/curve.h>

#include <cmath>
#include <map>
#include <mutex>
#include <numbers>
#include <optional>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/optim/schedule.h>
#include <tandem/optim/text/spec.h>

namespace tandem {
namespace {

using Kind = CurveArgument::Kind;

/// 0 at the end of the warm-up, 1 at total and after.
double progress(const Curve& c, double step) {
  const double span = c["total"] - c["warmup"];
  return span <= 0 || step >= c["total"] ? 1.0 : (step - c["warmup"]) / span;
}

double half_cosine(double from, double to, double p) {
  return to + (from - to) * 0.5 * (1 + std::cos(std::numbers::pi * p));
}

double constant_curve(const Curve&, double) { return 1; }

double linear_curve(const Curve& c, double step) {
  const double p = progress(c, step);
  return p >= 1 ? c["end"] : 1 + (c["end"] - 1) * p;
}

double step_curve(const Curve& c, double step) { return std::pow(c["by"], std::floor(step / c["every"])); }

double multistep_curve(const Curve& c, double step) {
  int reached = 0;
  for (const double at : c.list("at")) reached += step >= at;
  return std::pow(c["by"], reached);
}

double cosine_curve(const Curve& c, double step) {
  const double p = progress(c, step);
  return p >= 1 ? c["end"] : half_cosine(1, c["end"], p);
}

double polynomial_curve(const Curve& c, double step) {
  const double p = progress(c, step);
  return p >= 1 ? c["end"] : c["end"] + (1 - c["end"]) * std::pow(1 - p, c["power"]);
}

double inverse_sqrt_curve(const Curve& c, double step) { return std::sqrt(c["warmup"] / (step + 1)); }

double restarts_curve(const Curve& c, double step) {
  double t = step - c["warmup"], period = c["period"];
  if (c["factor"] == 1) t = std::fmod(t, period);
  for (; t >= period; period *= c["factor"]) t -= period;
  return half_cosine(1, c["end"], t / period);
}

double piecewise_curve(const Curve& c, double step) {
  std::size_t part = 0;
  double start = 0;
  for (const double at : c.list("at")) {
    if (step < at) break;
    start = at;
    ++part;
  }
  return c.parts()[part].at(static_cast<std::int64_t>(step - start));
}

double plateau_curve(const Curve& c, double) {
  return c.plateau() == nullptr ? 1 : std::max(c["end"], std::pow(c["by"], c.plateau()->reductions()));
}

double one_cycle_curve(const Curve& c, double step) {
  const double top = c["warmup"] - 1, last = c["total"] - 1;
  if (step < top) return half_cosine(c["start"], 1, step / top);
  if (step == top) return 1;  // also where the warm-up takes all steps
  if (step >= last) return c["end"];
  return half_cosine(1, c["end"], (step - top) / (last - top));
}

std::mutex custom_mutex;
std::map<std::string, std::function<double(std::int64_t)>>& customs() {
  static std::map<std::string, std::function<double(std::int64_t)>> all;
  return all;
}

}  // namespace

const std::vector<CurveKind>& curve_kinds() {
  static const CurveArgument warmup{"warmup", Kind::steps, false, 0}, total{"total", Kind::steps, true, 0},
      end{"end", Kind::number, false, 0}, by{"by", Kind::number, false, 0.1};
  static const std::vector<CurveKind> kinds = {
      {"constant", {warmup}, constant_curve},
      {"cosine", {warmup, total, end}, cosine_curve},
      {"linear", {warmup, total, end}, linear_curve},
      {"inverse_sqrt", {{"warmup", Kind::steps, true, 0}}, inverse_sqrt_curve},
      {"multistep", {{"at", Kind::step_list, true, 0}, by, warmup}, multistep_curve, false, true},
      {"one_cycle",
       {{"warmup", Kind::steps, true, 0},
        total,
        {"start", Kind::number, false, 0.04},
        {"end", Kind::number, false, 4e-6}},
       one_cycle_curve},
      {"piecewise", {{"at", Kind::step_list, true, 0}}, piecewise_curve, true},
      {"plateau",
       {by,
        {"patience", Kind::count, false, 10},
        {"threshold", Kind::number, false, 1e-4},
        {"cooldown", Kind::count, false, 0},
        end,
        {"maximize", Kind::count, false, 0},
        warmup},
       plateau_curve,
       false,
       true},
      {"polynomial", {warmup, total, {"power", Kind::number, false, 1}, end}, polynomial_curve},
      {"restarts", {warmup, {"period", Kind::steps, true, 0}, {"factor", Kind::number, false, 1}, end}, restarts_curve},
      {"step", {{"every", Kind::steps, true, 0}, by, warmup}, step_curve, false, true},
  };
  return kinds;
}

Curve::Curve(const CurveKind& kind, std::vector<std::vector<double>> values, std::vector<Schedule> parts)
    : kind_(&kind), values_(std::move(values)), parts_(std::move(parts)) {
  check();
}

Curve::Curve(std::string name, std::function<double(std::int64_t)> function)
    : custom_name_(std::move(name)), custom_(std::move(function)) {
  if (!custom_) fail_usage("schedule", fmt::format("custom({}) has no function", custom_name_));
}

void Curve::check() const {
  const auto refuse = [this](std::string_view name, double value, const char* must) {
    fail_usage(kind_->name, fmt::format("{} is {}, must be {}", name, spec::number(value), must));
  };
  for (std::size_t i = 0; i < kind_->arguments.size(); ++i) {
    const CurveArgument& argument = kind_->arguments[i];
    double before = 0;
    for (const double value : values_[i]) {
      if (argument.kind == Kind::number) {
        if (!(value >= 0) || !std::isfinite(value)) refuse(argument.name, value, "at least 0");
        continue;
      }
      if (value < 0) refuse(argument.name, value, "at least 0");
      if (!(value <= 1e15) || value != std::floor(value))
        refuse(argument.name, value, argument.kind == Kind::count ? "a whole number" : "a whole number of steps");
      if (argument.is_required && value < 1) refuse(argument.name, value, "at least 1");
      if (value <= before && argument.kind == Kind::step_list && before > 0)
        refuse(argument.name, value, "above the entry before it");
      before = value;
    }
    if (values_[i].empty()) fail_usage(kind_->name, fmt::format("{} has no entry", argument.name));
  }
  if (kind_->formula == restarts_curve && (*this)["factor"] < 1) refuse("factor", (*this)["factor"], "at least 1");
  if (kind_->has_parts && parts_.size() != list("at").size() + 1) {
    fail_usage(kind_->name, fmt::format("{} parts for {} entries of at", parts_.size(), list("at").size()), {},
               "one part more than entries");
  }
  const double total = (*this)["total"];
  if (total > 0 && (*this)["warmup"] > total) {
    fail_usage(kind_->name, fmt::format("warmup is {}, must be at most total, {}", spec::number((*this)["warmup"]),
                                        spec::number(total)));
  }
}

const std::vector<double>& Curve::list(std::string_view name) const {
  static const std::vector<double> zero = {0};
  for (std::size_t i = 0; i < kind_->arguments.size(); ++i) {
    if (name == kind_->arguments[i].name) return values_[i];
  }
  return zero;
}

double Curve::operator[](std::string_view name) const { return list(name).front(); }

void Curve::own_plateaus(std::vector<OwnPlateau>& plateaus) {
  for (Schedule& part : parts_) part = with_own_plateaus(part, plateaus);
  if (kind_ == nullptr || kind_->formula != plateau_curve) return;
  plateau_ = std::make_shared<PlateauState>();
  plateaus.push_back({plateau_, {(*this)["patience"], (*this)["threshold"], (*this)["cooldown"], (*this)["maximize"]}});
}

void Curve::outline(std::int64_t start, ScheduleOutline& line) const {
  if (custom_ || kind_->formula == plateau_curve) {
    line.is_open = true;
    return;
  }
  const auto bend = [&](double step) {
    for (const double near : {step, step - 1}) {
      if (near >= 0 && near < 1e15) line.steps.push_back(start + static_cast<std::int64_t>(near));
    }
  };
  bend(0);
  for (const CurveArgument& argument : kind_->arguments) {
    if (argument.kind != Kind::steps && argument.kind != Kind::step_list) continue;
    for (const double step : list(argument.name)) bend(step);
  }
  if (kind_->formula == restarts_curve) bend((*this)["warmup"] + (*this)["period"]);
  if (kind_->formula == step_curve && (*this)["by"] > 1) {
    for (double times = 2; times < 1000; times *= 2) bend(times * (*this)["every"]);
  }
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const std::int64_t from = i == 0 ? 0 : static_cast<std::int64_t>(list("at")[i - 1]);
    ScheduleOutline part = tandem::outline(parts_[i]);
    line.is_open = line.is_open || part.is_open;
    for (const std::int64_t step : part.steps) line.steps.push_back(start + from + step);
  }
}

ScheduleOutline outline(const Schedule& schedule) {
  ScheduleOutline line;
  for (const auto& curve : schedule.curves()) curve->outline(0, line);
  return line;
}

double Curve::at(std::int64_t step) const {
  if (custom_) return custom_(step);
  const auto t = static_cast<double>(step);
  const double warmup = (*this)["warmup"];
  if (kind_->formula == one_cycle_curve || t >= warmup) return kind_->formula(*this, t);
  // total and end begin after the warm-up; step, multistep and plateau count from the start, and multiply.
  return (t + 1) / warmup * (kind_->is_whole ? kind_->formula(*this, t) : 1.0);
}

std::string Curve::describe() const {
  if (custom_) return fmt::format("custom({})", custom_name_);
  std::string arguments;
  for (const Schedule& part : parts_) arguments += (arguments.empty() ? "" : ", ") + part.describe();
  for (std::size_t i = 0; i < kind_->arguments.size(); ++i) {
    const CurveArgument& argument = kind_->arguments[i];
    if (!argument.is_required && values_[i].front() == argument.default_value) continue;
    arguments += fmt::format("{}{}={}", arguments.empty() ? "" : ", ", argument.name, fmt::join(values_[i], "/"));
  }
  return arguments.empty() ? std::string(kind_->name) : fmt::format("{}({})", kind_->name, arguments);
}

std::shared_ptr<const Curve> make_curve(std::string_view kind,
                                        const std::vector<std::pair<std::string_view, std::vector<double>>>& given,
                                        std::vector<Schedule> parts) {
  for (const CurveKind& row : curve_kinds()) {
    if (kind != row.name) continue;
    std::vector<std::vector<double>> values;
    for (const CurveArgument& argument : row.arguments) {
      values.push_back({argument.default_value});
      for (const auto& [name, value] : given) {
        if (name == argument.name) values.back() = value;
      }
    }
    return std::make_shared<const Curve>(row, std::move(values), std::move(parts));
  }
  fail_usage("schedule", fmt::format("unknown curve \"{}\"", kind));
}

std::shared_ptr<const Curve> find_custom(const std::string& name) {
  const std::lock_guard lock(custom_mutex);
  const auto found = customs().find(name);
  return found == customs().end() ? nullptr : std::make_shared<const Curve>(found->first, found->second);
}

std::vector<std::string> custom_names() {
  const std::lock_guard lock(custom_mutex);
  std::vector<std::string> names;
  for (const auto& [name, function] : customs()) names.push_back(name);
  return names;
}

namespace schedule {

Schedule custom(const std::string& name, std::function<double(std::int64_t)> function) {
  return Schedule(std::make_shared<const Curve>(name, std::move(function)));
}

void register_custom(const std::string& name, std::function<double(std::int64_t)> function) {
  const std::lock_guard lock(custom_mutex);
  customs()[name] = std::move(function);
}

}  // namespace schedule
}  // namespace tandem
