// See parallel_text.h.
#include <algorithm>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include <tandem/data/dataset.h>
#include <tandem/data/parallel_text.h>
#include <tandem/data/utf8.h>

namespace tandem {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kLeastToHoldOut = 20;  // lines: a tenth are two, one to validate and one to test

std::vector<std::string> read_lines(const fs::path& path) {
  const std::string content = read_file(path);
  check_utf8(content, path.string());
  const std::string_view text = without_byte_order_mark(content);
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string line(text.substr(at, end - at));
    at = end + 1;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const std::string where = fmt::format("{}:{}", path.string(), lines.size() + 1);
    if (split_words(line).empty()) fail(where, "an empty line", {}, "remove it, and its translation");
    lines.push_back(std::move(line));
  }
  if (lines.empty()) fail(path.string(), "the file is empty");
  return lines;
}

ParallelText part_of(const ParallelText& text, std::int64_t begin, std::int64_t end) {
  ParallelText part{text.source_file, text.target_file, {}, {}, text.first_line + begin};
  part.source.assign(text.source.begin() + begin, text.source.begin() + end);
  part.target.assign(text.target.begin() + begin, text.target.begin() + end);
  return part;
}

/// The files of a part of Multi30k.
ParallelText read_part(const std::string& part, const Multi30kOptions& options) {
  const fs::path folder = options.folder.empty() ? data_home() / "multi30k" : options.folder;
  const fs::path source = folder / (part + "." + options.from), target = folder / (part + "." + options.to);
  for (const fs::path& path : {source, target}) {
    std::error_code ignored;
    if (!fs::exists(path, ignored))
      fail("multi30k", "a file is missing", path.string(),
           "get it with `examples/get_data.sh multi30k`, or name with --data the folder of train, val and "
           "test_2016_flickr, each with .de, .en or .fr");
  }
  return read_parallel_text(source, target);
}

}  // namespace

ParallelText read_parallel_text(const fs::path& source, const fs::path& target) {
  ParallelText text{source, target, read_lines(source), read_lines(target)};
  const std::size_t s = text.source.size(), t = text.target.size();
  if (s != t) {
    fail(fmt::format("{}:{}", (s < t ? target : source).string(), std::min(s, t) + 1), "this line has no counterpart",
         fmt::format("{} has {} lines, {} has {}", source.string(), s, target.string(), t),
         "line i of one file translates line i of the other");
  }
  return text;
}

TranslationSets multi30k(const Multi30kOptions& options) {
  return {read_part("train", options), read_part("val", options), multi30k_test(options)};
}

ParallelText multi30k_test(const Multi30kOptions& options) { return read_part("test_2016_flickr", options); }

TranslationSets hold_out(const ParallelText& text) {
  const std::int64_t n = text.size(), held_out = std::min<std::int64_t>(n / 10, 2000), half = held_out / 2;
  if (n < kLeastToHoldOut) {
    fail(text.source_file.string(), "too few lines to hold some out", fmt::format("{} lines", n),
         fmt::format("at least {} are needed", kLeastToHoldOut));
  }
  return {part_of(text, 0, n - held_out), part_of(text, n - held_out, n - held_out + half),
          part_of(text, n - held_out + half, n)};
}

ParallelText test_lines(const ParallelText& text, std::uint64_t training_checksum) {
  if (text.size() < kLeastToHoldOut) return text;
  const TranslationSets sets = hold_out(text);
  return checksum(sets.train) == training_checksum ? sets.test : text;
}

std::uint64_t checksum(const ParallelText& text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  const auto add = [&](char c) { hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL; };
  for (const auto* lines : {&text.source, &text.target}) {
    for (const std::string& line : *lines) {
      for (const char c : line) add(c);
      add('\n');
    }
  }
  return hash;
}

}  // namespace tandem
