// Run folders: made exclusively, locked by flock on the folder itself, emptied by name.
#include "run_folder.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>

#include "command_line.h"
#include "profile_log.h"

namespace tandem::train {
namespace {

namespace fs = std::filesystem;

void remove_file(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(fs::symlink_status(path, ignored))) fs::remove(path, ignored);
}

/// Only where it is empty, and no link.
void remove_folder(const fs::path& path) { ::rmdir(path.c_str()); }

void remove_pictures(const fs::path& folder, const std::vector<Picture>& pictures) {
  std::error_code ignored;
  if (fs::is_symlink(folder / "pictures", ignored)) return;
  for (const Picture& picture : pictures) remove_file(folder / "pictures" / picture.file);
  remove_folder(folder / "pictures");
}

/// The pictures that a list names; none where it is damaged, whose pictures then stay.
template <class Read>
std::vector<Picture> listed(const Read& read) {
  try {
    return read();
  } catch (const Error&) {
    return {};
  }
}

/// What lies in a folder that is not empty, and what to do about it.
[[noreturn]] void refuse(const fs::path& path, const std::string& executable) {
  const std::string name = shell_quoted(path.string());
  if (!is_run_folder(path))
    fail_usage("--out", fmt::format("{} holds files that are not Tandem's", name), {}, "take another folder");
  const Manifest manifest = read_manifest(path);
  std::size_t over = 0;
  for (const PlannedRun& run : manifest.planned) {
    const auto record = read_run_result(path, run.name);
    over += record && record->is_over() ? 1 : 0;
  }
  if (over == manifest.planned.size())
    fail_usage("--out", fmt::format("{} holds a comparison that is finished", name),
               fmt::format("{} runs of {}", over, manifest.program),
               "take another folder, or replace it with --overwrite");
  fail_usage("--out", fmt::format("{} holds a comparison that is not finished", name),
             fmt::format("{} of {} runs are over", over, manifest.planned.size()),
             fmt::format("go on with: {} --resume {}; or replace it with --overwrite", executable, name));
}

/// Makes a folder and those above it; those it made are added to `made`. False when the last one existed.
bool make_folders(const fs::path& path, std::vector<fs::path>& made) {
  if (path.has_parent_path() && !fs::exists(path.parent_path())) make_folders(path.parent_path(), made);
  if (::mkdir(path.c_str(), 0777) == 0) {
    made.push_back(path);
    return true;
  }
  if (errno != EEXIST) fail(path.string(), "the folder cannot be made", std::strerror(errno));
  if (!fs::is_directory(path)) fail(path.string(), "the folder cannot be made", "a file of that name is there");
  return false;
}

fs::path without_slash(const fs::path& path) {
  const fs::path normal = path.lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

}  // namespace

void remove_run_files(const fs::path& folder) {
  const Manifest manifest = read_manifest(folder);
  for (const PlannedRun& run : manifest.planned) {
    const fs::path path = folder / run.name;
    std::error_code ignored;
    if (fs::is_symlink(path, ignored) || !fs::is_directory(path, ignored)) continue;
    remove_pictures(path, listed([&] { return read_run_result(folder, run.name).value_or(RunResult{}).pictures; }));
    for (const char* name : {"run.json", "metrics.csv", "steps.csv", "inner.csv", "instruments.jsonl", kProfileFile,
                             kTraceFile, "events.out.tfevents.tandem", "model.safetensors", "best.safetensors",
                             "checkpoint.safetensors", "checkpoint.previous.safetensors", "checkpoint.safetensors.new"})
      remove_file(path / name);
    remove_stale_temporaries(path);
    remove_folder(path);
  }
  remove_pictures(folder, listed([&] { return report::read_pictures(folder); }));
  for (const char* name : {"summary.json", "metrics.csv", "steps.csv", "report.html", kInitFile, kForkFile,
                           "pictures.json", "manifest.json"})
    remove_file(folder / name);
  remove_stale_temporaries(folder);
}

RunFolder RunFolder::create(const fs::path& path, bool overwrite, const std::string& executable) {
  RunFolder folder(without_slash(path));
  folder.is_new_ = true;
  make_folders(folder.path_, folder.made_);
  folder.lock();
  if (!fs::is_empty(folder.path_)) {
    folder.is_kept_ = true;  // until it is empty, not ours to remove
    if (!overwrite || !is_run_folder(folder.path_)) refuse(folder.path_, executable);
    remove_run_files(folder.path_);
    folder.is_kept_ = false;
  }
  make_writable_folder(folder.path_);
  return folder;
}

RunFolder RunFolder::create_default(const std::string& program) {
  const std::string base = fmt::format("runs/{}-{:%Y%m%d-%H%M%S}", program, fmt::localtime(std::time(nullptr)));
  for (int copy = 1;; ++copy) {
    RunFolder folder(copy == 1 ? base : fmt::format("{}-{}", base, copy));
    folder.is_new_ = true;
    if (!make_folders(folder.path_, folder.made_)) {
      folder.is_kept_ = true;
      continue;
    }
    folder.lock();
    return folder;
  }
}

RunFolder RunFolder::open(const fs::path& path) {
  RunFolder folder(without_slash(path));
  folder.is_kept_ = true;
  make_writable_folder(folder.path_);
  folder.lock();
  remove_stale_temporaries(folder.path_);
  return folder;
}

void RunFolder::lock() {
  lock_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock_ < 0) fail(path_.string(), "the folder cannot be opened", std::strerror(errno));
  if (::flock(lock_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;  // some file systems know no locks
  is_kept_ = true;
  fail(path_.string(), "another process is at work in this folder", {}, "wait for it, or take another folder");
}

RunFolder::~RunFolder() {
  if (is_new_ && !is_kept_) {
    std::error_code ignored;
    if (is_run_folder(path_)) remove_run_files(path_);
    remove_file(path_ / kInitFile);  // written before the manifest that lists it
    for (auto made = made_.rbegin(); made != made_.rend(); ++made) remove_folder(*made);
  }
  if (lock_ >= 0) ::close(lock_);
}

RunFolder::RunFolder(RunFolder&& other) noexcept
    : path_(std::move(other.path_)),
      made_(std::move(other.made_)),
      is_kept_(std::exchange(other.is_kept_, true)),
      is_new_(std::exchange(other.is_new_, false)),
      lock_(std::exchange(other.lock_, -1)) {}

fs::path comparison_of(const fs::path& path) {
  std::error_code ignored;
  const fs::path folder = fs::weakly_canonical(path, ignored);
  if (!is_run_folder(folder) && folder.has_parent_path() && is_run_folder(folder.parent_path()))
    return folder.parent_path();
  return path;
}

}  // namespace tandem::train
