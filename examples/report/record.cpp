// Reading of run folders: their tables and pictures.
#include "record.h"

#include <utility>

#include "folder_files.h"
#include "instruments.h"

namespace tandem::report {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kCsvLimit = 1024 * kMiB, kPngLimit = 32 * kMiB, kProfileLimit = 64 * kMiB;

void read_files(std::vector<Picture>& pictures, const fs::path& folder, const fs::path& below) {
  for (Picture& picture : pictures) {
    picture.png = read_below(folder, below / picture.file, kPngLimit);
    png_size(picture.png, (folder / below / picture.file).string());
  }
}

/// An empty file is a table without rows: a run that diverged before it was evaluated has written nothing.
CsvTable read_table(const fs::path& folder, const fs::path& below, const std::vector<std::string>& words = {}) {
  const std::string text = read_below(folder, below, kCsvLimit);
  return text.empty() ? CsvTable{} : parse_csv(text, (folder / below).string(), words);
}

}  // namespace

RunFolder read_run_folder(const fs::path& path) {
  RunFolder folder{read_manifest(path), path, {}, {}, read_pictures(path)};
  read_files(folder.pictures, path, "pictures");
  for (const PlannedRun& planned : folder.planned) {
    const fs::path below = planned.name;
    auto result = read_run_result(path, planned.name);
    if (!result) {
      folder.missing.push_back(planned.name);
      continue;
    }
    RunRecord run{planned, std::move(*result), read_table(path, below / "metrics.csv"), {}, {}, {}, {}, {}};
    read_files(run.pictures, path, below / "pictures");
    if (has_file(path, below / "steps.csv")) run.steps = read_table(path, below / "steps.csv");
    if (has_file(path, below / "inner.csv")) run.inner = read_table(path, below / "inner.csv", {"fast", "slow"});
    if (const fs::path file = below / "instruments.jsonl"; has_file(path, file))
      read_instruments(read_below(path, file, kCsvLimit), (path / file).string(), run);
    if (has_file(path, below / "profile.json")) run.profile = read_below(path, below / "profile.json", kProfileLimit);
    folder.runs.push_back(std::move(run));
  }
  return folder;
}

}  // namespace tandem::report
