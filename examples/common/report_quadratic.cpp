// The page of quadratic.json; its sections are in report_quadratic_noise.cpp and report_quadratic_rates.cpp.
#include "report_quadratic.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <tandem/core/error.h>
#include <tandem/core/file.h>

#include "html.h"
#include "progress.h"
#include "report_quadratic_parts.h"

namespace tandem::examples {

using Json = nlohmann::ordered_json;

double number(const Json& row, const char* key) {
  return row.at(key).is_null() ? std::nan("") : row.at(key).get<double>();
}

std::string section_html(const std::string& title, const std::string& text, const std::string& rest) {
  return fmt::format("<h3>{}</h3>\n<p>{}</p>\n{}", title, text, rest);
}

std::string findings_html(const std::vector<std::string>& sentences) {
  std::string html = "<div class=\"findings\">\n";
  for (const std::string& sentence : sentences) html += fmt::format("<p>{}</p>\n", sentence);
  return html + "</div>\n";
}

std::string plots_html(const std::vector<Plot>& plots) {
  std::string html = "<div class=\"plots\">\n";
  for (const Plot& plot : plots) html += plot_html(plot);
  return html + "</div>\n";
}

std::string quadratic_html(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "quadratic.json";
  try {
    const Json json = Json::parse(read_file(path));
    return "<p class=\"lead\">The two quadratics of the Lookahead paper, on which every moment can be computed: what "
           "Tandem’s optimizers do, held against the formulas.</p>\n" +
           variance_html(json.at("variance")) + convergence_html(json.at("convergence")) +
           rates_html(json.at("rates")) + adaptive_html(json.at("adaptive")) + "<h3>Configuration</h3>\n" +
           list_html({{"seed", fmt::format("{}", json.at("seed").get<std::uint64_t>())},
                      {"copies", with_commas(json.at("copies").get<std::int64_t>())},
                      {"machine", fmt::format("{}, {} thread{}", escaped(json.at("machine").get<std::string>()),
                                              json.at("threads").get<int>(), json.at("threads") == 1 ? "" : "s")},
                      {"software", escaped(json.at("software").get<std::string>())},
                      {"time", format_duration(json.at("seconds"))}}) +
           fmt::format("<h3>To repeat it</h3>\n<pre><code>{}</code></pre>\n",
                       escaped(json.at("command").get<std::string>()));
  } catch (const Json::exception& error) {
    fail(path.string(), "not what quadratic finds", error.what());
  }
}

}  // namespace tandem::examples
