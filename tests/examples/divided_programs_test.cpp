// Every program among two ranks: the figures that one process measures of the same weights. See ranks_test.cpp.
#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <tandem/core/io/file.h>
#include "examples/child_process.h"
#include "examples/mpirun.h"
#include "examples/tiny_pairs.h"
#include "skip.h"

using namespace tandem;
using namespace tandem::test;

using Words = std::vector<std::string>;

TEST_CASE("every program divides its batches and its evaluation: the same figures of the same weights") {
  if (!has_mpi()) return skip("there is no MPI");
  const TemporaryFolder folder;
  write_pairs(folder, 40);
  const std::map<std::string, Words> programs = {
      {"autoencoder", {"--dataset", "solids", "--noise", "0.1"}},
      {"vae", {"--dataset", "solids"}},
      {"imagenet", {"--crop", "32", "--resize", "36", "--width", "4", "--sync-batch-norm"}},
      {"translate",
       {"--source", source_of(folder), "--target", (folder / "a.en").string(), "--model", "transformer-tiny"}}};
  for (const auto& entry : programs) {
    const std::string& program = entry.first;
    const Words& own = entry.second;
    CAPTURE(program);
    const auto arguments = [&](const std::string& out) {
      Words all = {"--out",       (folder / (program + out)).string(),
                   "--batch",     "8",
                   "--steps",     "1",
                   "--threads",   "1",
                   "--schedule",  "constant",
                   "--optimizer", "r=sgd(lr=1e-9)"};
      all.insert(all.end(), own.begin(), own.end());
      return all;
    };
    Words alone = arguments("-one");
    std::erase(alone, "--sync-batch-norm");
    const Finished one = run_child(program, alone);
    CAPTURE(one.error);
    REQUIRE(one.code == 0);
    Words two = {"--bind-to", "none", "-n", "2", std::string(TANDEM_BIN_DIR) + "/" + program};
    for (const std::string& word : arguments("-two")) two.push_back(word);
    const Finished ranks = run_child(kMpirun, two);
    CAPTURE(ranks.error);
    REQUIRE(ranks.code == 0);
    const auto final = [&](const std::string& out) {
      return nlohmann::json::parse(read_file(folder / (program + out + "/summary.json")))["runs"][0]["final"];
    };
    const nlohmann::json expected = final("-one"), measured = final("-two");
    for (const auto& item : expected.items()) {
      const std::string& name = item.key();
      CAPTURE(name);
      if (name != "train_loss")
        CHECK(measured[name].get<double>() == doctest::Approx(item.value().get<double>()).epsilon(1e-5));
    }
  }
}
