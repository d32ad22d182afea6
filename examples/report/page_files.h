// The files of the page, put into the program when it is built (embed.cmake).
// Private to examples/report.
#pragma once

namespace tandem::report {

extern const char* const kPageHtml;    ///< page.html
extern const char* const kPageStyle;   ///< page.css
extern const char* const kPageScript;  ///< the scripts of script/, one after the other
extern const char* const kD3;          ///< d3.min.js

}  // namespace tandem::report
