// Reading below a folder; see folder_files.h.
#include "folder_files.h"

#include <fmt/format.h>

#include <algorithm>

#include <tandem/core/error.h>
#include <tandem/core/file.h>

namespace tandem::report {
namespace {

std::int64_t big_endian(std::string_view bytes, std::size_t at) {
  std::int64_t value = 0;
  for (std::size_t i = at; i < at + 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace

void check_plain_name(std::string_view name, const std::string& where) {
  constexpr std::size_t kLongest = 255;
  const bool is_plain = !name.empty() && name.size() <= kLongest && name != "." && name != ".." &&
                        std::all_of(name.begin(), name.end(), [](char c) {
                          return static_cast<unsigned char>(c) >= 0x20 && c != '/' && c != '\\' && c != 0x7f;
                        });
  if (is_plain) return;
  std::string printable(name.substr(0, kLongest));
  std::replace_if(
      printable.begin(), printable.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, '?');
  fail(where, fmt::format("\"{}\" is not a plain name", printable));
}

bool has_file(const std::filesystem::path& folder, const std::filesystem::path& below) {
  std::error_code ignored;
  return std::filesystem::exists(std::filesystem::symlink_status(folder / below, ignored));
}

std::string read_below(const std::filesystem::path& folder, const std::filesystem::path& below, std::uint64_t limit) {
  std::error_code failed;
  const std::filesystem::path path = folder / below;
  const std::filesystem::path root = std::filesystem::canonical(folder, failed);
  if (failed) fail(folder.string(), "the folder cannot be read", failed.message());
  const std::filesystem::path file = std::filesystem::canonical(path, failed);
  if (failed) fail(path.string(), "the file cannot be read", failed.message());
  const auto [root_end, ignored] = std::mismatch(root.begin(), root.end(), file.begin(), file.end());
  if (root_end != root.end()) fail(path.string(), "leads out of the run folder", file.string());
  return read_file(file, limit);
}

void check_depth(std::string_view text, const std::string& where) {
  constexpr int kDeepest = 32;
  int depth = 0;
  bool is_quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') is_quoted = !is_quoted;
    if (is_quoted && text[i] == '\\') ++i;
    if (is_quoted) continue;
    depth += text[i] == '[' || text[i] == '{' ? 1 : text[i] == ']' || text[i] == '}' ? -1 : 0;
    if (depth > kDeepest) fail(where, fmt::format("nests deeper than {} levels", kDeepest));
  }
}

PictureSize png_size(std::string_view png, const std::string& where) {
  constexpr std::size_t kWidth = 16, kHeight = 20, kHeaderEnd = 24;
  constexpr std::int64_t kLargest = 65535;
  constexpr std::string_view kSignature("\x89PNG\r\n\x1a\n", 8);
  if (png.size() < kHeaderEnd || png.substr(0, 8) != kSignature || png.substr(12, 4) != "IHDR")
    fail(where, "not a PNG file", fmt::format("{} bytes", png.size()));
  const PictureSize size{big_endian(png, kWidth), big_endian(png, kHeight)};
  if (size.width < 1 || size.height < 1 || size.width > kLargest || size.height > kLargest)
    fail(where, "not a PNG file that can be shown", fmt::format("{} x {} pixels", size.width, size.height));
  return size;
}

}  // namespace tandem::report
