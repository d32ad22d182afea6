// Vocabulary: order, limits, ids and back, the file, and every error.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <core/temporary_folder.h>
#include <nn/error_text.h>
#include <tandem/core/io/file.h>
#include <tandem/data/vocabulary.h>

using namespace tandem;
using tandem::test::TemporaryFolder;

namespace {

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("order: special tokens, then frequency, then first appearance") {
  const std::string text = "to be or not to be\n<unk> not\n";
  CHECK(Vocabulary::build(text).tokens() == Words{"<eos>", "<unk>", "to", "be", "not", "or"});
  CHECK(Vocabulary::build(text, {.min_count = 2}).tokens() == Words{"<eos>", "<unk>", "to", "be", "not"});
  CHECK(Vocabulary::build(text, {.max_tokens = 3}).tokens() == Words{"<eos>", "<unk>", "to"});
  CHECK(Vocabulary::build(text, {.max_tokens = 2}).size() == 2);
  CHECK(Vocabulary::build("abb", {.kind = TokenKind::characters}).tokens() == Words{"<unk>", "b", "a"});
  CHECK(error_text([&] { Vocabulary::build(text, {.min_count = 0}); }) ==
        "vocabulary: min_count is 0, must be at least 1");
  CHECK(error_text([&] { Vocabulary::build(text, {.max_tokens = 1}); }) ==
        "vocabulary: max_tokens is 1, must be at least 2: or 0: no limit");
}

TEST_CASE("text to ids and back") {
  const Vocabulary words = Vocabulary::build("to be or not\nto be\n");
  const Array ids = words.encode("be  to\nhamlet or\n");
  CHECK(ids.to_vector<std::int64_t>() == std::vector<std::int64_t>{3, 2, 0, 1, 4, 0});
  CHECK(words.decode(ids) == "be to\n<unk> or\n");
  CHECK(words.id("be") == 3);
  CHECK(words.token(3) == "be");
  CHECK(words.id("hamlet") == words.unknown());

  const Vocabulary letters = Vocabulary::build("a\u00e9a\n", {.kind = TokenKind::characters});
  CHECK(letters.decode(letters.encode("\u00e9a\nz")) == "\u00e9a\n\uFFFD");
}

TEST_CASE("ids out of range") {
  const Vocabulary words = Vocabulary::build("a b\n");
  CHECK(error_text([&] { words.token(4); }) == "vocabulary: token id out of range: 4 of 4 tokens");
  CHECK(error_text([&] { words.token(-1); }) == "vocabulary: token id out of range: -1 of 4 tokens");
  CHECK(error_text([&] {
          words.decode(Array::from({1, 7}, {2}, DType::i64));
        }) == "vocabulary: token id out of range: position 1 has id 7, the vocabulary 4 tokens");
  CHECK(error_text([&] { words.encode(""); }) == "vocabulary: the text to encode is empty");
}

TEST_CASE("the file: written, read back, escapes") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "vocabulary.txt";
  const Vocabulary letters = Vocabulary::build("\n\n\\\r a\u00e9", {.kind = TokenKind::characters});
  letters.save(file);
  CHECK(read_file(file) == "tandem vocabulary of characters\n<unk>\n\\n\n\\\\\n\\r\n \na\n\u00e9\n");
  CHECK(Vocabulary::load(file) == letters);
  const Vocabulary words = Vocabulary::build("the a\\b the\n");
  CHECK(Vocabulary::from_text(words.to_text(), "here") == words);
  CHECK_FALSE(words == letters);
}

TEST_CASE("files that are none") {
  const auto read = [](const std::string& text) { return error_text([&] { Vocabulary::from_text(text, "v"); }); };
  const std::string head = "tandem vocabulary of words\n";
  CHECK(read("") == "v: not a vocabulary: it is empty");
  CHECK(read("a\nb\n").find("v: not a vocabulary: the first line must be \"tandem vocabulary of words\"") == 0);
  CHECK(read(head + "<eos>\n<unk>\na\na\n") ==
        "v: not a vocabulary: vocabulary: token \"a\" is there twice: ids 2 and 3");
  CHECK(read(head + "<eos>\n<unk>\n\n") == "v: not a vocabulary: vocabulary: a token is empty: id 2");
  CHECK(read(head + "<unk>\na\n") == "v: not a vocabulary: vocabulary: has no <eos>: 2 tokens");
  CHECK(read(head + "a\\x\n") == "v line 2: an escape other than \\n, \\r and \\\\");
  CHECK(read(head + "a\xFF\n").find("v: not UTF-8: line 2, byte offset 28: 0xFF") == 0);
}
