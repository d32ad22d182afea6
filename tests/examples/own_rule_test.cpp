// own_rule: a rule of one's own learns, resumes, nests and passes check_rule, as its reader sees it.
#include <doctest/doctest.h>

#include <cstdlib>

#include <tandem/core/io/file.h>

#include "examples/child_process.h"

using namespace tandem;
using namespace tandem::test;

TEST_CASE("own_rule shows that a rule of one's own needs no more code") {
  const Finished run = run_child("own_rule", {});
  CHECK(run.code == 0);
  CHECK(run.error.empty());
  CHECK(run.output.find("bounded(lr=0.3)\n  loss ") == 0);
  CHECK(run.output.find("lookahead(bounded(lr=0.3 * cosine(total=200), bound=2), k=5, alpha=0.5)\n") !=
        std::string::npos);
  CHECK(run.output.find("saved after 101 steps, resumed: the same bits") != std::string::npos);
  CHECK(run.output.find("DIFFERENT") == std::string::npos);
  CHECK(run.output.find("  passed   trajectory: ") != std::string::npos);
  CHECK(run.output.find("  passed   wrappers: ") != std::string::npos);
  CHECK(run.output.find("FAILED") == std::string::npos);
}

TEST_CASE("own_rule leaves the folder for temporary files as it was") {
  const TemporaryFolder folder;
  write_file(folder / "tandem_own_rule.safetensors", "mine");
  const char* const before = std::getenv("TMPDIR");
  const std::string kept = before != nullptr ? before : "";
  ::setenv("TMPDIR", (folder / "").c_str(), 1);
  const Finished run = run_child("own_rule", {});
  if (before != nullptr)
    ::setenv("TMPDIR", kept.c_str(), 1);
  else
    ::unsetenv("TMPDIR");
  CHECK(run.code == 0);
  CHECK(read_file(folder / "tandem_own_rule.safetensors") == "mine");
  CHECK(folder.count() == 1);
}
