// Files whole or not at all: what stands in the folder after success, after failure and in between.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
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

unsigned mode_of(const std::filesystem::path& path) {
  struct stat status = {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777U;
}

/// The PID of a process that has ended and is forgotten.
pid_t dead_process() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return child;
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

TEST_CASE("writing through a link keeps the link and replaces what it leads to, wherever that is") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "real");
  write_file(folder / "real/a.txt", "old");
  std::filesystem::create_symlink("real/a.txt", folder / "first");                  // relative to the link's folder
  std::filesystem::create_symlink((folder / "first").string(), folder / "second");  // a chain
  write_file(folder / "second", "new");
  CHECK(read_file(folder / "real/a.txt") == "new");
  CHECK(std::filesystem::is_symlink(folder / "first"));
  CHECK(std::filesystem::is_symlink(folder / "second"));
  CHECK(folder.count() == 4);

  std::filesystem::create_symlink("real/b.txt", folder / "dangling");
  write_file(folder / "dangling", "made");
  CHECK(read_file(folder / "real/b.txt") == "made");
  CHECK(follow_links(folder / "dangling") == folder / "real/b.txt");

  std::filesystem::create_symlink("circle", folder / "circle");
  CHECK(message_of([&] { write_file(folder / "circle", "x"); }) ==
        (folder / "circle").string() + ": the file cannot be written: Too many levels of symbolic links");
}

TEST_CASE("pipes and devices are written, not replaced") {
  const TemporaryFolder folder;
  const std::filesystem::path pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::string received(16, ' ');
  std::thread reader([&] {
    const int descriptor = ::open(pipe.c_str(), O_RDONLY);
    std::size_t done = 0;
    for (ssize_t n = 1; n > 0; done += static_cast<std::size_t>(std::max<ssize_t>(n, 0)))
      n = ::read(descriptor, received.data() + done, received.size() - done);
    received.resize(done);
    ::close(descriptor);
  });
  write_file(pipe, "through");
  reader.join();
  CHECK(received == "through");
  CHECK(std::filesystem::is_fifo(pipe));
  CHECK(folder.count() == 1);

  std::filesystem::create_symlink("/dev/null", folder / "nothing");
  write_file(folder / "nothing", "x");
  CHECK(std::filesystem::is_character_file("/dev/null"));
  CHECK(message_of([] { write_file("/dev/full", "x"); }) ==
        "/dev/full: the file cannot be written: No space left on device");
  CHECK(message_of([&] { write_file(folder.path(), "x"); }) ==
        folder.path().string() + ": the file cannot be written: Is a directory");
}

TEST_CASE("/dev/stdout is the open file, behind what it holds, also where that is a file") {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    const int out = ::open((folder / "out").c_str(), O_WRONLY | O_CREAT, 0644);
    ::dup2(out, STDOUT_FILENO);
    bool good = ::write(STDOUT_FILENO, "a", 1) == 1;
    write_file("/dev/stdout", "b");
    good = good && ::write(STDOUT_FILENO, "c", 1) == 1;
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(read_file(folder / "out") == "abc");
  CHECK(folder.count() == 1);
}

TEST_CASE("the mode of a file stays; a new one has that of the umask") {
  const TemporaryFolder folder;
  const mode_t before = ::umask(027);
  write_file(folder / "new", "1");
  CHECK(mode_of(folder / "new") == 0640);
  for (const mode_t mode : {0600U, 0666U, 0755U, 0444U}) {
    REQUIRE(::chmod((folder / "new").c_str(), mode) == 0);
    write_file(folder / "new", "2");
    CHECK(mode_of(folder / "new") == mode);
  }
  ::umask(before);
  CHECK(read_file(folder / "new") == "2");
}

TEST_CASE("names of 255 bytes can be written") {
  const TemporaryFolder folder;
  const std::string name(255, 'n');
  write_file(folder / name, "x");
  write_file(folder / name, "y");
  CHECK(read_file(folder / name) == "y");
  CHECK(message_of([&] { write_file(folder / (name + "n"), "x"); }).ends_with(": File name too long"));
  CHECK(folder.count() == 1);
}

TEST_CASE("temporaries of dead processes are removed, and nothing else") {
  const TemporaryFolder folder;
  const std::string dead = std::to_string(dead_process()), own = std::to_string(::getpid());
  for (const std::string& name : {".tandem-" + dead + "-0.tmp", ".tandem-" + dead + "-17.tmp"})
    write_file(folder / name, "stale");
  const std::vector<std::string> kept{".tandem-" + own + "-9999999.tmp", ".tandem-" + dead + "-1.tmp2",
                                      ".tandem-" + dead + ".tmp",        ".tandem--1-0.tmp",
                                      ".tandem-" + dead + "-x.tmp",      "tandem-" + dead + "-1.tmp",
                                      ".tandem-" + dead + "-1-1.tmp",    ".a.txt." + dead + ".tmp"};
  for (const std::string& name : kept) write_file(folder / name, "mine");
  std::filesystem::create_directory(folder / (".tandem-" + dead + "-2.tmp"));
  std::filesystem::create_symlink(kept[0], folder / (".tandem-" + dead + "-3.tmp"));
  CHECK(remove_stale_temporaries(folder.path()) == 2);
  CHECK(folder.count() == static_cast<int>(kept.size()) + 2);
  for (const std::string& name : kept) CHECK(read_file(folder / name) == "mine");
  CHECK(remove_stale_temporaries(folder.path()) == 0);
  CHECK_THROWS_AS(remove_stale_temporaries(folder / "none"), Error);
}

TEST_CASE("a temporary has a short name of its own, which a crash leaves for remove_stale_temporaries") {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    AtomicFile first(folder / "a.txt"), second(folder / "a.txt");
    first.write("half");
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(folder.count() == 2);
  CHECK(remove_stale_temporaries(folder.path()) == 2);
  CHECK(temporary_path(folder.path()) != temporary_path(folder.path()));
}
