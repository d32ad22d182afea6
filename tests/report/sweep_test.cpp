// Grids of a sweep: which optimizers make one, and in which order its values stand.
#include <tandem/report/sweep.h>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <tandem/report/page_data.h>
#include <tandem/report/tables.h>

#include "core/temporary_folder.h"
#include "fake_folder.h"

using namespace tandem;
using namespace tandem::report;
using namespace tandem::test;

namespace {

FakeFolder swept(const std::vector<std::string>& lrs, const std::vector<std::string>& alphas) {
  FakeFolder fake;
  for (const std::string& lr : lrs) {
    for (const std::string& alpha : alphas) {
      const std::string label = fmt::format("lookahead lr={} alpha={}", lr, alpha);
      fake.runs.push_back({fmt::format("la-{}-{}", lr, alpha),
                           label,
                           label,
                           0,
                           0.5,
                           0,
                           {{"rule", "lookahead(sgd)"}, {"k", "5"}, {"lr", lr}, {"alpha", alpha}}});
    }
    fake.runs.push_back({"sgd-" + lr, "sgd lr=" + lr, "sgd(lr=" + lr + ")", 0, 0.4, 0, {{"rule", "sgd"}, {"lr", lr}}});
  }
  fake.sweep = {{"lr", lrs}, {"alpha", alphas}};
  return fake;
}

std::vector<Grid> grids(const FakeFolder& fake) {
  const TemporaryFolder t;
  fake.write(t / "out");
  return grids_of(read_comparison(t / "out"));
}

}  // namespace

TEST_CASE("rules make grids of their own, over the arguments that they have") {
  const std::vector<Grid> all = grids(swept({"0.1", "0.02"}, {"0.5", "0.8"}));
  REQUIRE(all.size() == 2);
  CHECK(all[0].name == "lookahead(sgd)");
  REQUIRE(all[0].axes.size() == 2);
  CHECK(all[0].axes[0].values == std::vector<std::string>{"0.02", "0.1"});
  // Runs came as (0.1, 0.5) = 0, (0.1, 0.8) = 1, sgd = 2, (0.02, 0.5) = 3, (0.02, 0.8) = 4, sgd = 5.
  CHECK(all[0].places == std::vector<std::optional<std::size_t>>{3, 4, 0, 1});
  CHECK(all[1].name == "sgd");
  CHECK(all[1].places == std::vector<std::optional<std::size_t>>{5, 2});
}

TEST_CASE("a place that was not run is empty; words keep their order") {
  FakeFolder fake = swept({"0.1", "0.02"}, {"reset", "maintain"});
  fake.runs.erase(fake.runs.begin());
  const std::vector<Grid> all = grids(fake);
  CHECK(all[0].axes.back().values == std::vector<std::string>{"maintain", "reset"});  // as the runs come
  CHECK(all[0].places == std::vector<std::optional<std::size_t>>{3, 2, 0, {}});
}

TEST_CASE("without a sweep there is no grid") { CHECK(grids(two_optimizers()).empty()); }

TEST_CASE("three axes: a heat map and a table for each value of the first, coloured on one scale") {
  FakeFolder fake;
  const std::vector<std::string> ks = {"5", "10"}, lrs = {"0.02", "0.1"}, alphas = {"0.2", "0.5", "0.8"};
  double accuracy = 0.1;
  for (const std::string& k : ks)
    for (const std::string& lr : lrs)
      for (const std::string& alpha : alphas) {
        const std::string label = fmt::format("k={} lr={} alpha={}", k, lr, alpha);
        fake.runs.push_back({fmt::format("la-{}-{}-{}", k, lr, alpha),
                             label,
                             label,
                             0,
                             accuracy,
                             k == "10" && alpha == "0.8" ? 20 : 0,
                             {{"rule", "lookahead(sgd)"}, {"k", k}, {"lr", lr}, {"alpha", alpha}}});
        accuracy += 0.05;
      }
  fake.sweep = {{"k", ks}, {"lr", lrs}, {"alpha", alphas}};
  const TemporaryFolder t;
  fake.write(t / "out");
  const Comparison comparison = read_comparison(t / "out");
  const Json maps = sweep_figure(comparison).at("variants")[0].at("figures");  // of test_accuracy
  REQUIRE(maps.size() == 2);
  CHECK(maps[0].at("title") == "lookahead(sgd): test_accuracy, k=5");
  CHECK(maps[1].at("title") == "lookahead(sgd): test_accuracy, k=10");
  for (const Json& map : maps) {
    CHECK(map.at("x").at("name") == "alpha");
    CHECK(map.at("y").at("values") == Json(lrs));
    CHECK(map.at("cells").size() == 6);
    CHECK(map.at("extent") == Json({0.1, 0.6}));  // of both: k=5 lr=0.02 alpha=0.2, k=10 lr=0.1 alpha=0.5
  }
  CHECK(maps[0].at("cells")[4].at("value") == 0.3);
  CHECK(maps[1].at("cells")[0].at("value") == 0.4);
  CHECK(maps[1].at("cells")[2].at("diverged") == 1);
  const std::vector<Table> tables = sweep_tables(comparison);
  REQUIRE(tables.size() == 2);
  CHECK(tables[1].caption == "test_accuracy by lr and alpha: lookahead(sgd), k=10");
  CHECK(tables[1].rows[1][2].text == "*0.6000 █");
  CHECK(tables[1].rows[1][3].text == "diverged");
}

TEST_CASE("how much swept arguments matter: means of the grid and places near the best, by hand") {
  FakeFolder fake;
  const auto add = [&](const std::string& rule, const std::string& lr, int seed, double accuracy, int diverged_at) {
    const std::string spec = rule + " lr=" + lr;
    fake.runs.push_back(
        {spec + " " + std::to_string(seed), spec, spec, seed, accuracy, diverged_at, {{"rule", rule}, {"lr", lr}}});
  };
  for (const int seed : {0, 1}) {
    add("sgd", "0.1", seed, 0.80 + 0.02 * seed, 0);
    add("sgd", "1", seed, 0.5, 10);
    add("adam", "0.1", seed, 0.795, 0);
    add("adam", "1", seed, 0.40, 0);
  }
  fake.sweep = {{"lr", {"0.1", "1"}}};
  const TemporaryFolder t;
  fake.write(t / "out");
  const Table table = sensitivity_table(read_comparison(t / "out"));
  REQUIRE(table.rows.size() == 2);
  // sgd: (0.80 + 0) / 2 and (0.82 + 0) / 2, deviation 0.00707, reach 12.706 * 0.00707 / sqrt(2) = 0.0635.
  CHECK(table.rows[0][2].text == "0.4050 ± 0.0635");
  CHECK(table.rows[0][1].text == "lr (2)");
  CHECK(table.rows[0][3].text == "1.0 ± 0.0 of 2");
  // adam: near the best of seed 0 (0.80), not of seed 1 (0.82).
  CHECK(table.rows[1][2].text == "0.5975 ± 0.0000");
  CHECK(table.rows[1][3].text == "0.5 ± 6.4 of 2");
  CHECK(table.rows[1][4].text == "2");
  CHECK(comparison_text(read_comparison(t / "out")).find("How much the swept arguments matter") != std::string::npos);
}
