// Who owns a folder: what is refused, what is deleted, what stays.
#include <tandem/train/run_folder.h>

#include <doctest/doctest.h>

#include <set>

#include <tandem/core/error.h>
#include <tandem/core/file.h>

#include "core/temporary_folder.h"
#include "own_training.h"

using namespace tandem;
using namespace tandem::test;
using train::RunFolder;
namespace fs = std::filesystem;

namespace {

std::set<std::string> files_of(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) names.insert(fs::relative(entry, folder).string());
  return names;
}

std::string message_of(const std::vector<std::string>& arguments) {
  try {
    own_training(arguments);
  } catch (const UsageError& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a folder that holds files which are not Tandem's is refused, with and without --overwrite, and stays") {
  const TemporaryFolder folder;
  // Every name that an earlier version deleted.
  for (const char* name : {"mine/manifest.json", "mine/report.html", "mine/metrics.csv", "mine/summary.json",
                           "mine/events.out.tfevents.mine", "mine/pictures/a.png", "mine/sub/checkpoint.safetensors",
                           "mine/sub/pictures/mine.png"}) {
    fs::create_directories((folder / name).parent_path());
    write_file(folder / name, "{\"my\": \"own\"}");
  }
  const auto before = files_of(folder.path());
  const std::string out = (folder / "mine").string();
  CHECK(message_of({"--out", out}) == "--out: " + out + " holds files that are not Tandem's; take another folder");
  CHECK(message_of({"--out", out, "--overwrite"}).find("not Tandem's") != std::string::npos);
  CHECK(message_of({"--out", out + "/"}).find("not Tandem's") != std::string::npos);
  CHECK(files_of(folder.path()) == before);
  CHECK(read_file(folder / "mine/manifest.json") == "{\"my\": \"own\"}");
}

TEST_CASE("a run that is there is refused with the command that goes on; --overwrite replaces it and nothing else") {
  const TemporaryFolder folder;
  const std::string out = (folder / "run").string();
  CHECK_THROWS(own_training({"--out", out, "--checkpoint-every", "1"}, {.throw_after = 7}));
  const std::string again = message_of({"--out", out});
  CHECK(again.find("holds a comparison that is not finished: 0 of 1 runs are over; go on with: own --resume " + out) !=
        std::string::npos);
  REQUIRE(own_training({"--resume", out}) == 0);
  CHECK(message_of({"--out", out}).find("holds a comparison that is finished") != std::string::npos);

  const std::string run = train::read_manifest(out).planned.at(0).name;
  write_file(folder / "run/notes.txt", "mine");
  write_file(folder / "run" / run / "notes.txt", "mine");
  fs::create_directories(folder / "run/other");
  write_file(folder / "run/other/model.safetensors", "mine");
  REQUIRE(own_training({"--out", out, "--overwrite", "--optimizer", "sgd(lr=0.01)"}) == 0);
  CHECK(read_file(folder / "run/notes.txt") == "mine");
  CHECK(read_file(folder / "run" / run / "notes.txt") == "mine");
  CHECK(read_file(folder / "run/other/model.safetensors") == "mine");
  CHECK_FALSE(fs::exists(folder / "run" / run / "model.safetensors"));
  CHECK(train::read_manifest(out).planned.at(0).optimizer == "sgd(lr=0.01)");
}

TEST_CASE("a run that fails before there is anything to go on from leaves nothing, and folders above it neither") {
  const TemporaryFolder folder;
  CHECK_THROWS(own_training({"--out", (folder / "a/b/run").string()}, {.throw_after = 0}));
  CHECK(folder.count() == 0);
  fs::create_directory(folder / "empty");
  CHECK_THROWS(own_training({"--out", (folder / "empty").string()}, {.throw_after = 0}));
  CHECK(folder.count() == 1);
}

TEST_CASE("one process at a time: a folder is locked while it is used") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "run");
  const RunFolder first = RunFolder::create(folder / "run", false, "own");
  CHECK_THROWS_WITH_AS(RunFolder::open(folder / "run"), doctest::Contains("another process is at work in this folder"),
                       Error);
  CHECK_THROWS_AS(RunFolder::create(folder / "run", true, "own"), Error);
}

TEST_CASE("default folders are made exclusively: the same second gives different ones") {
  const TemporaryFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  {
    const RunFolder a = RunFolder::create_default("own"), b = RunFolder::create_default("own");
    CHECK(a.path() != b.path());
  }
  fs::current_path(before);
  CHECK(folder.count() == 0);
}

TEST_CASE("names in a foreign manifest do not lead out of the folder") {
  const TemporaryFolder folder;
  const std::string out = (folder / "run").string();
  REQUIRE(own_training({"--out", out}) == 0);
  const std::string run = train::read_manifest(out).planned.at(0).name,
                    manifest = read_file(folder / "run/manifest.json");
  fs::create_directory(folder / "victim");
  write_file(folder / "victim/model.safetensors", "mine");
  write_file(folder / "victim/run.json", "mine");
  for (const std::string& name :
       {std::string("../victim"), (folder / "victim").string(), std::string(".."), std::string()}) {
    std::string changed = manifest;
    changed.replace(changed.find("\"" + run + "\""), run.size() + 2, "\"" + name + "\"");
    write_file(folder / "run/manifest.json", changed);
    CHECK_THROWS_WITH_AS(train::read_manifest(out), doctest::Contains("is not a plain name"), Error);
    CHECK_THROWS_AS(own_training({"--out", out, "--overwrite"}), Error);
    CHECK_THROWS_AS(own_training({"--resume", out}), Error);
  }
  write_file(folder / "run/manifest.json", manifest);
  SUBCASE("nor do its links") {
    fs::remove_all(folder / "run" / run);
    fs::create_directory_symlink(folder / "victim", folder / "run" / run);
    CHECK_THROWS_AS(own_training({"--out", out, "--overwrite"}), Error);
    CHECK(fs::exists(folder / "victim/model.safetensors"));
  }
  SUBCASE("nor the names of pictures") {
    const auto path = folder / "run" / run / "run.json";
    std::string record = read_file(path);
    record.replace(record.find("\"pictures\": []"), 14,
                   "\"pictures\": [{\"figure\": \"x\", \"row\": \"\", \"caption\": \"\", \"file\": "
                   "\"../../../victim/run.json\"}]");
    write_file(path, record);
    CHECK_THROWS_AS(train::read_run_result(folder / "run", run), Error);
    train::remove_run_files(out);
    CHECK(fs::exists(folder / "victim/run.json"));
  }
}
