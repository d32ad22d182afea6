// Pictures of a run folder; see pictures.h.
#include "pictures.h"

#include <fmt/format.h>

#include <cctype>
#include <nlohmann/json.hpp>
#include <set>

#include <tandem/core/error.h>
#include <tandem/core/file.h>

namespace tandem::examples {
namespace {

using Json = nlohmann::ordered_json;

std::filesystem::path list_path(const std::filesystem::path& folder) { return folder / "pictures" / "pictures.json"; }

bool is_plain(const std::string& name) {
  for (const char c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '_') return false;
  return !name.empty();
}

/// "reconstructions-input.png": characters of the row that a file name should not have become '-'.
std::string file_name(const Picture& picture) {
  std::string name = picture.figure;
  if (!picture.row.empty()) name += "-";
  for (const char c : picture.row) name += is_plain({c}) ? c : '-';
  return name + ".png";
}

std::int64_t big_endian(const std::string& bytes, std::size_t at) {
  std::int64_t value = 0;
  for (std::size_t i = at; i < at + 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace

PictureSize png_size(const std::string& png, const std::string& where) {
  constexpr std::size_t kWidth = 16, kHeight = 20, kHeaderEnd = 24;
  if (png.size() < kHeaderEnd || png.compare(0, 8, "\x89PNG\r\n\x1a\n") != 0 || png.compare(12, 4, "IHDR") != 0)
    fail(where, "not a PNG file", fmt::format("{} bytes", png.size()));
  return {big_endian(png, kWidth), big_endian(png, kHeight)};
}

void write_pictures(const std::filesystem::path& folder, const std::vector<Picture>& pictures) {
  if (pictures.empty()) return;
  Json list = Json::array();
  std::set<std::string> names;
  for (const Picture& picture : pictures) {
    const std::string where = fmt::format("picture \"{}\" \"{}\"", picture.figure, picture.row);
    if (!is_plain(picture.figure)) fail(where, "the figure's name must be letters, digits, '-' and '_'");
    if (!names.insert(file_name(picture)).second) fail(where, "is there twice", file_name(picture));
    png_size(picture.png, where);
    list.push_back(
        {{"figure", picture.figure}, {"row", picture.row}, {"caption", picture.caption}, {"file", file_name(picture)}});
  }
  make_writable_folder(folder / "pictures");
  for (const Picture& picture : pictures) write_file(folder / "pictures" / file_name(picture), picture.png);
  write_file(list_path(folder), list.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::vector<Picture> read_pictures(const std::filesystem::path& folder) {
  std::error_code ignored;
  const std::filesystem::path path = list_path(folder);
  if (!std::filesystem::exists(path, ignored)) return {};
  std::vector<Picture> pictures;
  try {
    for (const Json& entry : Json::parse(read_file(path))) {
      Picture picture{entry.at("figure"), entry.at("caption"), entry.at("row"), {}};
      if (entry.at("file") != file_name(picture)) fail(path.string(), "names a file that is not of this folder");
      const std::filesystem::path file = path.parent_path() / file_name(picture);
      picture.png = read_file(file);
      png_size(picture.png, file.string());
      pictures.push_back(std::move(picture));
    }
  } catch (const Json::exception& error) {
    fail(path.string(), "not a list of pictures", error.what());
  }
  return pictures;
}

void remove_pictures(const std::filesystem::path& folder) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "pictures", ignored))
    if (entry.path().extension() == ".png" || entry.path() == list_path(folder))
      std::filesystem::remove(entry.path(), ignored);
  if (std::filesystem::is_empty(folder / "pictures", ignored)) std::filesystem::remove(folder / "pictures", ignored);
}

}  // namespace tandem::examples
