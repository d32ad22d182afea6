// Files whole or not at all, over POSIX calls: a temporary file in the same folder, write, fsync, rename, fsync of the
// folder. Interrupted calls are repeated, short writes are continued.
#include "file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

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

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  temporary_ = folder_of(path_) / fmt::format(".{}.{}.tmp", path_.filename().string(), ::getpid());
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail_system("the file cannot be written", path_, errno);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  close_quietly(descriptor_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* bytes, std::size_t count) {
  std::size_t done = 0;
  if (!write_all(descriptor_, static_cast<const char*>(bytes), count, done))
    fail_system("the file cannot be written", path_, errno);
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) fail_system("the file cannot be flushed to the disk", path_, errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0)
    fail_system("the finished file cannot be put into its place", path_, errno);
  close_quietly(descriptor_);
  flush_folder(folder_of(path_));
}

LogFile::LogFile(std::filesystem::path path) : path_(std::move(path)) {
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail_system("the file cannot be written", path_, errno);
}

LogFile::LogFile(std::filesystem::path path, std::int64_t keep) : path_(std::move(path)), size_(keep) {
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor_ < 0) fail_system("the file cannot be written", path_, errno);
  const std::int64_t found = ::lseek(descriptor_, 0, SEEK_END);
  if (found < keep) {
    close_quietly(descriptor_);
    fail(path_.string(), "the file is too short to go on", fmt::format("{} bytes, {} expected", found, keep));
  }
  if (::ftruncate(descriptor_, keep) != 0 || ::lseek(descriptor_, keep, SEEK_SET) != keep) {
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
  const std::filesystem::path probe = path / fmt::format(".probe.{}.tmp", ::getpid());
  int descriptor = ::open(probe.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) fail_system("the folder cannot be written", path, errno);
  close_quietly(descriptor);
  ::unlink(probe.c_str());
}

}  // namespace tandem
