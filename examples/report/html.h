// The static parts of the page as HTML: escaped text, tables that a screen reader can read, pictures. They stand in the
// page without scripts. Not here: figures, which page.js draws.
#pragma once

#include <string>
#include <string_view>

#include "table.h"

namespace tandem::report {

/// Text as it may stand between tags and in quoted attributes; control characters become U+FFFD.
std::string escaped(std::string_view text);

/// RFC 4648, with padding.
std::string base64(std::string_view bytes);

/// The table in a frame that scrolls sideways where the window is narrow; numbers as <data
/// value="0.79751">0.7975</data>.
std::string table_html(const Table& table);

}  // namespace tandem::report
