// The program report as its users meet it: exit codes, what it says, where it writes.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <sys/wait.h>
#include <cstdlib>
#include <string>

#include <tandem/core/io/file.h>
#include "core/temporary_folder.h"
#include "fake_folder.h"

using namespace tandem;
using namespace tandem::test;

namespace {

struct Ended {
  int code = 0;
  std::string error;
};

Ended run_report(const TemporaryFolder& t, const std::string& arguments) {
  const std::string command =
      fmt::format("{}/report {} >/dev/null 2>{}", TANDEM_BIN_DIR, arguments, (t / "error").string());
  const int status = std::system(command.c_str());
  return {WEXITSTATUS(status), read_file(t / "error")};
}

}  // namespace

TEST_CASE("the report lies in the first folder, or where --out says") {
  const TemporaryFolder t;
  two_optimizers().write(t / "a");
  CHECK(run_report(t, (t / "a").string()).code == 0);
  CHECK(read_file(t / "a" / "report.html").find("<!DOCTYPE html>") == 0);
  CHECK(run_report(t, (t / "a").string() + " --out " + (t / "b.html").string()).code == 0);
  CHECK(read_file(t / "b.html") == read_file(t / "a" / "report.html"));
}

TEST_CASE("what is no run folder is refused in one line") {
  const TemporaryFolder t;
  const Ended ended = run_report(t, t.path().string());
  CHECK(ended.code == 1);
  CHECK(ended.error ==
        t.path().string() + ": not a run folder: it has no manifest.json; name the folder that --out named\n");
  CHECK(run_report(t, "").code == 2);
  CHECK(run_report(t, "--frames 3").code == 2);
  CHECK(run_report(t, "--help").code == 0);
}
