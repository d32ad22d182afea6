// Files whole or not at all: what stands in the folder after success, after failure and in between.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <string>

#include <tandem/core/error.h>
#include <tandem/core/file.h>
#include "core/temporary_folder.h"

using namespace tandem;
using tandem::test::TemporaryFolder;

namespace {

template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

/// Files may not grow beyond `bytes` while this lives: the nearest thing to a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    before_handler_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, before_handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*before_handler_)(int) = nullptr;
};

}  // namespace

TEST_CASE("an atomic file appears at commit, with its content") {
  const TemporaryFolder folder;
  AtomicFile file(folder / "a.txt");
  file.write("one ");
  file.write("two");
  CHECK_FALSE(std::filesystem::exists(folder / "a.txt"));
  file.commit();
  CHECK(read_file(folder / "a.txt") == "one two");
  CHECK(folder.count() == 1);
}

TEST_CASE("an atomic file that is given up leaves the old one and nothing else") {
  const TemporaryFolder folder;
  write_file(folder / "a.txt", "old");
  {
    AtomicFile file(folder / "a.txt");
    file.write("new");
  }
  CHECK(read_file(folder / "a.txt") == "old");
  CHECK(folder.count() == 1);
  write_file(folder / "a.txt", "new");
  CHECK(read_file(folder / "a.txt") == "new");
  CHECK(folder.count() == 1);
}

TEST_CASE("a full disk: a clear error, the old file intact, no temporary file") {
  const TemporaryFolder folder;
  write_file(folder / "a.txt", "old");
  const std::string path = (folder / "a.txt").string();
  {
    const FileSizeLimit limit(100);
    CHECK(message_of([&] { write_file(path, std::string(1000, 'x')); }) ==
          path + ": the file cannot be written: File too large");
  }
  CHECK(read_file(path) == "old");
  CHECK(folder.count() == 1);
}

TEST_CASE("a log file takes back the part of a record that did not fit") {
  const TemporaryFolder folder;
  LogFile log(folder / "log");
  log.append("first\n");
  {
    const FileSizeLimit limit(10);
    CHECK_THROWS_AS(log.append("a second line\n"), Error);
  }
  CHECK(read_file(folder / "log") == "first\n");
  log.append("third\n");
  CHECK(read_file(folder / "log") == "first\nthird\n");
}

TEST_CASE("errors name the path and the system's reason") {
  const TemporaryFolder folder;
  const std::string base = folder.path().string();
  CHECK(message_of([&] { read_file(base + "/none"); }) ==
        base + "/none: the file cannot be read: No such file or directory");
  CHECK(message_of([&] { read_file(base); }) == base + ": the file cannot be read: it is a folder");
  CHECK(message_of([&] { write_file(base + "/no/a", "x"); }) ==
        base + "/no/a: the file cannot be written: No such file or directory");
  CHECK(message_of([&] { LogFile log(base + "/no/a"); }) ==
        base + "/no/a: the file cannot be written: No such file or directory");
  write_file(base + "/file", "0123456789");
  CHECK(message_of([&] { make_writable_folder(base + "/file/run"); }) ==
        base + "/file/run: the folder cannot be made: Not a directory");
  CHECK(message_of([&] { read_file(base + "/file", 4); }) ==
        base + "/file: the file is too large: 10 bytes, at most 4 are read");
  const InputFile input(base + "/file");
  CHECK(input.size() == 10);
  char bytes[8];
  CHECK(message_of([&] { input.read(6, bytes, 8); }) ==
        base + "/file: the file is truncated: 8 bytes wanted at byte 6, the file ends after 10");
  REQUIRE(::mkfifo((base + "/pipe").c_str(), 0600) == 0);
  CHECK(message_of([&] { read_file(base + "/pipe"); }) == base + "/pipe: the file cannot be read: not a regular file");
}

TEST_CASE("a writable folder is made with those above it and is left empty") {
  const TemporaryFolder folder;
  make_writable_folder(folder / "a/b/c");
  make_writable_folder(folder / "a/b/c");
  CHECK(folder.count() == 3);
  CHECK_THROWS_AS(make_writable_folder("/proc/tandem"), Error);
}
