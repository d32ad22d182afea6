// Owners of results, by the first key of their file.
#include "result_folder.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>

#include "command_line.h"

namespace tandem::train {
namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t kLargest = std::uint64_t{64} << 20;  // bytes of a result that is read

}  // namespace

bool is_result(const fs::path& folder, const ResultKind& kind) {
  std::error_code ignored;
  if (!fs::is_regular_file(folder / kind.file, ignored)) return false;
  const auto json = nlohmann::json::parse(read_file(folder / kind.file, kLargest), nullptr, false);
  return json.is_object() && json.value("tandem", nlohmann::json()) == kind.format;
}

RunFolder claim_result(const fs::path& path, const ResultKind& kind, bool overwrite, const std::string& executable) {
  if (path.empty()) return RunFolder::create_default(kind.program);
  std::error_code ignored;
  if (!fs::is_directory(path, ignored) || fs::is_empty(path, ignored))
    return RunFolder::create(path, false, executable);
  const std::string name = shell_quoted(path.string());
  if (!is_result(path, kind))
    fail_usage("--out", fmt::format("{} holds files that are not a result of {}", name, kind.program), {},
               "take another folder");
  if (!overwrite)
    fail_usage("--out", fmt::format("{} holds a result", name), {},
               "take another folder, or replace it with --overwrite");
  return RunFolder::open(path);
}

RunFolder open_result(const fs::path& path, const ResultKind& kind) {
  if (!is_result(path, kind))
    fail_usage("--resume", fmt::format("{} holds no result of {}", shell_quoted(path.string()), kind.program));
  return RunFolder::open(path);
}

}  // namespace tandem::train
