// JSON by nlohmann-json; numbers in the shortest form that reads back the same. See files.h.
#include "files.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <tandem/core/io/file.h>
#include <tandem/core/threads.h>
#include <tandem/core/versions.h>

#include "page.h"

namespace tandem::quadratic {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string kind_of(const Method& m) { return m.k == 1 && m.alpha == 1 ? "sgd" : "lookahead"; }

/// "none": the heavy ball alone.
std::string state_of(const HeavyBall& h) { return h.k == 1 && h.alpha == 1 ? "none" : to_string(h.state); }

Json to_json(const Method& m) { return {{"method", kind_of(m)}, {"lr", m.lr}, {"k", m.k}, {"alpha", m.alpha}}; }

Json to_json(const Estimate& e) { return {{"mean", e.mean}, {"standard_error", e.standard_error}}; }

Json to_json(const VarianceRow& row) {
  Json json = {{"curvature", row.quadratic.curvature}, {"noise", row.quadratic.noise}};
  json.update(to_json(row.method));
  json.update(Json{{"rule", rule_of(row.method).describe()},
                   {"theory", row.theory},
                   {"measured", row.measured.mean},
                   {"standard_error", row.measured.standard_error},
                   {"deviation", row.deviation()}});
  return json;
}

Json to_json(const SweepPoint& point) {
  Json json = {{"final_loss", point.final}};
  json.update(to_json(point.method));
  json["steps"] = point.steps;
  return json;
}

Json to_json(const ConvergenceRow& row) {
  Json json = to_json(row.point);
  json.update(Json{{"rule", rule_of(row.point.method).describe()},
                   {"steps_measured", row.measured.steps},
                   {"look_step", row.look},
                   {"look_theory", row.theory_at_look},
                   {"look_measured", to_json(row.measured.at_look)},
                   {"final_measured", to_json(row.measured.long_run)}});
  return json;
}

Json to_json(const RateRow& row) {
  return {{"momentum", row.method.momentum},
          {"condition", row.condition},
          {"state", state_of(row.method)},
          {"k", row.method.k},
          {"alpha", row.method.alpha},
          {"lr", row.lr},
          {"theory", row.theory},
          {"measured", row.measured ? Json(*row.measured) : Json(nullptr)},
          {"rule", rule_of(row.method, row.lr).describe()}};
}

Json to_json(const AdaptiveRow& row) {
  std::vector<double> losses, errors;
  for (const Estimate& loss : row.losses) losses.push_back(loss.mean), errors.push_back(loss.standard_error);
  const std::optional<int> reached = row.steps_to(kAdaptivePart);
  return {{"setting", row.setting.name},
          {"lr", row.setting.lr},
          {"momentum", row.setting.momentum},
          {"noise", row.setting.spectrum.noise},
          {"copies", row.setting.copies},
          {"alpha", row.alpha ? Json(*row.alpha) : Json(nullptr)},
          {"rule", row.rule},
          {"steps_to_part", reached ? Json(*reached) : Json(nullptr)},
          {"steps", row.steps},
          {"loss", losses},
          {"standard_error", errors},
          {"theory", row.theory}};
}

template <class Row>
Json to_json(const std::vector<Row>& rows) {
  Json json = Json::array();
  for (const Row& row : rows) json.push_back(to_json(row));
  return json;
}

std::string variance_csv(const std::vector<VarianceRow>& rows) {
  std::string text = "method,curvature,lr,k,alpha,theory,measured,standard_error,deviation\n";
  for (const VarianceRow& row : rows)
    text += fmt::format("{},{},{},{},{},{},{},{},{}\n", kind_of(row.method), row.quadratic.curvature, row.method.lr,
                        row.method.k, row.method.alpha, row.theory, row.measured.mean, row.measured.standard_error,
                        row.deviation());
  return text;
}

std::string convergence_csv(const Convergence& c) {
  std::string text = "method,final_loss,k,alpha,lr,steps\n";
  for (const SweepPoint& p : c.sweep)
    text += fmt::format("{},{},{},{},{},{}\n", kind_of(p.method), p.final, p.method.k, p.method.alpha, p.method.lr,
                        p.steps);
  return text;
}

std::string rates_csv(const Rates& rates) {
  std::string text = "curve,momentum,condition,state,k,alpha,lr,rate_theory,rate_measured\n";
  const auto add = [&](const std::string& curve, const std::vector<RateRow>& rows) {
    for (const RateRow& row : rows)
      text += fmt::format("{},{},{},{},{},{},{},{},{}\n", curve, row.method.momentum, row.condition,
                          state_of(row.method), row.method.k, row.method.alpha, row.lr, row.theory,
                          row.measured ? fmt::format("{}", *row.measured) : "");
  };
  add("condition", rates.by_condition);
  add("momentum", rates.by_momentum);
  add("lr_one", rates.at_lr_one);
  return text;
}

std::string adaptive_csv(const std::vector<AdaptiveRow>& rows) {
  std::string text = "setting,alpha,step,loss,standard_error,theory\n";
  for (const AdaptiveRow& row : rows)
    for (std::size_t i = 0; i < row.steps.size(); ++i)
      text += fmt::format("\"{}\",{},{},{},{},{}\n", row.setting.name,
                          row.alpha ? fmt::format("{}", *row.alpha) : "adaptive", row.steps[i], row.losses[i].mean,
                          row.losses[i].standard_error, row.theory.empty() ? "" : fmt::format("{}", row.theory[i]));
  return text;
}

}  // namespace

void write_findings(const fs::path& folder, const Findings& f) {
  const Convergence& c = f.convergence;
  const Json json = {
      {"tandem", kResult.format},
      {"program", "quadratic"},
      {"command", f.command},
      {"seed", f.effort.seed},
      {"copies", f.effort.copies},
      {"rate_steps", f.effort.rate_steps},
      {"threads", f.threads},
      {"machine", fmt::format("{}, {}", processor_name(), instruction_set())},
      {"software", library_versions()},
      {"seconds", f.seconds},
      {"variance", to_json(f.variance)},
      {"convergence",
       {{"curvatures", c.spectrum.curvatures},
        {"start", c.spectrum.start},
        {"noise", c.spectrum.noise},
        {"left", c.left},
        {"sweep", to_json(c.sweep)},
        {"measured", to_json(c.measured)}}},
      {"rates",
       {{"by_condition", to_json(f.rates.by_condition)},
        {"by_momentum", to_json(f.rates.by_momentum)},
        {"at_lr_one", to_json(f.rates.at_lr_one)}}},
      {"adaptive", {{"part", kAdaptivePart}, {"rows", to_json(f.adaptive)}}},
  };
  write_file(folder / kResult.file, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  write_file(folder / "variance.csv", variance_csv(f.variance));
  write_file(folder / "convergence.csv", convergence_csv(c));
  write_file(folder / "rates.csv", rates_csv(f.rates));
  write_file(folder / "adaptive.csv", adaptive_csv(f.adaptive));
  write_file(folder / "report.html", page_of(f));
}

}  // namespace tandem::quadratic
