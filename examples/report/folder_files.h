// Files below a folder that somebody else may have written: nothing outside of it is read, whatever names and links
// say, and no more than a limit.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace tandem::report {

/// Throws Error "where: "../x" is not a plain name" unless `name` is one part of a path: neither empty nor "." nor
/// "..", without '/', '\' and control characters, of at most 255 bytes.
void check_plain_name(std::string_view name, const std::string& where);

/// True when there is such a file, or a link of that name.
bool has_file(const std::filesystem::path& folder, const std::filesystem::path& below);

/// The content of folder/below. Throws Error when it is missing, larger than `limit` bytes, not a regular file, or
/// lies outside the folder once links are followed.
std::string read_below(const std::filesystem::path& folder, const std::filesystem::path& below, std::uint64_t limit);

/// Throws Error for JSON that nests deeper than any file of ours: a million brackets would exhaust the stack of what
/// reads them.
void check_depth(std::string_view text, const std::string& where);

/// Pixels of a PNG file, from its header.
struct PictureSize {
  std::int64_t width = 0, height = 0;
};
/// Throws Error naming `where` when the bytes do not begin like a PNG file of 1 to 65535 pixels a side.
PictureSize png_size(std::string_view png, const std::string& where);

}  // namespace tandem::report
