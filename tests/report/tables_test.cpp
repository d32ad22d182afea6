// The tables of a comparison, as a terminal shows them.
#include <tandem/report/tables.h>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/temporary_folder.h"
#include "fake_folder.h"

using namespace tandem;
using namespace tandem::report;
using namespace tandem::test;

namespace {

Comparison read(const FakeFolder& fake) {
  const TemporaryFolder t;
  fake.write(t / "out");
  return read_comparison(t / "out");
}

}  // namespace

TEST_CASE("columns stand under each other, headings reach over them") {
  const Table table{"Caption",
                    {{"", true}, {"mean"}, {"±"}, {"said", true}},
                    {{{"against a"}}, {{"b"}, number_cell(0.5), {"±1"}, {"x"}}, {{"long name"}, {"-"}, {"±10"}, {"y"}}},
                    "Note."};
  CHECK(table_text(table) ==
        "Caption\n"
        "               mean    ±  said\n"
        "against a\n"
        "  b          0.5000   ±1  x\n"
        "  long name       -  ±10  y\n"
        "Note.\n");
  CHECK(table_text({"Nothing", {{"a"}}, {}, "n"}).empty());
}

TEST_CASE("results are means over the seeds that came to their end, and say what the others did") {
  FakeFolder fake = two_optimizers();
  fake.runs[0].diverged_at = 17;
  fake.runs[2].diverged_at = 30;
  const Table table = results_table(read(fake));
  REQUIRE(table.rows.size() == 2);
  CHECK(table.rows[0][2].text == "0.7000");
  CHECK(table.rows[0].back().text == "diverged at step 17 to 30 (2 of 3 seeds)");
  CHECK(table.rows[1][2].text == "0.7000 ± 0.0917");  // 0.6, 0.72, 0.78
  CHECK(table.rows[1][4].text == "1,234");
  CHECK(table.rows[1].back().text == "3 seeds");
  CHECK(table.note ==
        "Mean ± standard deviation over seeds. 2 runs that diverged or were interrupted have no final value and are in "
        "no mean.");
}

TEST_CASE("runs that stopped or were interrupted are said to") {
  FakeFolder fake = two_optimizers();
  fake.runs[0].status = "interrupted";
  fake.runs[1].status = "stopped";
  const Comparison c = read(fake);
  CHECK(ends_text(c, c.contenders[0]) == "interrupted at step 40 (1 of 3 seeds)");
  CHECK(ends_text(c, c.contenders[1]) == "stopped at step 40 (1 of 3 seeds)");
}

TEST_CASE("differences of two optimizers: mean 0.1, interval 0.1 +- 4.303 * 0.02 / sqrt(3)") {
  const Table table = differences_table(read(two_optimizers()));
  REQUIRE(table.rows.size() == 2);
  CHECK(table.rows[0][0].text == "against sgd");
  CHECK(table.rows[1][0].text == "lookahead");
  CHECK(table.rows[1][1].text == "+0.1000");
  CHECK(table.rows[1][2].text == "0.0115");
  CHECK(table.rows[1][3].text == "+0.0503 to +0.1497");
  CHECK(table.rows[1][5].text == "better");
}

TEST_CASE("a pair that diverged in every seed has a row that says so") {
  FakeFolder fake = two_optimizers();
  for (const std::size_t i : {1, 3, 5}) fake.runs[i].diverged_at = 12;
  const Table table = differences_table(read(fake));
  CHECK(table.rows[1][1].text == "-");
  CHECK(table.rows[1][5].text == "nothing: diverged");
}

TEST_CASE("metrics at equal steps") {
  const Table table = equal_steps_table(read(two_optimizers()));
  CHECK(table.columns[1].name == "step 10");
  REQUIRE(table.rows.size() == 6);
  CHECK(table.rows[3][0].text == "test_accuracy");
  CHECK(table.rows[4][4].text == "0.6000 ± 0.1000");
}

TEST_CASE("a sweep as a table of shades: the best marked, diverged said") {
  FakeFolder fake;
  const double values[] = {0.1, 0.2, 0.3, 0.4};
  for (int i = 0; i < 4; ++i) {
    const std::string lr = i < 2 ? "0.1" : "0.5", k = i % 2 == 0 ? "5" : "10";
    const std::string label = fmt::format("lr={} k={}", lr, k);
    fake.runs.push_back({fmt::format("r{}", i),
                         label,
                         label,
                         0,
                         values[i],
                         i == 1 ? 7 : 0,
                         {{"rule", "lookahead(sgd)"}, {"lr", lr}, {"k", k}}});
  }
  fake.sweep = {{"lr", {"0.1", "0.5"}}, {"k", {"5", "10"}}};
  const std::vector<Table> tables = sweep_tables(read(fake));
  REQUIRE(tables.size() == 1);
  CHECK(table_text(tables[0]) ==
        "test_accuracy by lr and k: lookahead(sgd)\n"
        "lr           k=5       k=10\n"
        "lr=0.1  0.1000 ░   diverged\n"
        "lr=0.5  0.3000 ▓  *0.4000 █\n"
        "* the best; darker is better.\n");
}

TEST_CASE("the text of a comparison has all tables") {
  const std::string text = comparison_text(read(two_optimizers()));
  for (const char* part : {"Results\n", "paired by seed\n", "At equal steps\n"})
    CHECK(text.find(part) != std::string::npos);
}
