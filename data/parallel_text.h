// Parallel text: sentences and their translations, one a line in two files. Multi30k, or any two files.
// Not here: subwords (byte_pairs.h), batches (sentence_batches.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tandem {

/// Line i of `target` translates line i of `source`; none is empty.
struct ParallelText {
  std::filesystem::path source_file, target_file;  ///< where they come from, for errors
  std::vector<std::string> source, target;
  std::int64_t first_line = 1;  ///< of the files: the number of source[0]

  std::int64_t size() const { return static_cast<std::int64_t>(source.size()); }
};

/// Throws Error naming file and line: a file that is missing or empty, a line that is not UTF-8 or holds nothing but
/// white space, files of unequal length. Line ends may be those of Windows, a byte-order mark may be in front.
ParallelText read_parallel_text(const std::filesystem::path& source, const std::filesystem::path& target);

struct TranslationSets {
  ParallelText train, validation, test;
};

struct Multi30kOptions {
  std::filesystem::path folder = {};  ///< default: multi30k in data_home()
  std::string from = "de", to = "en";
};
/// Multi30k (Elliott et al. 2016, "Multi30K: multilingual English-German image descriptions"): train, val and
/// test_2016_flickr, each with .de, .en, .fr. Throws Error for files that are missing, saying which.
TranslationSets multi30k(const Multi30kOptions& options = {});
/// Its test_2016_flickr alone; the other files need not be there.
ParallelText multi30k_test(const Multi30kOptions& options = {});

/// Two files of one's own: the last tenth of the lines, at most 2,000, is held out, its first half for validation, its
/// second for the test. Throws Error below 20 lines.
TranslationSets hold_out(const ParallelText& text);
/// The lines to test a model on whose training lines have this checksum: of the two files that it was trained on those
/// that hold_out() kept for the test, of any others all.
ParallelText test_lines(const ParallelText& text, std::uint64_t training_checksum);

/// 64 bits that change with any byte of any line (FNV-1a).
std::uint64_t checksum(const ParallelText& text);

}  // namespace tandem
