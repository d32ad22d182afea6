// Data sets by name: those that come with Tandem, those that are registered, and what is refused.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <data/small_sets.h>
#include <tandem/core/error.h>
#include <tandem/data/catalog.h>

using namespace tandem;
using tandem::test::counting_set;

TEST_CASE("the catalog knows its names and suggests the nearest") {
  std::vector<std::string> names = dataset_names();
  names.resize(5);  // those that come with Tandem stand first
  CHECK(names == std::vector<std::string>{"cifar10", "cifar100", "folder", "solids", "synthetic"});
  try {
    open_dataset("sinthetic");
    FAIL("a name that is not known was taken");
  } catch (const UsageError& error) {
    const std::string message = error.what();
    CHECK(message.starts_with(
        "data set: \"sinthetic\" is not known: known: cifar10, cifar100, folder, solids, synthetic"));
    CHECK(message.ends_with("; did you mean synthetic?"));
  }
}

TEST_CASE("a data set of one's own is opened by its name, and checked") {
  register_dataset("counting", [](const OpenOptions& options) {
    return TrainTest{counting_set(6), counting_set(static_cast<std::int64_t>(options.seed))};
  });
  CHECK(open_dataset("counting", {.seed = 3}).test.size() == 3);
  const std::vector<std::string> names = dataset_names();
  CHECK(std::find(names.begin(), names.end(), "counting") != names.end());
  const auto opener = [](const OpenOptions&) { return TrainTest{}; };
  CHECK_THROWS_WITH_AS(register_dataset("folder", opener), "register_dataset: \"folder\": the name is taken", Error);
  CHECK_THROWS_WITH_AS(register_dataset("", opener),
                       "register_dataset: \"\": a data set needs a name and a function that opens it", Error);
  CHECK_THROWS_AS(register_dataset("none", {}), Error);
  register_dataset("hollow", opener);
  CHECK_THROWS_WITH_AS(open_dataset("hollow"), "data set \"\": has no images or no labels", Error);
}
