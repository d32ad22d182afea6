// Which folders are joined, what is said of those that are not, and whose values count.
#include <tandem/report/comparison.h>

#include <doctest/doctest.h>

#include <cmath>

#include "core/temporary_folder.h"
#include "fake_folder.h"

using namespace tandem;
using namespace tandem::report;
using namespace tandem::test;

namespace {

RunFolder read(const TemporaryFolder& t, const std::string& name, const FakeFolder& fake) {
  fake.write(t / name);
  return read_run_folder(t / name);
}

FakeFolder one_run(const std::string& label, const std::string& optimizer, int seed, double accuracy) {
  FakeFolder fake;
  fake.runs = {{"run", label, optimizer, seed, accuracy}};
  return fake;
}

}  // namespace

TEST_CASE("folders that differ in optimizer and seed alone are joined") {
  const TemporaryFolder t;
  std::vector<RunFolder> folders;
  folders.push_back(read(t, "a", one_run("sgd", "sgd(lr=0.1)", 0, 0.5)));
  folders.push_back(read(t, "b", one_run("sgd", "sgd(lr=0.1)", 1, 0.6)));
  folders.push_back(read(t, "c", one_run("adam", "adam(lr=0.1)", 1, 0.7)));
  const std::vector<Comparison> joined = join(std::move(folders));
  REQUIRE(joined.size() == 1);
  CHECK(joined[0].runs.size() == 3);
  REQUIRE(joined[0].contenders.size() == 2);
  CHECK(joined[0].contenders[0].runs == std::vector<std::size_t>{0, 1});
  CHECK(joined[0].seeds() == std::vector<std::uint64_t>{0, 1});
}

TEST_CASE("a difference in data, options or program hinders, with both values; threads and machine do not") {
  const TemporaryFolder t;
  FakeFolder fake = one_run("sgd", "sgd(lr=0.1)", 0, 0.5);
  const RunFolder a = read(t, "a", fake);
  fake.threads = 4;
  fake.machine = "other, avx512";
  const RunFolder machine = read(t, "b", fake);
  CHECK(same_experiment(a, machine).empty());
  CHECK(discrepancy_text(circumstances(a, machine)) ==
        "threads is 1 there and 4 here; machine is any, avx2 there and other, avx512 here");
  fake.options = {{"batch", "16"}, {"cutout", "8"}};
  const RunFolder options = read(t, "c", fake);
  CHECK(discrepancy_text(same_experiment(a, options)) ==
        "batch is 8 there and 16 here; schedule is constant there and not given here; cutout is not given there and 8 "
        "here");
  FakeFolder other = one_run("sgd", "sgd(lr=0.1)", 0, 0.5);
  other.dataset = "else";
  std::vector<RunFolder> folders;
  folders.push_back(a);
  folders.push_back(read(t, "d", other));
  CHECK(same_experiment(folders[0], folders[1]).at(0).name == "dataset");
  CHECK(join(std::move(folders)).size() == 2);
}

TEST_CASE("the same optimizer and seed again is another contender; equal labels of others become the whole text") {
  const TemporaryFolder t;
  std::vector<RunFolder> folders;
  folders.push_back(read(t, "a", one_run("sgd", "sgd(lr=0.1)", 0, 0.5)));
  folders.push_back(read(t, "b", one_run("sgd", "sgd(lr=0.1)", 0, 0.6)));
  folders.push_back(read(t, "c", one_run("sgd", "sgd(lr=0.2)", 0, 0.7)));
  const std::vector<Comparison> joined = join(std::move(folders));
  REQUIRE(joined[0].contenders.size() == 3);
  CHECK(joined[0].contenders[0].name == "sgd(lr=0.1)");
  CHECK(joined[0].contenders[1].name == "sgd(lr=0.1) (2)");
  CHECK(joined[0].contenders[2].name == "sgd(lr=0.2)");
}

TEST_CASE("a diverged run has no final value but is counted, an interrupted one is not compared") {
  const TemporaryFolder t;
  FakeFolder fake = two_optimizers();
  fake.runs[0].diverged_at = 17;
  fake.runs[2].status = "interrupted";
  fake.write(t / "out");
  const Comparison c = read_comparison(t / "out");
  const BySeed values = c.final_values(c.contenders[0], "test_accuracy");
  REQUIRE(values.size() == 2);
  CHECK(std::isnan(values.at(0)));
  CHECK(values.at(2) == 0.7);
  CHECK(equal_steps(c) == std::vector<std::int64_t>{10, 20, 30, 40});
  CHECK(values_at(c, c.contenders[0], 10, "test_accuracy").size() == 3);
  CHECK(values_at(c, c.contenders[1], 40, "test_accuracy") == std::vector<double>{0.6, 0.72, 0.78});
}
