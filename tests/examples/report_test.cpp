// The report of run folders made by hand: it loads nothing, its numbers are those of summary.json, all text is escaped,
// and what was not measured is said to be so. The HTML as a tree: tests/project/report_page_test.py.
#include "examples/common/report.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include <tandem/core/error.h>
#include <tandem/core/file.h>
#include "core/temporary_folder.h"
#include "examples/child_process.h"
#include "examples/common/comparison_record.h"
#include "examples/common/html.h"
#include "examples/common/pictures.h"

using namespace tandem;
using namespace tandem::examples;
using tandem::test::Finished;
using tandem::test::run_child;
using tandem::test::TemporaryFolder;

namespace {

const std::string kSgd = "sgd(lr=0.1)", kLookahead = "lookahead(sgd(lr=0.1), k=5, alpha=0.5)";

/// The first bytes of a PNG of so many pixels: as much as the report reads.
std::string png(int width, int height) {
  std::string bytes("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
  for (const int size : {width, height})
    for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<char>(size >> shift & 255));
  return bytes + "rest";
}

Configuration configuration(const std::string& dataset) {
  Configuration c;
  c.program = "cifar";
  c.command = "cifar --out 'a & b'";
  c.dataset = dataset;
  c.data = dataset + ": 40 training images";
  c.model = "tiny";
  c.metric = "test_accuracy";
  c.parameters = 1234;
  c.batch = 8;
  c.schedule = "constant";
  c.precision = "f32";
  c.threads = 1;
  return c;
}

/// A finished comparison of two epochs.
void write_folder(const std::filesystem::path& path, const std::vector<std::string>& optimizers,
                  const std::vector<std::uint64_t>& seeds, const std::string& dataset = "set", double spoilt = 0) {
  RunFolder folder(path);
  std::vector<RunResult> results;
  double value = 0.123456789;
  for (const std::uint64_t seed : seeds)
    for (std::size_t i = 0; i < optimizers.size(); ++i) {
      RunResult r;
      r.run = {run_name(i + 1, optimizers[i], seed), optimizers[i], seed};
      r.epochs = 2;
      r.steps = 20;
      r.seconds = 61;
      r.examples_per_second = 1234.4;
      for (const std::int64_t epoch : {1, 2}) {
        value += 0.0101 * static_cast<double>(1 + i * seed);
        r.final_metrics = {{"train_loss", 1 - value}, {"test_accuracy", value + spoilt}};
        folder.add_epoch(r.run, epoch, 10 * epoch, r.final_metrics);
      }
      keep_best(r.best_metrics, r.final_metrics);
      folder.save_pictures(r.run, {{"reconstructions", "", "", png(20, 10)}});
      results.push_back(r);
    }
  folder.save_pictures({{"reconstructions", "Inputs & outputs.", "input", png(20, 10)}});
  folder.write_summary(configuration(dataset), results);
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
  return n;
}

/// The values of an attribute.
std::vector<std::string> values_of(const std::string& html, const std::string& attribute) {
  std::vector<std::string> values;
  const std::string begin = " " + attribute + "=\"";
  for (std::size_t at = 0; (at = html.find(begin, at)) != std::string::npos;) {
    at += begin.size();
    values.push_back(html.substr(at, html.find('"', at) - at));
  }
  return values;
}

void check_loads_nothing(const std::string& html) {
  for (const char* part : {"http:", "https:", "<script", "@import", "url(", "<iframe", "srcset", "<object", "<embed"})
    CHECK(html.find(part) == std::string::npos);
  for (const std::string& target : values_of(html, "src")) CHECK(target.rfind("data:image/png;base64,", 0) == 0);
  for (const std::string& target : values_of(html, "href")) CHECK((target == "data:," || target.front() == '#'));
}

}  // namespace

TEST_CASE("text is escaped, bytes become base64") {
  CHECK(escaped("<a href=\"x\">'&'</a>") == "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
  CHECK(escaped(std::string("a\0b\x1b", 4)) ==
        "a\uFFFD"
        "b\uFFFD");
  CHECK(base64("") == "");
  CHECK(base64("M") == "TQ==");
  CHECK(base64("Ma") == "TWE=");
  CHECK(base64("Man") == "TWFu");
  CHECK(base64("\xff\xfe\xfd\xfc") == "//79/A==");
  CHECK(number_html(-0.12345) == "<data value=\"-0.12345\">−0.1235</data>");
  CHECK(number_html(std::nan("")).find("not measured") != std::string::npos);
}

TEST_CASE("the report loads nothing and its numbers are those of summary.json") {
  const TemporaryFolder folder;
  write_folder(folder / "run", {kSgd, kLookahead}, {0, 1});
  const std::string html = report_html({folder / "run"});
  check_loads_nothing(html);

  const std::vector<std::string> written = values_of(html, "value");
  const auto has = [&](double value) {
    return std::count(written.begin(), written.end(), fmt::format("{}", value)) > 0;
  };
  const auto summary = nlohmann::json::parse(read_file(folder / "run/summary.json"));
  REQUIRE(summary["runs"].size() == 4);
  for (const auto& run : summary["runs"]) {
    for (const auto& [name, value] : run["final"].items()) CHECK(has(value.get<double>()));
    CHECK(has(run["best"]["test_accuracy"].get<double>()));
  }
  for (const std::size_t optimizer : {0U, 1U}) {
    const double a = summary["runs"][optimizer]["final"]["test_accuracy"],
                 b = summary["runs"][optimizer + 2]["final"]["test_accuracy"];
    const MeanAndDeviation both = mean_and_deviation({a, b});
    CHECK(has(both.mean));
    CHECK(has(both.deviation));
  }
  CHECK(html.find("1,234</td>") != std::string::npos);
  CHECK(html.find("interval") != std::string::npos);
  CHECK(count(html, "<path class=\"band") == 4);  // two metrics, two optimizers
  CHECK(html.find("bands of one standard deviation of 2 seeds") != std::string::npos);
  CHECK(html.find("cifar --out &#39;a &amp; b&#39;") != std::string::npos);
  CHECK(html.find("oneDNN") != std::string::npos);
}

TEST_CASE("pictures: the input above one row an optimizer") {
  const TemporaryFolder folder;
  write_folder(folder / "run", {kSgd, kLookahead}, {0, 1});
  const std::string html = report_html({folder / "run"});
  CHECK(count(html, "<img") == 3);
  CHECK(count(html, "width=\"20\" height=\"10\"") == 3);
  CHECK(html.find(base64(png(20, 10))) != std::string::npos);
  CHECK(html.find("Inputs &amp; outputs.") != std::string::npos);
  CHECK(html.find("<span>input</span>") < html.find("lookahead</span>", html.find("<span>input</span>")));
}

TEST_CASE("names from outside are text") {
  const TemporaryFolder folder;
  write_folder(folder / "run", {"<img src=x onerror=alert(1)>"}, {0}, "<script>alert(1)</script>");
  const std::string html = report_html({folder / "run"});
  check_loads_nothing(html);
  CHECK(html.find("&lt;script&gt;alert(1)&lt;/script&gt;") != std::string::npos);
}

TEST_CASE("what is not a number was not measured") {
  const TemporaryFolder folder;
  write_folder(folder / "run", {kSgd, kLookahead}, {0, 1}, "set", std::nan(""));
  const std::string html = report_html({folder / "run"});
  CHECK(count(html, "<figure class=\"plot\">") == 1);  // train_loss
  CHECK(html.find("not measured") != std::string::npos);
  CHECK(html.find("nan") == std::string::npos);
}

TEST_CASE("one seed has no bands, no means, and says that nothing follows") {
  const TemporaryFolder folder;
  write_folder(folder / "run", {kSgd, kLookahead}, {3});
  const std::string html = report_html({folder / "run"});
  CHECK(count(html, "<path class=\"band") == 0);
  CHECK(html.find("standard deviation") == std::string::npos);
  CHECK(html.find("nothing follows") != std::string::npos);
}

TEST_CASE("a single evaluation has no curve: optimizers stand beside each other, with bars") {
  const TemporaryFolder folder;
  write_folder(folder / "run", {kSgd, kLookahead}, {0, 1});
  std::string few;
  const std::string table = read_file(folder / "run/metrics.csv");
  for (std::size_t begin = 0; begin < table.size();) {  // without the rows of epoch 1
    const std::size_t end = table.find('\n', begin) + 1;
    const std::string line = table.substr(begin, end - begin);
    if (line.find(",1,10,") == std::string::npos) few += line;
    begin = end;
  }
  write_file(folder / "run/metrics.csv", few);
  const std::string html = report_html({folder / "run"});
  CHECK(html.find("<h3>Curves</h3>") == std::string::npos);
  CHECK(html.find("bars of one standard deviation of 2 seeds") != std::string::npos);
  CHECK(count(html, "<path class=\"bar") == 4);
  CHECK(html.find("<h3>At equal steps</h3>") == std::string::npos);
}

TEST_CASE("folders of one experiment share a table, others have parts of their own") {
  const TemporaryFolder folder;
  write_folder(folder / "a", {kSgd}, {0, 1});
  write_folder(folder / "b", {kLookahead}, {0, 1});
  const std::string together = report_html({folder / "a", folder / "b"});
  CHECK(together.find("<nav>") == std::string::npos);
  CHECK(together.find("2 optimizers, 2 seeds") != std::string::npos);
  write_folder(folder / "c", {kSgd}, {0}, "other");
  const std::string parts = report_html({folder / "a", folder / "c", folder / "b"});
  check_loads_nothing(parts);
  CHECK(count(parts, "<h2>") == 2);
  CHECK(values_of(parts, "href").back() == "#part2");
  CHECK(parts.find("steps</h2>") == std::string::npos);
  write_file(folder / "c/summary.json", [&] {
    std::string text = read_file(folder / "a/summary.json");
    return text.replace(text.find("\"batch\": 8"), 10, "\"batch\": 4");
  }());
  CHECK(report_html({folder / "a", folder / "c"}).find("cifar: tiny on set, batch 4, constant, 20 steps</h2>") !=
        std::string::npos);
}

TEST_CASE("pictures are checked when they are written and when they are read") {
  const TemporaryFolder folder;
  const auto write = [&](const std::vector<Picture>& pictures) { write_pictures(folder.path(), pictures); };
  write({});
  CHECK(folder.count() == 0);
  CHECK_THROWS_WITH_AS(write({{"a/b", "", "", png(1, 1)}}),
                       "picture \"a/b\" \"\": the figure's name must be letters, digits, '-' and '_'", Error);
  CHECK_THROWS_WITH_AS(write({{"a", "", "x", "GIF"}}), "picture \"a\" \"x\": not a PNG file: 3 bytes", Error);
  CHECK_THROWS_WITH_AS(write({{"a", "", "x", png(1, 1)}, {"a", "", "x", png(1, 1)}}),
                       "picture \"a\" \"x\": is there twice: a-x.png", Error);
  write({{"walk", "From left to right.", "two words", png(300, 4)}, {"a", "", "", png(1, 2)}});
  const std::vector<Picture> read = read_pictures(folder.path());
  REQUIRE(read.size() == 2);
  CHECK(read[0].figure == "walk");
  CHECK(read[0].row == "two words");
  CHECK(read[0].caption == "From left to right.");
  CHECK(png_size(read[0].png, "").width == 300);
  write_file(folder / "pictures/a.png", "no");
  CHECK_THROWS_WITH_AS(read_pictures(folder.path()),
                       ((folder / "pictures/a.png").string() + ": not a PNG file: 2 bytes").c_str(), Error);
  remove_pictures(folder.path());
  CHECK(folder.count() == 0);
}

TEST_CASE("damaged folders are named") {
  const TemporaryFolder folder;
  const auto refuse = [&](const std::string& message) {
    CHECK_THROWS_WITH_AS(report_html({folder / "run"}), message.c_str(), Error);
  };
  refuse(
      (folder / "run").string() +
      ": nothing to report: neither summary.json nor quadratic.json is there; a report is made of folders that --out "
      "wrote, with at least one finished run");
  write_folder(folder / "run", {kSgd}, {0});
  const std::string table = read_file(folder / "run/metrics.csv");
  write_file(folder / "run/metrics.csv", table + "1-sgd-seed0,sgd,0,3\n");
  refuse((folder / "run/metrics.csv").string() + " line 4: has 4 fields, the header 7");
  write_file(folder / "run/metrics.csv", table + "1-sgd-seed0,sgd,0,3,30,x,1\n");
  refuse((folder / "run/metrics.csv").string() + " line 4: \"x\" is not a number");
  write_file(folder / "run/summary.json", "{}");
  CHECK_THROWS_AS(report_html({folder / "run"}), Error);
  write_file(folder / "run/quadratic.json", "{}");
  CHECK_THROWS_AS(report_html({folder / "run"}), Error);
}

TEST_CASE("the program report: one file from folders; a wrong command line ends with 2, a wrong folder with 1") {
  const TemporaryFolder folder;
  write_folder(folder / "a", {kSgd}, {0});
  write_folder(folder / "b", {kSgd}, {0}, "other");
  const std::string out = (folder / "both.html").string();
  const Finished finished = run_child("report", {(folder / "a").string(), (folder / "b").string(), "--out", out});
  INFO(finished.error);
  REQUIRE(finished.code == 0);
  CHECK(finished.output == "written: " + out + "\n");
  CHECK(read_file(out) == report_html({folder / "a", folder / "b"}));
  CHECK(run_child("report", {}).code == 2);
  const Finished missing = run_child("report", {(folder / "none").string()});
  CHECK(missing.code == 1);
  CHECK(missing.last_error_line().find("nothing to report") != std::string::npos);
}
