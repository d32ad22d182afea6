// instruments.jsonl read back, what in it is refused, and the cockpit that is made of it.
#include <tandem/report/record.h>

#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include <tandem/report/comparison.h>
#include <tandem/report/instrument_data.h>
#include <tandem/report/page.h>
#include <tandem/report/report.h>
#include "core/temporary_folder.h"
#include "fake_folder.h"

using namespace tandem;
using namespace tandem::report;
using namespace tandem::test;

namespace {

constexpr const char* kHeader = R"({"tandem": "instruments 1", "bins": ["-1", "0", "1"], "parameters": ["w", "b"]})";

std::string line(int step, const std::string& alpha = "0.5") {
  return R"({"step": )" + std::to_string(step) + R"(, "examples": 8, "parts": 4, "whole": {"alpha": )" + alpha +
         R"(, "noise_scale": "inf", "trace": null}, "gradients": [[0, 3], [2, 5]], "gradients_weights": [[2, 0, 7]],)" +
         R"( "by_parameter": {"trace": [1.5, null], "gradient_norm": [2, 3]},)" +
         R"( "gradients_by_parameter": [[[1, 4]], []]})";
}

/// The two optimizers of fake_folder.h; the first run of each has these instruments.
void write_measured(const std::filesystem::path& folder, const std::string& instruments) {
  two_optimizers().write(folder);
  const Comparison comparison = read_comparison(folder);
  for (const Contender& contender : comparison.contenders)
    write_file(folder / comparison.runs[contender.runs[0]].name / "instruments.jsonl", instruments);
}

std::string refused(const std::string& instruments) {
  const TemporaryFolder t;
  write_measured(t / "out", instruments);
  try {
    read_run_folder(t / "out");
  } catch (const Error& error) {
    const std::string what = error.what();
    const std::size_t at = what.find("instruments.jsonl");
    return at == std::string::npos ? what : what.substr(at);
  }
  return "no error";
}

}  // namespace

TEST_CASE("measurements come back, of all parameters and of each") {
  const TemporaryFolder t;
  write_measured(t / "out", std::string(kHeader) + "\n" + line(1) + "\n" + line(21, "-1") + "\n");
  const Comparison comparison = read_comparison(t / "out");
  const RunRecord& run = comparison.runs[comparison.contenders[0].runs[0]];
  REQUIRE(run.instruments.rows() == 2);
  CHECK(run.instruments.columns == std::vector<std::string>{"step", "alpha", "noise_scale", "trace"});
  CHECK(*run.instruments.column("step") == std::vector<double>{1, 21});
  CHECK(*run.instruments.column("alpha") == std::vector<double>{0.5, -1});
  CHECK(std::isinf((*run.instruments.column("noise_scale"))[0]));
  CHECK(std::isnan((*run.instruments.column("trace"))[0]));
  const InstrumentDetails& details = run.instrument_details;
  CHECK(details.parameters == std::vector<std::string>{"w", "b"});
  CHECK(details.gradients[1] == std::vector<double>{3, 0, 5});
  CHECK(details.gradients_weights[0] == std::vector<double>{0, 0, 7, 0, 0, 0, 0, 0, 0});
  CHECK((*details.by_parameter[1].column("gradient_norm"))[1] == 3);
  CHECK(details.gradients_by_parameter[0][0] == std::vector<double>{0, 4, 0});
  CHECK(comparison.runs[comparison.contenders[0].runs[1]].instruments.rows() == 0);
}

TEST_CASE("what is no line of instruments is an error that names it") {
  const std::string header = std::string(kHeader) + "\n";
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = line(1);
    text.replace(text.find(from), from.size(), to);
    return refused(header + text + "\n");
  };
  CHECK(refused(header + line(1)) == "instruments.jsonl: line 2: is cut off");
  CHECK(refused(line(1) + "\n").find("instruments.jsonl: line 1: is not a line of instruments") == 0);
  CHECK(refused("{\"tandem\": \"other\"}\n") == "instruments.jsonl: line 1: is not a header of \"instruments 1\"");
  CHECK(with("[2, 5]", "[3, 5]") == "instruments.jsonl: line 2: there is no bin 3");
  CHECK(with("[2, 5]", "[2, -5]") == "instruments.jsonl: line 2: a count is no number");
  CHECK(with("[[1, 4]], []", "[[1, 4]]").find("instruments.jsonl: line 2: is not a line of instruments") == 0);
  CHECK(with("\"step\"", "\"stop\"").find("instruments.jsonl: line 2: is not a line of instruments") == 0);
  CHECK(refused(header + std::string(100, '[') + "\n") == "instruments.jsonl: line 2: nests deeper than 32 levels");
  std::string other = line(2);
  other.replace(other.find("\"alpha\""), 7, "\"omega\"");
  CHECK(refused(header + line(1) + "\n" + other + "\n") ==
        "instruments.jsonl: line 3: has other instruments than the lines before");
}

TEST_CASE("the cockpit has curves, histograms, parameters and tables; without measurements there is none") {
  const TemporaryFolder t;
  two_optimizers().write(t / "without");
  CHECK(instrument_section(read_comparison(t / "without")).is_null());

  write_measured(t / "out", std::string(kHeader) + "\n" + line(1) + "\n" + line(21, "-1") + "\n");
  const Json section = instrument_section(read_comparison(t / "out"));
  std::vector<std::string> titles;
  for (const Json& figure : section.at("figures")) titles.push_back(figure.at("title"));
  CHECK(titles ==
        std::vector<std::string>{"Instruments", "Gradient elements", "By parameter", "Gradients against weights"});
  const Json& histograms = section.at("figures")[1];
  CHECK(histograms.at("choose")[0].at("options") == Json({"all", "w", "b"}));
  const Json& panel = histograms.at("variants")[0].at("figures")[0];
  CHECK(panel.at("x").at("values") == Json({"1", "21"}));
  CHECK(panel.at("y").at("values") == Json({"1", "0", "-1"}));  // the largest above
  CHECK(panel.at("cells") == Json({0.625, 0.625, nullptr, nullptr, 0.375, 0.375}));
  CHECK(panel.at("extent") == Json({0.375, 0.625}));
  CHECK(histograms.at("variants")[0].at("figures").size() == 2);  // runs side by side
  CHECK(histograms.at("variants")[2].at("figures").empty());      // "b" has no element in any bin
  const Json& parameters = section.at("figures")[2];
  CHECK(parameters.at("choose")[0].at("options") == Json({"trace", "gradient_norm"}));
  CHECK(parameters.at("variants")[0].at("figures")[1].at("cells") == Json({1.5, 1.5, nullptr, nullptr}));
  const Json& pairs = section.at("figures")[3].at("variants")[0].at("figures")[0];
  CHECK(pairs.at("x").at("values") == Json({"1"}));
  CHECK(pairs.at("y").at("values") == Json({"-1"}));

  write_report(t / "report.html", {t / "out"});
  const std::string page = read_file(t / "report.html");
  for (const char* part : {"Cockpit: ", "Instruments at the last measurement", "Instruments by step",
                           "Parameters at the last measurement", "noise_scale"})
    CHECK(page.find(part) != std::string::npos);
}
