// How contenders look in a report, and the table of their differences; see report_comparison_parts.h.
#include <fmt/format.h>

#include <cmath>

#include "compare_seeds.h"
#include "report_comparison_parts.h"

namespace tandem::examples {

PlotStyle style_of(std::size_t contender) {
  constexpr int kStyles = 8;
  const int number = static_cast<int>(contender) % kStyles;
  return {number, number};
}

std::string name_html(const Contender& contender, std::size_t number) {
  return fmt::format("<span class=\"key\">{}{}</span>", style_sample_html(style_of(number)), escaped(contender.name));
}

namespace {

/// A number with its sign, as differences have it.
std::string signed_html(double value) {
  const std::string number = number_html(value);
  return value > 0 ? "+" + number : number;
}

RowGroup::Row difference_row(const Difference& difference, const Contender& contender) {
  const PairedDifference& d = difference.paired;
  const std::string interval =
      d.seeds > 1 ? signed_html(d.low) + " to " + signed_html(d.high) : number_html(std::nan(""));
  return {name_html(contender, difference.contender),
          {{signed_html(d.mean)},
           {number_html(d.standard_error)},
           {interval},
           {std::to_string(d.seeds)},
           {escaped(difference.finding), false}}};
}

}  // namespace

std::string differences_html(const ComparisonRecord& record, const std::vector<Contender>& contenders) {
  const std::string& metric = record.configuration.metric;
  const std::vector<Difference> all = differences(record.results(), metric);
  if (all.empty()) return {};
  Table table;
  table.caption = fmt::format("Differences of {} at the end, paired by seed", metric);
  table.columns = {"", "mean", "standard error", "95\u00A0% interval", "seeds", "what follows"};
  for (const Difference& difference : all) {
    const std::string head = "against " + name_html(contenders[difference.baseline], difference.baseline);
    if (table.groups.empty() || table.groups.back().head != head) table.groups.push_back({head, {}});
    table.groups.back().rows.push_back(difference_row(difference, contenders[difference.contender]));
  }
  return table_html(table) + fmt::format("<p class=\"note\">{}</p>\n", escaped(differences_note(all)));
}

}  // namespace tandem::examples
