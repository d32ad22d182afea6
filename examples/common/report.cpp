// Which part shows a folder is told by the file that describes its results.
#include "report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include <tandem/core/error.h>
#include <tandem/core/file.h>

#include "comparison_record.h"
#include "html.h"
#include "progress.h"
#include "report_comparison.h"
#include "report_quadratic.h"

namespace tandem::examples {
namespace {

/// A part of the page: a comparison, perhaps of several folders, or another experiment.
struct Part {
  std::string title;
  std::optional<ComparisonRecord> comparison;
  std::string html;  // of other experiments
};

std::vector<Part> read_parts(const std::vector<std::filesystem::path>& folders) {
  std::vector<Part> parts;
  std::error_code ignored;
  for (const std::filesystem::path& folder : folders) {
    if (std::filesystem::exists(folder / "quadratic.json", ignored)) {
      parts.push_back({"quadratic: Lookahead on two quadratics", {}, quadratic_html(folder)});
      continue;
    }
    if (!std::filesystem::exists(folder / "summary.json", ignored))
      fail(folder.string(), "nothing to report", "neither summary.json nor quadratic.json is there",
           "a report is made of folders that --out wrote, with at least one finished run");
    const ComparisonRecord record = read_comparison(folder);
    const auto same = std::find_if(parts.begin(), parts.end(), [&](const Part& part) {
      return part.comparison && belong_together(*part.comparison, record);
    });
    if (same != parts.end())
      append(*same->comparison, record);
    else
      parts.push_back({title_of(record), record, {}});
  }
  return parts;
}

/// Comparisons with equal titles differ in batch, schedule or length: said behind the title.
void tell_apart(std::vector<Part>& parts) {
  std::map<std::string, int> uses;
  for (const Part& part : parts) ++uses[part.title];
  for (Part& part : parts)
    if (uses[part.title] > 1 && part.comparison)
      part.title +=
          fmt::format(", batch {}, {}, {} steps", part.comparison->configuration.batch,
                      part.comparison->configuration.schedule, with_commas(part.comparison->runs.front().result.steps));
}

std::string part_html(const Part& part) { return part.comparison ? comparison_html(*part.comparison) : part.html; }

}  // namespace

std::string report_html(const std::vector<std::filesystem::path>& folders) {
  std::vector<Part> parts = read_parts(folders);
  tell_apart(parts);
  if (parts.size() == 1)
    return page_html(parts.front().title,
                     fmt::format("<h1>{}</h1>\n{}", escaped(parts.front().title), part_html(parts.front())));
  std::string body = "<h1>Tandem: report</h1>\n<nav><ul>\n";
  for (std::size_t i = 0; i < parts.size(); ++i)
    body += fmt::format("<li><a href=\"#part{}\">{}</a></li>\n", i + 1, escaped(parts[i].title));
  body += "</ul></nav>\n";
  for (std::size_t i = 0; i < parts.size(); ++i)
    body += fmt::format("<section id=\"part{}\">\n<h2>{}</h2>\n{}</section>\n", i + 1, escaped(parts[i].title),
                        part_html(parts[i]));
  return page_html("Tandem: report", body);
}

void write_report(const std::filesystem::path& path, const std::vector<std::filesystem::path>& folders) {
  write_file(path, report_html(folders));
}

}  // namespace tandem::examples
