// Text files and corpora: what is UTF-8, how text is cut into tokens and into parts, and every error.
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include <core/temporary_folder.h>
#include <data/standard_error.h>
#include <nn/error_text.h>
#include <tandem/core/io/file.h>
#include <tandem/data/dataset.h>
#include <tandem/data/text.h>
#include <tandem/data/text_corpus.h>
#include <tandem/data/utf8.h>

using namespace tandem;
using tandem::test::standard_error_of;
using tandem::test::TemporaryFolder;

namespace {

using Words = std::vector<std::string>;

Words tokens_of(std::string_view text, TokenKind kind) {
  Words tokens;
  for_each_token(text, kind, [&](std::string_view token) { tokens.emplace_back(token); });
  return tokens;
}

std::vector<std::int64_t> ids_of(const Array& ids) { return ids.to_vector<std::int64_t>(); }

}  // namespace

TEST_CASE("words: blanks divide, each line ends with <eos>") {
  CHECK(tokens_of(" no  it\twas \n black monday\n", TokenKind::words) ==
        Words{"no", "it", "was", "<eos>", "black", "monday", "<eos>"});
  CHECK(tokens_of("a\r\n\nb", TokenKind::words) == Words{"a", "<eos>", "<eos>", "b", "<eos>"});
  CHECK(tokens_of("", TokenKind::words).empty());
}

TEST_CASE("characters: code points of one to four bytes") {
  CHECK(tokens_of("a\n\u00e9\u20ac\U0001F600", TokenKind::characters) ==
        Words{"a", "\n", "\u00e9", "\u20ac", "\U0001F600"});
}

TEST_CASE("kinds of tokens by name") {
  CHECK(token_kind("words") == TokenKind::words);
  CHECK(name(TokenKind::characters) == "characters");
  CHECK(error_text([] { token_kind("syllables"); }) ==
        "tokens: \"syllables\" is not known: known are words, characters");
}

TEST_CASE("UTF-8: the table of RFC 3629") {
  const auto check = [](const std::string& text) { return error_text([&] { check_utf8(text, "t"); }); };
  for (const char* good : {"", "plain", "\u00e9", "\u0800", "\ud7ff", "\ue000", "\uffff", "\U00010000", "\U0010FFFF"})
    CHECK(check(good) == "no error");
  CHECK(check("a\nbc\xFF") ==
        "t: not UTF-8: line 2, byte offset 4: 0xFF; convert it, e.g. with iconv -f ISO-8859-1 -t UTF-8");
  for (const char* bad : {"\x80", "\xC0\x80", "\xC1\xBF", "\xC3", "\xC3(", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE2\x82",
                          "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82("}) {
    INFO(bad);
    CHECK(check(std::string("ab") + bad).find("line 1, byte offset 2: 0x") != std::string::npos);
  }
}

TEST_CASE("a text file: without its byte-order mark; missing, empty, not UTF-8") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "a.txt";
  write_file(file,
             "\xEF\xBB\xBF"
             "abc");
  CHECK(read_text(file) == "abc");
  for (const char* nothing : {"", "\xEF\xBB\xBF"}) {
    write_file(file, nothing);
    CHECK(error_text([&] { read_text(file); }) == file.string() + ": the file is empty: a text is needed");
  }
  write_file(file, "caf\xE9\n");
  CHECK(error_text([&] { read_text(file); }).find(file.string() + ": not UTF-8: line 1, byte offset 3: 0xE9") == 0);
  CHECK(error_text([&] { read_text(folder / "b.txt"); }).find("b.txt") != std::string::npos);
}

TEST_CASE("a byte-order mark is left out, once and only in front") {
  CHECK(without_byte_order_mark("\xEF\xBB\xBF\xEF\xBB\xBF"
                                "a") ==
        "\xEF\xBB\xBF"
        "a");
  for (const char* without : {"", "a\xEF\xBB\xBF", "\xEF\xBB"}) CHECK(without_byte_order_mark(without) == without);
}

TEST_CASE("a text of a single line is cut between words") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "a.txt";
  for (const char* end : {"", "\n"}) {
    write_file(file, std::string("aa bb aa bb aa bb cc  bb") + end);  // the middle lies in the fifth word
    const TextCorpus corpus = text_corpus(file, {.test = 0.5});
    CHECK(corpus.vocabulary.tokens() == Words{"<eos>", "<unk>", "aa", "bb"});
    CHECK(ids_of(corpus.train) == std::vector<std::int64_t>{2, 3, 2, 3, 2, 0});
    CHECK(ids_of(corpus.test) == std::vector<std::int64_t>{3, 1, 3, 0});
    write_file(file, std::string("single") + end);
    CHECK(error_text([&] { text_corpus(file); }).find("the text is too short to be divided") != std::string::npos);
  }
}

TEST_CASE("a text is the test part as a whole, unless it is the one of training") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "a.txt", other = folder / "b.txt", word = folder / "c.txt";
  write_file(file, "b a a\nc b\nd\n");
  write_file(other, "b a a\nc c\nd\n");
  write_file(word, "a");
  const TextCorpus trained = text_corpus(file, {.test = 0.5});
  const TextCorpusOptions options{
      .test = 0.5, .vocabulary = trained.vocabulary, .training_checksum = checksum(trained)};
  CHECK(ids_of(text_corpus(file, options).test) == ids_of(trained.test));
  CHECK(ids_of(text_corpus(file, options).train) == ids_of(trained.train));
  const TextCorpus whole = text_corpus(other, options);
  CHECK_FALSE(whole.train.defined());
  CHECK(ids_of(whole.test) == std::vector<std::int64_t>{2, 3, 3, 0, 4, 4, 0, 1, 0});
  CHECK(ids_of(text_corpus(word, options).test) == std::vector<std::int64_t>{3, 0});
}

TEST_CASE("a text file as corpus: characters are cut at nine tenths, words at the next line") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "a.txt";
  write_file(file, "abababaab\u00e9");  // eleven bytes, the last two one character
  CHECK(error_text([&] {
          text_corpus(file, {.kind = TokenKind::characters, .test = 0.05});
        }).find("the text is too short to be divided: 11 bytes") != std::string::npos);
  const TextCorpus letters = text_corpus(file, {.kind = TokenKind::characters});
  CHECK(letters.vocabulary.tokens() == Words{"<unk>", "a", "b"});
  CHECK(ids_of(letters.train) == std::vector<std::int64_t>{1, 2, 1, 2, 1, 2, 1, 1, 2});
  CHECK(ids_of(letters.test) == std::vector<std::int64_t>{0});
  CHECK_FALSE(letters.valid.defined());
  CHECK(letters.unknown_share(letters.test) == 1);

  write_file(file, "b a a\nc b\nd\n");
  const TextCorpus words = text_corpus(file, {.test = 0.5});
  CHECK(words.vocabulary.tokens() == Words{"<eos>", "<unk>", "b", "a", "c"});
  CHECK(ids_of(words.train) == std::vector<std::int64_t>{2, 3, 3, 0, 4, 2, 0});
  CHECK(ids_of(words.test) == std::vector<std::int64_t>{1, 0});
  CHECK(text_corpus(file, {.min_count = 2, .test = 0.5}).vocabulary.tokens() == Words{"<eos>", "<unk>", "b", "a"});
  CHECK(checksum(words) != checksum(text_corpus(file, {.min_count = 2, .test = 0.5})));
  CHECK(checksum(words) == checksum(text_corpus(file, {.test = 0.5})));

  const TextCorpus other = text_corpus(file, {.test = 0.5, .vocabulary = letters.vocabulary});
  CHECK(other.vocabulary == letters.vocabulary);
  CHECK(ids_of(other.test) == std::vector<std::int64_t>{0, 0, 2, 0, 0, 0});
  CHECK(error_text([&] { text_corpus(file, {.test = 1}); }) == "text: the test part is 1, must be within (0, 1)");
}

TEST_CASE("Penn Treebank: three files, one vocabulary, a warning where tokens are missing") {
  const TemporaryFolder folder;
  CHECK_FALSE(has_penn_treebank(folder.path()));
  CHECK(error_text([&] { penn_treebank(folder.path()); }) ==
        "ptb: file is missing: looked for " + (folder / "ptb.train.txt").string() +
            "; get it with `examples/get_data.sh ptb`, or name its folder with --data");
  std::filesystem::create_directory(folder / "ptb");
  write_file(folder / "ptb/ptb.train.txt", " the <unk> of N \n the end \n");
  write_file(folder / "ptb/ptb.valid.txt", " the start \n");
  write_file(folder / "ptb/ptb.test.txt", " of the \n");
  CHECK(has_penn_treebank(folder.path()));
  TextCorpus ptb;
  const std::string warnings = standard_error_of([&] { ptb = penn_treebank(folder.path()); });
  CHECK(warnings.find("ptb.valid.txt has 3 tokens, the official one 73760") != std::string::npos);
  CHECK(ptb.vocabulary.tokens() == Words{"<eos>", "<unk>", "the", "of", "N", "end"});
  CHECK(ids_of(ptb.train) == std::vector<std::int64_t>{2, 1, 3, 4, 0, 2, 5, 0});
  CHECK(ids_of(ptb.valid) == std::vector<std::int64_t>{2, 1, 0});
  CHECK(ids_of(ptb.test) == std::vector<std::int64_t>{3, 2, 0});
}

TEST_CASE("Penn Treebank itself, where it lies, has its official sizes") {
  if (!has_penn_treebank()) {
    MESSAGE("SKIPPED: Penn Treebank does not lie in " << data_home());
    return;
  }
  TextCorpus ptb;
  CHECK(standard_error_of([&] { ptb = penn_treebank(); }).empty());
  CHECK(ptb.train.size() == 929589);
  CHECK(ptb.valid.size() == 73760);
  CHECK(ptb.test.size() == 82430);
  CHECK(ptb.vocabulary.size() == 10000);
}

TEST_CASE("tokens of what is not UTF-8 are an Error, not a loop") {
  for (const TokenKind kind : {TokenKind::characters, TokenKind::words}) {
    int count = 0;
    CHECK(error_text([&] {
            for_each_token("a\xff", kind, [&](std::string_view) { ++count; });
          }).starts_with("tokens: not UTF-8: line 1, byte offset 1: 0xFF; convert it"));
    CHECK(count == 0);
    CHECK(error_text([&] { Vocabulary::build("a\xff", {.kind = kind}); }).starts_with("tokens: not UTF-8"));
    const Vocabulary v = Vocabulary::build("a b", {.kind = kind});
    CHECK(error_text([&] { v.encode("\xff"); }).starts_with("tokens: not UTF-8"));
  }
}

TEST_CASE("a file in UTF-16 is named as one") {
  CHECK(error_text([] {
          check_utf8(std::string("\xff\xfe"
                                 "a\0b\0",
                                 6),
                     "t");
        }) == "t: not UTF-8: it begins as UTF-16 does; convert it, e.g. with iconv -f UTF-16 -t UTF-8");
  CHECK(error_text([] { check_utf8(std::string("\xfe\xff\0a", 4), "t"); }).find("UTF-16") != std::string::npos);
}
