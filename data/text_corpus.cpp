// See text_corpus.h.
#include <algorithm>
#include <array>
#include <system_error>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/data/dataset.h>
#include <tandem/data/text_corpus.h>

namespace tandem {

namespace {

namespace fs = std::filesystem;

struct Part {
  const char* file;
  std::int64_t tokens;  // by words, official
};
constexpr std::array<Part, 3> kParts{{{"ptb.train.txt", 929589}, {"ptb.valid.txt", 73760}, {"ptb.test.txt", 82430}}};

fs::path find_folder(const fs::path& given) {
  if (given.empty()) return data_home() / "ptb";
  std::error_code ignored;
  return !fs::exists(given / kParts[0].file, ignored) && fs::is_directory(given / "ptb", ignored) ? given / "ptb"
                                                                                                  : given;
}

Vocabulary vocabulary_of(std::string_view training_text, const TextCorpusOptions& options) {
  if (options.vocabulary) return *options.vocabulary;
  return Vocabulary::build(training_text, {.kind = options.kind, .min_count = options.min_count});
}

Array read_part(const fs::path& folder, const Part& part, const Vocabulary& vocabulary) {
  Array ids = vocabulary.encode(read_text(folder / part.file));
  if (vocabulary.kind() == TokenKind::words && ids.size() != part.tokens) {
    warn(fmt::format("ptb: {} has {} tokens, the official one {}", (folder / part.file).string(), ids.size(),
                     part.tokens));
  }
  return ids;
}

/// Where the test part of so large a share begins: at the next character, of words at the next line or, where none
/// follows, the next word. text.size() when nothing does.
std::size_t find_cut(std::string_view text, TokenKind kind, double test) {
  auto cut = static_cast<std::size_t>(static_cast<double>(text.size()) * (1 - test));
  if (kind == TokenKind::characters) {
    while (cut < text.size() && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) ++cut;
    return cut;
  }
  const std::size_t line = std::min(text.find('\n', cut), text.size() - 1) + 1;
  if (line < text.size()) return line;
  const std::string blanks = std::string(kBlanks) + "\n";
  const std::size_t blank = std::min(text.find_first_of(blanks, cut), text.size());
  return std::min(text.find_first_not_of(blanks, blank), text.size());
}

}  // namespace

double TextCorpus::unknown_share(const Array& part) const {
  const std::vector<std::int64_t> ids = part.to_vector<std::int64_t>();
  return static_cast<double>(std::count(ids.begin(), ids.end(), vocabulary.unknown())) /
         static_cast<double>(ids.size());
}

bool has_penn_treebank(const fs::path& folder) {
  const fs::path found = find_folder(folder);
  std::error_code ignored;
  return std::all_of(kParts.begin(), kParts.end(),
                     [&](const Part& part) { return fs::is_regular_file(found / part.file, ignored); });
}

TextCorpus penn_treebank(const fs::path& given, const TextCorpusOptions& options) {
  const fs::path folder = find_folder(given);
  std::error_code ignored;
  for (const Part& part : kParts) {
    if (fs::is_regular_file(folder / part.file, ignored)) continue;
    fail("ptb", "file is missing", fmt::format("looked for {}", (folder / part.file).string()),
         "get it with `examples/get_data.sh ptb`, or name its folder with --data");
  }
  TextCorpus corpus;
  corpus.name = "ptb";
  corpus.vocabulary = vocabulary_of(read_text(folder / kParts[0].file), options);
  corpus.train = read_part(folder, kParts[0], corpus.vocabulary);
  corpus.valid = read_part(folder, kParts[1], corpus.vocabulary);
  corpus.test = read_part(folder, kParts[2], corpus.vocabulary);
  return corpus;
}

TextCorpus text_corpus(const fs::path& file, const TextCorpusOptions& options) {
  if (!(options.test > 0 && options.test < 1))
    fail_usage("text", fmt::format("the test part is {}, must be within (0, 1)", options.test));
  const std::string text = read_text(file);
  const TokenKind kind = options.vocabulary ? options.vocabulary->kind() : options.kind;
  const std::size_t cut = find_cut(text, kind, options.test);
  const bool is_divisible = cut > 0 && cut < text.size();
  if (!is_divisible && !options.training_checksum) {
    fail(file.string(), "the text is too short to be divided",
         fmt::format("{} bytes, training part {}", text.size(), cut));
  }
  TextCorpus corpus;
  corpus.name = "text";
  if (is_divisible) {
    const std::string_view training = std::string_view(text).substr(0, cut);
    corpus.vocabulary = vocabulary_of(training, options);
    corpus.train = corpus.vocabulary.encode(training);
    corpus.test = corpus.vocabulary.encode(std::string_view(text).substr(cut));
    if (!options.training_checksum || checksum(corpus) == *options.training_checksum) return corpus;
  }
  corpus.vocabulary = vocabulary_of(text, options);
  corpus.train = {};
  corpus.test = corpus.vocabulary.encode(text);
  return corpus;
}

std::uint64_t checksum(const TextCorpus& corpus) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  const auto add = [&hash](const void* bytes, std::size_t count) {
    const auto* p = static_cast<const unsigned char*>(bytes);
    for (std::size_t i = 0; i < count; ++i) hash = (hash ^ p[i]) * 0x100000001b3ULL;
  };
  const std::string vocabulary = corpus.vocabulary.to_text();
  add(vocabulary.data(), vocabulary.size());
  if (!corpus.train.defined()) return hash;
  const Array ids = corpus.train.contiguous();
  add(ids.bytes(), static_cast<std::size_t>(ids.size()) * sizeof(std::int64_t));
  return hash;
}

}  // namespace tandem
