// The entry of every test executable. A filter that matches no test case is a failure: a file that was forgotten in a
// rebuild, or whose name has changed, would look like a test that passes.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <set>
#include <string>

#include "skip.h"

namespace {

constexpr int kNothingRan = 78, kAllSkipped = 77;

std::multiset<std::string> skipped;
unsigned matching = 0;

/// What the run counted, which doctest gives to reporters alone.
struct Count : doctest::IReporter {
  explicit Count(const doctest::ContextOptions& /*options*/) {}
  void test_run_end(const doctest::TestRunStats& stats) override { matching = stats.numTestCasesPassingFilters; }
  void report_query(const doctest::QueryData& /*data*/) override {}
  void test_run_start() override {}
  void test_case_start(const doctest::TestCaseData& /*data*/) override {}
  void test_case_reenter(const doctest::TestCaseData& /*data*/) override {}
  void test_case_end(const doctest::CurrentTestCaseStats& /*stats*/) override {}
  void test_case_exception(const doctest::TestCaseException& /*exception*/) override {}
  void subcase_start(const doctest::SubcaseSignature& /*signature*/) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData& /*data*/) override {}
  void log_message(const doctest::MessageData& /*data*/) override {}
  void test_case_skipped(const doctest::TestCaseData& /*data*/) override {}
};
REGISTER_LISTENER("count", 1, Count);

}  // namespace

void tandem::test::skip(const std::string& why) { skipped.insert(why); }

int main(int argc, char** argv) {
  doctest::Context context(argc, argv);
  const int code = context.run();
  if (context.shouldExit()) return code;
  for (auto it = skipped.begin(); it != skipped.end(); it = skipped.upper_bound(*it))
    std::printf("skipped: %zu test cases: %s\n", skipped.count(*it), it->c_str());
  if (code != 0) return code;
  if (matching == 0) std::fputs("no test case matches; build anew, or mend the name in CMakeLists.txt\n", stderr);
  return matching == 0 ? kNothingRan : matching == skipped.size() ? kAllSkipped : 0;
}
