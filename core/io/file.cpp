// Files whole or not at all, over POSIX calls: a temporary file in the same folder, write, fsync, rename, fsync of the
// folder. Interrupted calls are repeated, short writes are continued.
#include <tandem/core/io/file.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <system_error>
#include <vector>

#include <tandem/core/error.h>

namespace tandem {
namespace {

[[noreturn]] void fail_system(std::string_view what, const std::filesystem::path& path, int reason,
                              std::string_view remedy = {}) {
  fail(path.string(), what, std::strerror(reason), remedy);
}

/// False with errno set when not everything could be written; `done` counts what was.
bool write_all(int descriptor, const char* bytes, std::size_t count, std::size_t& done) {
  done = 0;
  while (done < count) {
    const ssize_t n = ::write(descriptor, bytes + done, count - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

void close_quietly(int& descriptor) {
  if (descriptor >= 0) ::close(descriptor);
  descriptor = -1;
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

/// A rename is on the disk when its folder is. Filesystems that cannot flush folders say EINVAL: nothing more to do
/// there.
void flush_folder(const std::filesystem::path& folder) {
  int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  const int failed = ::fsync(descriptor) != 0 && errno != EINVAL ? errno : 0;
  close_quietly(descriptor);
  if (failed != 0) fail_system("the folder cannot be flushed to the disk", folder, failed);
}

/// A new file of this mode under a name of temporary_path, opened for writing; -1 with errno set where there is none.
int open_temporary(const std::filesystem::path& folder, mode_t mode, std::filesystem::path& path) {
  while (true) {
    path = temporary_path(folder);
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (descriptor >= 0 || errno != EEXIST) return descriptor;
  }
}

/// N where the link is the open file N of this process, as /dev/stdout leads to /proc/self/fd/1.
std::optional<int> open_file_of(const std::filesystem::path& link) {
  std::error_code error;
  const auto own = std::filesystem::canonical("/proc/self/fd", error);
  if (error || std::filesystem::canonical(folder_of(link), error) != own) return std::nullopt;
  const std::string text = link.filename().string();
  int number = -1;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// The PID in a name of temporary_path.
std::optional<pid_t> process_of(std::string_view name) {
  constexpr std::string_view kBegin = ".tandem-", kEnd = ".tmp";
  if (!name.starts_with(kBegin) || !name.ends_with(kEnd)) return std::nullopt;
  name = name.substr(kBegin.size(), name.size() - kBegin.size() - kEnd.size());
  const char* const last = name.data() + name.size();
  pid_t process = 0;
  std::uint64_t number = 0;
  const auto [dash, status] = std::from_chars(name.data(), last, process);
  if (status != std::errc{} || process < 1 || dash == last || *dash != '-') return std::nullopt;
  const auto [end, second] = std::from_chars(dash + 1, last, number);
  if (second != std::errc{} || end != last) return std::nullopt;
  return process;
}

}  // namespace

std::filesystem::path follow_links(const std::filesystem::path& path) {
  std::filesystem::path target = path;
  constexpr int kMost = 40;  // as Linux itself
  for (int links = 0;; ++links) {
    std::error_code error;
    if (!std::filesystem::is_symlink(target, error) || open_file_of(target)) return target;
    if (links == kMost) fail_system("the file cannot be written", path, ELOOP);
    const std::filesystem::path next = std::filesystem::read_symlink(target, error);
    if (error) fail_system("the link cannot be followed", target, error.value());
    target = target.parent_path() / next;  // an absolute `next` replaces all before it
  }
}

std::filesystem::path temporary_path(const std::filesystem::path& folder) {
  static std::atomic<std::uint64_t> count{0};
  while (true) {
    std::filesystem::path path = folder / fmt::format(".tandem-{}-{}.tmp", ::getpid(), count++);
    struct stat status = {};
    if (::lstat(path.c_str(), &status) != 0) return path;
  }
}

std::int64_t remove_stale_temporaries(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> stale;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::optional<pid_t> process = process_of(it->path().filename().string());
    std::error_code unknown;
    if (!process || it->symlink_status(unknown).type() != std::filesystem::file_type::regular) continue;
    if (::kill(*process, 0) != 0 && errno == ESRCH) stale.push_back(it->path());
  }
  if (error) fail_system("the folder cannot be read", folder, error.value());
  return std::count_if(stale.begin(), stale.end(), [](const auto& path) { return ::unlink(path.c_str()) == 0; });
}

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)), target_(follow_links(path_)) {
  struct stat before = {};
  const bool exists = ::stat(target_.c_str(), &before) == 0;
  if (const std::optional<int> number = open_file_of(target_)) {
    descriptor_ = ::fcntl(*number, F_DUPFD_CLOEXEC, 0);
  } else if (exists && !S_ISREG(before.st_mode)) {
    descriptor_ = ::open(target_.c_str(), O_WRONLY | O_CLOEXEC);
  } else {
    descriptor_ = open_temporary(folder_of(target_), exists ? 0600 : 0666, temporary_);
  }
  if (descriptor_ < 0) {
    const int reason = errno;
    temporary_.clear();
    fail_system("the file cannot be written", path_, reason);
  }
  if (!exists || temporary_.empty()) return;
  // Owner and group are kept where the system lets this process; the mode always.
  const bool is_ours = ::fchown(descriptor_, before.st_uid, before.st_gid) == 0;
  const mode_t mode = before.st_mode & (is_ours ? 07777U : 0777U);
  if (::fchmod(descriptor_, mode) != 0) {
    const int reason = errno;
    close_quietly(descriptor_);
    ::unlink(temporary_.c_str());
    fail_system("the file cannot be given its mode", path_, reason);
  }
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  close_quietly(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* bytes, std::size_t count) {
  std::size_t done = 0;
  if (!write_all(descriptor_, static_cast<const char*>(bytes), count, done))
    fail_system("the file cannot be written", path_, errno);
}

void AtomicFile::commit(const std::function<void()>& before_rename) {
  // A pipe or a terminal has nothing to flush.
  const bool has_no_disk = temporary_.empty();
  if (::fsync(descriptor_) != 0 && !(has_no_disk && (errno == EINVAL || errno == EROFS || errno == ENOTSUP)))
    fail_system("the file cannot be flushed to the disk", path_, errno);
  if (before_rename) before_rename();
  if (!has_no_disk && ::rename(temporary_.c_str(), target_.c_str()) != 0)
    fail_system("the finished file cannot be put into its place", path_, errno);
  close_quietly(descriptor_);
  if (!has_no_disk) flush_folder(folder_of(target_));
}

LogFile::LogFile(std::filesystem::path path) : path_(std::move(path)) {
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail_system("the file cannot be written", path_, errno);
}

LogFile::LogFile(std::filesystem::path path, std::int64_t keep, WhenShort when_short)
    : path_(std::move(path)), size_(keep) {
  const bool may_be_short = when_short == WhenShort::warn;
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC | (may_be_short ? O_CREAT : 0), 0666);
  if (descriptor_ < 0) fail_system("the file cannot be written", path_, errno);
  const std::int64_t found = ::lseek(descriptor_, 0, SEEK_END);
  if (found >= 0 && found < keep) {
    const std::string facts = fmt::format("{} bytes, {} expected", found, keep);
    if (!may_be_short) {
      close_quietly(descriptor_);
      fail(path_.string(), "the file is too short to go on", facts);
    }
    warn(fmt::format("{}: the end of the file is missing: {}; it goes on behind what is there", path_.string(), facts));
    size_ = found;
  }
  if (::ftruncate(descriptor_, size_) != 0 || ::lseek(descriptor_, size_, SEEK_SET) != size_) {
    const int reason = errno;
    close_quietly(descriptor_);
    fail_system("the file cannot be written", path_, reason);
  }
}

LogFile::~LogFile() { close_quietly(descriptor_); }

void LogFile::append(std::string_view bytes) {
  std::size_t done = 0;
  if (!write_all(descriptor_, bytes.data(), bytes.size(), done)) {
    const int reason = errno;
    if (::ftruncate(descriptor_, size_) == 0) ::lseek(descriptor_, size_, SEEK_SET);
    fail_system("the file cannot be written", path_, reason);
  }
  size_ += static_cast<std::int64_t>(done);
}

void LogFile::sync() {
  if (::fdatasync(descriptor_) != 0 && errno != EINVAL && errno != EROFS)
    fail_system("the file cannot be flushed to the disk", path_, errno);
}

InputFile::InputFile(std::filesystem::path path) : path_(std::move(path)) {
  // O_NONBLOCK: opening a pipe must not wait for a writer.
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) fail_system("the file cannot be read", path_, errno);
  struct stat status = {};
  const int failed = ::fstat(descriptor_, &status) != 0 ? errno : 0;
  if (failed != 0 || !S_ISREG(status.st_mode)) {
    close_quietly(descriptor_);
    if (failed != 0) fail_system("the file cannot be read", path_, failed);
    fail(path_.string(), "the file cannot be read", S_ISDIR(status.st_mode) ? "it is a folder" : "not a regular file");
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

InputFile::~InputFile() { close_quietly(descriptor_); }

void InputFile::read(std::uint64_t offset, void* bytes, std::size_t count) const {
  std::size_t done = 0;
  while (done < count) {
    const ssize_t n =
        ::pread(descriptor_, static_cast<char*>(bytes) + done, count - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_system("the file cannot be read", path_, errno);
    if (n == 0)
      fail(path_.string(), "the file is truncated",
           fmt::format("{} bytes wanted at byte {}, the file ends after {}", count, offset, offset + done));
    done += static_cast<std::size_t>(n);
  }
}

void write_file(const std::filesystem::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

std::string read_file(const std::filesystem::path& path, std::uint64_t limit) {
  const InputFile file(path);
  if (file.size() > limit)
    fail(path.string(), "the file is too large", fmt::format("{} bytes, at most {} are read", file.size(), limit));
  std::string text(static_cast<std::size_t>(file.size()), '\0');
  file.read(0, text.data(), text.size());
  return text;
}

void make_writable_folder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) fail_system("the folder cannot be made", path, error.value());
  std::filesystem::path probe;
  int descriptor = open_temporary(path, 0666, probe);
  if (descriptor < 0) fail_system("the folder cannot be written", path, errno);
  close_quietly(descriptor);
  ::unlink(probe.c_str());
}

}  // namespace tandem
