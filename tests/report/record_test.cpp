// Run folders read back, and what is refused: nothing outside the folder is read, whatever names and links say.
#include <tandem/report/record.h>

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>

#include <tandem/core/error.h>
#include <tandem/core/file.h>
#include <tandem/report/folder_files.h>
#include "core/temporary_folder.h"
#include "fake_folder.h"

using namespace tandem;
using namespace tandem::report;
using namespace tandem::test;
namespace fs = std::filesystem;

namespace {

/// The message of what reading throws, without the folder's own path.
std::string refusal(const fs::path& folder) {
  try {
    read_run_folder(folder);
  } catch (const Error& error) {
    std::string text = error.what();
    for (std::size_t at = 0; (at = text.find(folder.string())) != std::string::npos;)
      text.replace(at, folder.string().size(), "OUT");
    return text;
  }
  return "nothing was refused";
}

void replace_in(const fs::path& file, const std::string& what, const std::string& with) {
  std::string text = read_file(file);
  const std::size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  write_file(file, text.replace(at, what.size(), with));
}

}  // namespace

TEST_CASE("a folder is read as it was written") {
  const TemporaryFolder t;
  FakeFolder fake = two_optimizers();
  fake.runs[1].diverged_at = 17;
  fake.runs[2].status = "missing";
  fake.sweep = {{"k", {"5", "10"}}};
  fake.write(t / "out");
  const RunFolder folder = read_run_folder(t / "out");
  CHECK(folder.program == "cifar");
  CHECK(folder.experiment.metric == "test_accuracy");
  CHECK(text_of(texts_of(folder), "parameters") == "1234");
  CHECK(text_of(folder.options, "batch") == "8");
  CHECK(folder.sweep.at(0).values == std::vector<std::string>{"5", "10"});
  CHECK(folder.missing == std::vector<std::string>{"sgd-seed1"});
  REQUIRE(folder.runs.size() == 5);
  CHECK(folder.runs[0].status == RunStatus::finished);
  CHECK(value_of(folder.runs[0].final, "test_accuracy") == 0.5);
  CHECK(folder.runs[0].metrics.rows() == 4);
  CHECK(folder.runs[0].steps.column("distance")->at(3) == 4);
  CHECK(std::isnan(folder.runs[0].steps.column("alpha")->at(3)));
  CHECK(folder.runs[1].is_diverged());
  CHECK(folder.runs[1].step == 17);
  CHECK(std::isnan(folder.runs[1].steps.column("loss")->at(16)));
}

TEST_CASE("numbers that are not finite are read from text") {
  const TemporaryFolder t;
  two_optimizers().write(t / "out");
  replace_in(t / "out" / "sgd-seed0" / "run.json", "\"train_loss\":0.5", "\"train_loss\":\"-inf\"");
  CHECK(std::isinf(value_of(read_run_folder(t / "out").runs[0].final, "train_loss")));
}

TEST_CASE("what is no run folder is refused with a word on what it is") {
  const TemporaryFolder t;
  CHECK(refusal(t / "none") == "OUT: the run folder is not there");
  write_file(t / "file", "x");
  CHECK(refusal(t / "file") == "OUT: is a file, not a run folder");
  fs::create_directory(t / "empty");
  CHECK(refusal(t / "empty") == "OUT: not a run folder: it has no manifest.json; name the folder that --out named");
  write_file(t / "empty" / "manifest.json", R"({"tandem": 3})");
  CHECK(refusal(t / "empty") ==
        "OUT/manifest.json: not the manifest of a run folder: \"tandem\" is 3, expected \"run folder 1\"");
  write_file(t / "empty" / "manifest.json", "{");
  CHECK(refusal(t / "empty").find("OUT/manifest.json: not the manifest of a run folder: [json") == 0);
  write_file(t / "empty" / "manifest.json", R"({"tandem": "run folder 1"})");
  CHECK(refusal(t / "empty").find("'program' not found") != std::string::npos);
}

TEST_CASE("names of runs and pictures are plain") {
  const TemporaryFolder t;
  for (const std::string name : {"../secret", "..", ".", "", "/etc", "a/b", "a\\\\b"}) {
    two_optimizers().write(t / "out");
    replace_in(t / "out" / "manifest.json", "\"name\":\"sgd-seed0\"", "\"name\":\"" + name + "\"");
    CAPTURE(name);
    CHECK(refusal(t / "out").find("is not a plain name") != std::string::npos);
  }
  two_optimizers().write(t / "out");
  write_file(t / "out" / "pictures.json", R"([{"figure":"f","row":"","caption":"","file":"../../x.png"}])");
  CHECK(refusal(t / "out") == "OUT/pictures.json: \"../../x.png\" is not a plain name");
}

TEST_CASE("a link that leads out of the folder is not followed, one inside is") {
  const TemporaryFolder t;
  two_optimizers().write(t / "out");
  write_file(t / "secret", "step,epoch,train_loss,test_accuracy\n");
  const fs::path file = t / "out" / "sgd-seed0" / "metrics.csv";
  fs::rename(file, t / "out" / "sgd-seed0" / "real.csv");
  fs::create_symlink("real.csv", file);
  CHECK(read_run_folder(t / "out").runs.at(0).metrics.rows() == 4);
  fs::remove(file);
  fs::create_symlink(t / "secret", file);
  CHECK(refusal(t / "out").find("OUT/sgd-seed0/metrics.csv: leads out of the run folder: ") == 0);
  fs::remove_all(t / "out" / "sgd-seed0");
  fs::create_directory_symlink(t.path(), t / "out" / "sgd-seed0");
  write_file(t / "run.json", "{}");
  CHECK(refusal(t / "out").find("OUT/sgd-seed0/run.json: leads out of the run folder: ") == 0);
}

TEST_CASE("pictures are PNG files of a size that can be shown") {
  const TemporaryFolder t;
  two_optimizers().write(t / "out");
  fs::create_directory(t / "out" / "pictures");
  write_file(t / "out" / "pictures.json", R"([{"figure":"f","row":"input","caption":"C.","file":"a.png"}])");
  write_file(t / "out" / "pictures" / "a.png", png_header(20, 10));
  CHECK(read_run_folder(t / "out").pictures.at(0).row == "input");
  write_file(t / "out" / "pictures" / "a.png", png_header(0, 10));
  CHECK(refusal(t / "out") == "OUT/pictures/a.png: not a PNG file that can be shown: 0 x 10 pixels");
  write_file(t / "out" / "pictures" / "a.png", "<svg onload='alert(1)'>0123456789");
  CHECK(refusal(t / "out") == "OUT/pictures/a.png: not a PNG file: 33 bytes");
}

TEST_CASE("damaged tables are named with their line") {
  const TemporaryFolder t;
  const auto with = [&](const std::string& text) {
    two_optimizers().write(t / "out");
    write_file(t / "out" / "sgd-seed0" / "metrics.csv", text);
    return refusal(t / "out");
  };
  const std::string where = "OUT/sgd-seed0/metrics.csv";
  CHECK(with("a,b\n") == where + " line 1: not the header of a table by step");
  CHECK(with("step,epoch,x\n10,1,2\n20,1") == where + " line 3: the table is truncated: its last line has no end");
  CHECK(with("step,epoch,x\n10,1\n") == where + " line 2: has 2 fields, the header 3");
  CHECK(with("step,epoch,x\n10,1,five\n") == where + " line 2: \"five\" is not a number");
  CHECK(with("step,epoch,x\n,1,5\n") == where + " line 2: has no step");
  CHECK(with("step,epoch,x\n-1,1,5\n") == where + " line 2: has no step");
  CHECK(with("step,epoch,x\n1e17,1,5\n") == where + " line 2: has no step");
}

TEST_CASE("metrics of fast and slow weights are told apart") {
  const TemporaryFolder t;
  two_optimizers().write(t / "out");
  write_file(t / "out" / "sgd-seed0" / "inner.csv", "step,weights,x\n1,fast,0.5\n1,slow,0.25\n");
  CHECK(*read_run_folder(t / "out").runs[0].inner.column("weights") == std::vector<double>{0, 1});
  write_file(t / "out" / "sgd-seed0" / "inner.csv", "step,weights,x\n1,quick,0.5\n");
  CHECK(refusal(t / "out") == "OUT/sgd-seed0/inner.csv line 2: \"quick\" is not fast or slow");
}

TEST_CASE("a run's result that is not one is refused") {
  const TemporaryFolder t;
  two_optimizers().write(t / "out");
  replace_in(t / "out" / "sgd-seed0" / "run.json", "finished", "fine");
  CHECK(refusal(t / "out") ==
        "OUT/sgd-seed0/run.json: the status \"fine\" is none of finished, diverged, interrupted, stopped");
  replace_in(t / "out" / "sgd-seed0" / "run.json", "\"fine\"", "7");
  CHECK(refusal(t / "out").find("OUT/sgd-seed0/run.json: not the result of a run: ") == 0);
}

TEST_CASE("counts are whole numbers, and values do not nest") {
  const TemporaryFolder t;
  const auto with = [&](const std::string& what, const std::string& by) {
    two_optimizers().write(t / "out");
    replace_in(t / "out" / "manifest.json", what, by);
    return refusal(t / "out");
  };
  CHECK(with("\"threads\":1", "\"threads\":-1") == "OUT/manifest.json: \"threads\" is not a whole number");
  CHECK(with("\"threads\":1", "\"threads\":5000000000") == "OUT/manifest.json: \"threads\" is not a whole number");
  CHECK(with("\"total_steps\":40", "\"total_steps\":1e300") ==
        "OUT/manifest.json: \"total_steps\" is not a whole number");
  const std::string deep = std::string(1000000, '[') + std::string(1000000, ']');
  CHECK(with("\"batch\":\"8\"", "\"batch\":" + deep) == "OUT/manifest.json: nests deeper than 32 levels");
  CHECK(with("\"batch\":\"8\"", "\"batch\":[[8]]").find("OUT/manifest.json: not the manifest of a run folder: ") == 0);
  CHECK(with("a & b", std::string(100, '[') + "\\\"{{") == "nothing was refused");
}

TEST_CASE("a file beyond the limit is not read") {
  const TemporaryFolder t;
  write_file(t / "big", std::string(100, 'x'));
  CHECK(read_below(t.path(), "big", 100).size() == 100);
  CHECK_THROWS_AS(read_below(t.path(), "big", 99), Error);
}

TEST_CASE("an empty table is one of a run that was never evaluated, and no damage") {
  const TemporaryFolder t;
  two_optimizers().write(t / "out");
  write_file(t / "out" / "sgd-seed0" / "metrics.csv", "");
  const RunFolder folder = read_run_folder(t / "out");
  REQUIRE_FALSE(folder.runs.empty());
  CHECK(folder.runs.front().metrics.rows() == 0);
}
