// Which libraries and compiler this build computes with: equal bits are promised for equal ones only.
#pragma once

#include <string>

namespace tandem {

/// "oneDNN 2.6.3, OpenBLAS 0.3.21, gcc 12.2.0": as loaded, and the compiler of core/.
std::string library_versions();

}  // namespace tandem
