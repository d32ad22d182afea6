// What is compiled once for a whole target, see TANDEM_PRECOMPILED_HEADERS: headers of the standard library and fmt
// that most sources read. No source may rely on it: each includes what it uses.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
