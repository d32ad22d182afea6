// Reading schedules: names and arguments against the table of curves, fractions into steps.
#include <tandem/optim/text/schedule_parse.h>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <tandem/optim/text/curve.h>

namespace tandem {
namespace spec {
namespace {

using Kind = CurveArgument::Kind;

Schedule to_custom(const Source& source, const Value& value) {
  if (value.arguments.size() != 1 || !value.arguments[0].name.empty() ||
      value.arguments[0].value.kind != Value::Kind::call) {
    source.fail("custom needs the name of a function", value.column, "e.g. custom(name)");
  }
  const Value& name = value.arguments[0].value;
  if (auto curve = find_custom(name.name)) return Schedule(std::move(curve));
  const std::vector<std::string> known = custom_names();
  if (known.empty()) {
    source.fail(fmt::format("custom schedule \"{}\" is not registered", name.name), name.column,
                "call schedule::register_custom first");
  }
  source.fail_unknown("custom schedule", name.name, "", name.column, known);
}

const CurveKind& find_kind(const Source& source, const Value& value) {
  std::vector<std::string> known;
  for (const CurveKind& kind : curve_kinds()) {
    if (value.name == kind.name) return kind;
    known.emplace_back(kind.name);
  }
  source.fail_unknown("schedule", value.name, "", value.column, known);
}

/// The values given in the text, in the table's order; empty where nothing was given.
std::vector<std::vector<double>> given_values(const Source& source, const Value& value, const CurveKind& kind) {
  std::vector<std::vector<double>> values(kind.arguments.size());
  for (const Argument& argument : value.arguments) {
    if (argument.name.empty() && kind.has_parts) continue;
    if (argument.name.empty()) source.fail("expected an argument like name=value", argument.column);
    std::size_t i = 0;
    std::vector<std::string> known;
    for (; i < kind.arguments.size() && argument.name != kind.arguments[i].name; ++i)
      known.emplace_back(kind.arguments[i].name);
    if (i == kind.arguments.size()) source.fail_unknown("argument", argument.name, kind.name, argument.column, known);
    if (!values[i].empty())
      source.fail(fmt::format("argument \"{}\" of {} is given twice", argument.name, kind.name), argument.column);
    const bool is_list = kind.arguments[i].kind == Kind::step_list;
    if (argument.value.kind != Value::Kind::number || (!is_list && argument.value.numbers.size() != 1)) {
      source.fail(fmt::format("{} must be a number", argument.name), argument.value.column,
                  is_list ? "e.g. at=100/200" : "");
    }
    values[i] = argument.value.numbers;
  }
  return values;
}

/// The parts of a piecewise schedule; fractions in a part are of its own length.
std::vector<Schedule> to_parts(const Source& source, const Value& value, const std::vector<double>& at,
                               std::int64_t total_steps) {
  std::vector<Schedule> parts;
  std::int64_t start = 0;
  for (const Argument& argument : value.arguments) {
    if (!argument.name.empty()) continue;
    const std::size_t i = parts.size();
    const std::int64_t end = i < at.size() ? static_cast<std::int64_t>(at[i]) : total_steps;
    parts.push_back(to_schedule(source, argument.value, std::max<std::int64_t>(0, end - start)));
    start = end;
  }
  return parts;
}

Schedule to_curve(const Source& source, const Value& value, std::int64_t total_steps) {
  if (value.name == "custom") return to_custom(source, value);
  const CurveKind& kind = find_kind(source, value);
  std::vector<std::vector<double>> values = given_values(source, value, kind);

  // The steps that fractions are fractions of: the curve's own total, itself perhaps a fraction of the run's.
  auto base = static_cast<double>(total_steps);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool is_total = std::string_view(kind.arguments[i].name) == "total";
    if (!is_total) continue;
    if (values[i].empty() && total_steps > 0) values[i] = {base};
    if (values[i].empty()) continue;
    if (values[i][0] > 0 && values[i][0] < 1 && base > 0) values[i][0] = std::max(1.0, std::round(values[i][0] * base));
    if (values[i][0] >= 1) base = values[i][0];
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const CurveArgument& argument = kind.arguments[i];
    const bool is_rise = std::string_view(kind.name) == "one_cycle" && std::string_view(argument.name) == "warmup";
    if (values[i].empty() && is_rise && base > 0) values[i] = {0.3};
    if (values[i].empty() && argument.is_required) {
      source.fail(fmt::format("{} needs {}", kind.name, argument.name), value.column,
                  fmt::format("e.g. {}({}=100)", kind.name, argument.name));
    }
    if (values[i].empty()) values[i] = {argument.default_value};
    if (argument.kind == Kind::number || argument.kind == Kind::count) continue;
    bool is_rounded = false;
    for (double& steps : values[i]) {
      if (!(steps > 0 && steps < 1)) continue;
      if (base <= 0) {
        source.fail(fmt::format("{} is {}, must be a whole number of steps", argument.name, number(steps)),
                    value.column, "fractions need a total");
      }
      const double whole = std::round(steps * base);
      steps = argument.is_required ? std::max(1.0, whole) : whole;
      is_rounded = true;
    }
    // Fractions of a short run may round to one step, which is one milestone. Parts of a piecewise schedule stay apart.
    if (is_rounded && !kind.has_parts)
      values[i].erase(std::unique(values[i].begin(), values[i].end()), values[i].end());
  }
  std::vector<Schedule> parts;
  if (kind.has_parts) parts = to_parts(source, value, values.front(), total_steps);
  return Schedule(std::make_shared<const Curve>(kind, std::move(values), std::move(parts)));
}

}  // namespace

Schedule to_schedule(const Source& source, const Value& value, std::int64_t total_steps) {
  switch (value.kind) {
    case Value::Kind::number:
      if (value.numbers.size() != 1) source.fail("expected one number, found a list", value.column);
      return Schedule(value.numbers[0]);
    case Value::Kind::call:
      return to_curve(source, value, total_steps);
    case Value::Kind::product:
      break;
  }
  Schedule product(1);
  for (const Value& factor : value.factors) product = product * to_schedule(source, factor, total_steps);
  return product;
}

}  // namespace spec

Schedule parse_schedule(std::string_view text, std::int64_t total_steps) {
  const spec::Source source{"schedule", text};
  return spec::to_schedule(source, spec::parse(source), total_steps);
}

}  // namespace tandem
