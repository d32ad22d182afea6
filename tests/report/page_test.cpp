// The page's static half: it loads nothing, its text is escaped, its numbers are exact, its data can be read back. What
// its scripts do: tests/browser/report_page_test.py.
#include <tandem/report/page.h>

#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include <tandem/report/html.h>
#include <tandem/report/page_data.h>
#include <tandem/report/report.h>
#include "core/temporary_folder.h"
#include "fake_folder.h"

using namespace tandem;
using namespace tandem::report;
using namespace tandem::test;

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// The data that stand in a page.
Json data_of(const std::string& page) {
  const std::string open = "<script type=\"application/json\" id=\"data\">";
  const std::size_t begin = page.find(open) + open.size();
  return Json::parse(page.substr(begin, page.find("</script>", begin) - begin));
}

const Json& figure_of(const Json& section, std::string_view title) {
  for (const Json& figure : section.at("figures"))
    if (figure.at("title") == title) return figure;
  throw std::out_of_range(std::string(title));
}

Comparison read(const FakeFolder& fake) {
  const TemporaryFolder t;
  fake.write(t / "out");
  return read_comparison(t / "out");
}

}  // namespace

TEST_CASE("text is escaped, also where it stands in the data") {
  const std::string evil = "</script><script>alert('1')</script><!--";
  const std::string page = report_page({{"title", evil},
                                        {"sections",
                                         {{{"title", evil},
                                           {"tables", {{{"caption", evil}, {"columns", {"a"}}, {"rows", {{evil}}}}}},
                                           {"figures", {{{"kind", "lines"}, {"title", evil}}}}}}}});
  CHECK(!has(page, evil));
  CHECK(!has(page, "<script>alert"));
  CHECK(data_of(page).at("sections")[0].at("figures")[0].at("title") == evil);
}

TEST_CASE("a page loads nothing") {
  const std::string page = report_page({{"title", "t"}, {"sections", Json::array()}});
  const std::string own = page.substr(0, page.find("<script>"));
  for (const char* reference : {"src=", "@import", "url(", "http"}) CHECK(!has(own, reference));
}

TEST_CASE("data of another form are an error with a name") {
  CHECK_THROWS_AS(report_page({{"title", "t"}}), Error);
  CHECK_THROWS_AS(report_page({{"title", "t"}, {"sections", {{{"text", "no title"}}}}}), Error);
}

TEST_CASE("tables become HTML with exact numbers, and go to the data and back") {
  Table table{"T", {{"name", true}, {"x"}, {"y", true}}, {{{"head"}}, {{"a"}, number_cell(1.0 / 3), {"<b>"}}}, "N."};
  table.rows.push_back({{"c"}, number_cell(std::nan("")), {"-"}});
  table.rows.push_back({{"d"}, number_cell(-INFINITY), {""}});
  const std::string html = table_html(table);
  CHECK(has(html, "<data value=\"0.3333333333333333\">0.3333</data>"));
  CHECK(has(html, "<td class=\"text\">&lt;b&gt;</td>"));
  CHECK(has(html, "aria-label=\"not measured\""));
  CHECK(has(html, "<th scope=\"rowgroup\" colspan=\"3\">head</th>"));
  CHECK(table_html(to_table(Json::parse(to_json(table).dump()))) == html);
}

TEST_CASE("base64 of RFC 4648") {
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foobar") == "Zm9vYmFy");
}

TEST_CASE("numbers in the data: six digits, null for NaN, text for infinity") {
  CHECK(to_json(1.0 / 3).dump() == "0.333333");
  CHECK(to_json(std::nan("")).is_null());
  CHECK(to_json(-INFINITY) == "-inf");
}

TEST_CASE("curves: a mean line with its band, a diverged run as a line of its own with a cross at its end") {
  FakeFolder fake = two_optimizers();
  fake.runs[0].diverged_at = 17;
  const Json section = comparison_section(read(fake));
  const Json& series = figure_of(section, "Curves").at("figures")[1].at("series");  // of test_accuracy
  REQUIRE(series.size() == 3);
  CHECK(series[0].at("name") == "sgd");
  CHECK(series[0].at("x") == Json({10, 20, 30, 40}));
  CHECK(series[0].at("y")[3] == 0.65);  // seeds 1 and 2: 0.6 and 0.7
  CHECK(series[0].at("low")[3] == 0.6);
  CHECK(series[0].at("high")[3] == 0.7);
  CHECK(series[1].at("name") == "sgd, seed 0");
  CHECK(series[1].at("end").at("mark") == "cross");
  CHECK(series[1].at("end").at("text") == "diverged at step 17");
  const Json& steps = figure_of(section, "Step record").at("figures");
  CHECK(steps[0].at("title") == "loss");
  CHECK(steps[0].at("smooth") == true);
  CHECK(steps[0].at("series")[0].at("seconds_per_step") == 0.05);  // 2 s, 40 steps
  CHECK(section.at("notes")[0] == "sgd: diverged at step 17 (1 of 3 seeds): train_loss is nan.");
}

TEST_CASE("cycles: teeth that fall to 0 at the syncs, which are marked") {
  const Json cycles = figure_of(comparison_section(read(two_optimizers())), "Cycles");
  CHECK(cycles.at("variants").size() == 6);  // two runs, three places
  const Json& panel = cycles.at("variants")[0].at("figures")[0];
  CHECK(panel.at("marks").at("x") == Json({5, 10, 15, 20, 25, 30, 35, 40}));
  CHECK(panel.at("series")[0].at("x")[0] == 5);
  CHECK(panel.at("series")[0].at("x")[1] == 5);
  CHECK(panel.at("series")[0].at("y")[1] == 0);
}

TEST_CASE("a report of two experiments has two sections, and says what tells them apart") {
  const TemporaryFolder t;
  FakeFolder fake = two_optimizers();
  fake.write(t / "a");
  fake.options["batch"] = "16";
  fake.write(t / "b");
  write_report(t / "x.html", {t / "a", t / "b"});
  const std::string page = read_file(t / "x.html");
  CHECK(data_of(page).at("sections").size() == 2);
  CHECK(has(page, "batch is 8 there and 16 here"));
  CHECK(has(page, "cifar --out &#39;a &amp; b&#39;"));
  CHECK(has(page, "set: &lt;40&gt; images"));
}

TEST_CASE("joined runs of other machines are said to be") {
  const TemporaryFolder t;
  FakeFolder fake = two_optimizers();
  fake.write(t / "a");
  fake.threads = 2;
  fake.write(t / "b");
  write_report(t / "x.html", {t / "a", t / "b"});
  const std::string page = read_file(t / "x.html");
  CHECK(data_of(page).at("sections").size() == 1);
  CHECK(has(page, "Not all runs were made alike"));
  CHECK(has(page, "threads is 1 there and 2 here"));
}

TEST_CASE("pictures stand in the page, those of the data first") {
  const TemporaryFolder t;
  two_optimizers().write(t / "a");
  std::filesystem::create_directory(t / "a" / "pictures");
  write_file(t / "a" / "pictures.json", R"([{"figure":"f","row":"input","caption":"In & out.","file":"a.png"}])");
  write_file(t / "a" / "pictures" / "a.png", png_header(20, 10));
  write_report(t / "x.html", {t / "a"});
  const std::string page = read_file(t / "x.html");
  CHECK(has(page, "<img width=\"20\" height=\"10\" alt=\"f, input\" src=\"data:image/png;base64," +
                      base64(png_header(20, 10))));
  CHECK(has(page, "In &amp; out."));
}

TEST_CASE("a folder in which nothing is over has no report") {
  const TemporaryFolder t;
  FakeFolder fake = two_optimizers();
  for (FakeRun& run : fake.runs) run.status = "missing";
  fake.write(t / "a");
  CHECK_THROWS_WITH_AS(write_report(t / "x.html", {t / "a"}),
                       ((t / "a").string() + ": no run of this folder is over; run it again with --resume").c_str(),
                       Error);
}
