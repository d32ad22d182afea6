// skip(why): for a test case that this machine cannot run. It is said when the executable ends; ctest shows a file as
// "Skipped" when none of its cases could run.
#pragma once

#include <string>

namespace tandem::test {

/// Notes that the running test case is not run, once a case; the caller returns.
void skip(const std::string& why);

}  // namespace tandem::test
