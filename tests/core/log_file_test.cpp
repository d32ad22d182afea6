// LogFile over a file that exists: cut back to what is kept, or gone on with where its end is missing.
#include <doctest/doctest.h>

#include <string>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include "core/temporary_folder.h"

using namespace tandem;
using tandem::test::TemporaryFolder;

TEST_CASE("a log goes on behind what was kept, or where it is shorter and that is allowed, behind what is there") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "log";
  write_file(path, "0123456789");
  {
    LogFile log(path, 4);
    CHECK(log.size() == 4);
    log.append("ab");
    log.sync();
  }
  CHECK(read_file(path) == "0123ab");
  CHECK_THROWS_WITH_AS(LogFile(path, 7),
                       (path.string() + ": the file is too short to go on: 6 bytes, 7 expected").c_str(), Error);
  CHECK(read_file(path) == "0123ab");
  LogFile log(path, 7, WhenShort::warn);
  CHECK(log.size() == 6);
  log.append("c");
  CHECK(read_file(path) == "0123abc");
  CHECK_THROWS_AS(LogFile(folder / "none", 3), Error);
  LogFile fresh(folder / "none", 3, WhenShort::warn);
  CHECK(fresh.size() == 0);
  fresh.append("d");
  CHECK(read_file(folder / "none") == "d");
}
