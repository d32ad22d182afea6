// Run folders to page; see report.h.
#include "report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>

#include "comparison.h"
#include "instrument_data.h"
#include "page.h"
#include "page_data.h"
#include "profile.h"

namespace tandem::report {

void write_report(const std::filesystem::path& path, const std::vector<std::filesystem::path>& folders) {
  std::vector<RunFolder> read;
  for (const std::filesystem::path& folder : folders) {
    read.push_back(read_run_folder(folder));
    if (read.back().runs.empty())
      fail(folder.string(), "no run of this folder is over", {}, "run it again with --resume");
  }
  if (read.empty()) fail("report", "there is no run folder to report on");
  const std::vector<Comparison> comparisons = join(std::move(read));
  Json data = {{"title", ""}, {"sections", Json::array()}};
  for (std::size_t i = 0; i < comparisons.size(); ++i)
    data["sections"].push_back(comparison_section(comparisons[i], std::span(comparisons).first(i)));
  for (const Comparison& comparison : comparisons)
    if (Json cockpit = instrument_section(comparison); !cockpit.is_null())
      data["sections"].push_back(std::move(cockpit));
  for (const Comparison& comparison : comparisons)
    if (Json profiles = profile_section(comparison); !profiles.is_null())
      data["sections"].push_back(std::move(profiles));
  data["title"] =
      comparisons.size() == 1 ? data["sections"][0]["title"] : Json(fmt::format("{} experiments", comparisons.size()));
  write_file(path, report_page(data));
}

}  // namespace tandem::report
