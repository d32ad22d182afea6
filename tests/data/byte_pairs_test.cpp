// UTF-8 and byte pairs: characters, merges on paper, round trips, the file and what is wrong with it.
#include <doctest/doctest.h>

#include <sstream>

#include <core/temporary_folder.h>
#include <tandem/core/error.h>
#include <tandem/core/generator.h>
#include <tandem/core/io/file.h>
#include <tandem/data/byte_pairs.h>
#include <tandem/data/utf8.h>

using namespace tandem;
using namespace tandem::test;

namespace {

template <class F>
std::string error_of(const F& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing thrown";
}

std::string shown(const BytePairs& codes, std::string_view line) {
  std::string text;
  for (const std::int64_t id : codes.encode(line)) text += (text.empty() ? "" : " ") + codes.token(id);
  return text;
}

const std::vector<std::string> kLines = {"Der Hut, der Hut: rot.", "(l'homme) \xc2\xab oui \xc2\xbb, dit-il!",
                                         "gr\xc3\xbcn-es Gras... 1,000.5 \"ja\"",
                                         "\xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80 </w> <+> <unk> a  b"};

}  // namespace

TEST_CASE("utf-8: lengths, code points, and what is none") {
  CHECK(utf8_length("a", 0) == 1);
  CHECK(utf8_length("\xc3\xbc", 0) == 2);
  CHECK(utf8_code_point("\xc3\xbc", 0) == 0xfc);
  CHECK(utf8_code_point("\xe6\x97\xa5", 0) == 0x65e5);
  CHECK(utf8_code_point("\xf0\x9f\x98\x80", 0) == 0x1f600);
  CHECK(utf8_code_point("\xf4\x8f\xbf\xbf", 0) == 0x10ffff);
  // a continuation alone, overlong, cut, a surrogate, beyond the last
  for (const char* bad : {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xc3", "\xe6\x97",
                          "\xc3 ", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    CHECK(utf8_length(bad, 0) == 0);
    CHECK(find_not_utf8(std::string("ab") + bad) == 2);
  }
  CHECK(find_not_utf8("gr\xc3\xbcn") == std::string_view::npos);
  CHECK(utf8_length("", 0) == 0);
  const std::vector<std::string_view> words = split_words(" a\tb\xc2\xa0\xc3\xbc\xe3\x80\x80 c\n");
  CHECK(words == std::vector<std::string_view>{"a", "b", "\xc3\xbc", "c"});
  CHECK(split_words(" ").empty());
}

TEST_CASE("byte pairs: the merges of a text, on paper") {
  // aab</w> five times, ab</w> three: (a, b</w>) 8 times, (a, a) 5; then (a, ab</w>) 5.
  const BytePairs codes = BytePairs::learn({"aab aab ab", "aab ab aab ab aab"});
  CHECK(codes.merges() == 2);
  // special ones, each character with and without its end, what merges made
  CHECK(codes.size() == 6 + 4 + 2);
  CHECK(shown(codes, "aab ab b ba aaab") == "aab</w> ab</w> b</w> b a</w> a aab</w>");
  CHECK(BytePairs::learn({"aab"}, {.merges = 10, .least = 1}).merges() == 2);
  CHECK(BytePairs::learn({"aab aab"}, {.merges = 1}).merges() == 1);
  CHECK(BytePairs::learn({"aab aab"}, {.merges = 0}).merges() == 0);
}

TEST_CASE("byte pairs: among equals the smaller ids come first") {
  // (a, b) and (c, d) twice each, as (b, x</w>) and (d, x</w>): a before c by its bytes.
  const BytePairs codes = BytePairs::learn({"cdx abx", "abx cdx"}, {.merges = 1});
  CHECK(shown(codes, "abx cdx") == "ab x</w> c d x</w>");
}

TEST_CASE("byte pairs: punctuation stands alone and is put back") {
  const BytePairs codes = BytePairs::learn(kLines);
  const BytePairs plain = BytePairs::learn({"Hut, (l'ab)", "a.. b"}, {.merges = 0});
  CHECK(shown(plain, "Hut,") == "H u t</w> <+>,</w>");
  CHECK(shown(plain, "(l'ab)") == "( l</w> <+>' a b</w> <+>)</w>");
  CHECK(shown(plain, "a..") == "a</w> <+>.</w> <+>.</w>");
  // The word is the same with and without a comma.
  CHECK(codes.encode("Hut,").front() == codes.encode("Hut").front());
}

TEST_CASE("byte pairs: what is decoded is what was encoded, but for white space and unknown characters") {
  for (const std::int64_t merges : {0, 3, 1000}) {
    const BytePairs codes = BytePairs::learn(kLines, {.merges = merges, .least = 1});
    for (const std::string& line : kLines) {
      if (line != kLines.back()) CHECK(codes.decode(codes.encode(line)) == line);
    }
    CHECK(codes.decode(codes.encode("  </w>\t<+>  <unk> ")) == "</w> <+> <unk>");
    // Random lines of known characters.
    const std::string some = "a bG1,.-'\"(</w>+:";
    Generator random(5);
    for (int i = 0; i < 200; ++i) {
      std::string line;
      for (int j = 0; j < 12; ++j)
        line += some[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(some.size())))];
      std::string expected;
      for (const std::string_view word : split_words(line)) expected.append(expected.empty() ? "" : " ").append(word);
      CHECK(codes.decode(codes.encode(line)) == expected);
    }
    // Unknown characters keep their place: letters, and marks on either side.
    const std::string unknown = "\xef\xbf\xbd";
    CHECK(codes.decode(codes.encode("aXb Q, @a H@")) ==
          "a" + unknown + "b " + unknown + ", " + unknown + "a H" + unknown);
    CHECK(codes.encode("Q")[0] == BytePairs::kUnknown);
    CHECK(codes.encode("").empty());
    CHECK(codes.decode({BytePairs::kBegin, BytePairs::kEnd, BytePairs::kPadding}).empty());
    const auto all = codes.encode(kLines);
    for (std::size_t i = 0; i < all.size(); ++i) CHECK(all[i] == codes.encode(kLines[i]));
  }
}

TEST_CASE("byte pairs: the file reads back the same, and equal text gives equal bytes") {
  const TemporaryFolder folder;
  const BytePairs codes = BytePairs::learn(kLines, {.least = 1});
  codes.save(folder / "a.txt");
  const BytePairs again = BytePairs::load(folder / "a.txt");
  CHECK(again.checksum() == codes.checksum());
  CHECK(again.size() == codes.size());
  for (const std::string& line : kLines) CHECK(again.encode(line) == codes.encode(line));
  BytePairs::learn(kLines, {.least = 1}).save(folder / "b.txt");
  CHECK(read_file(folder / "a.txt") == read_file(folder / "b.txt"));
  CHECK(BytePairs::learn({"other text"}).checksum() != codes.checksum());
  CHECK(codes.to_text() == read_file(folder / "a.txt"));
  CHECK(BytePairs::from_text(codes.to_text(), "model").to_text() == codes.to_text());
  CHECK(error_of([] { BytePairs::from_text("hello\n", "model"); }) ==
        "model:1: not a vocabulary of byte pairs: \"tandem byte pairs 1\" is expected");
}

TEST_CASE("byte pairs: what is refused") {
  const TemporaryFolder folder;
  const std::string path = (folder / "codes.txt").string();
  const auto refused = [&](const std::string& text) {
    write_file(path, text);
    return error_of([&] { BytePairs::load(path); });
  };
  const std::string good = "tandem byte pairs 1\ncharacters 2\na\nb\nmerges 1\na b</w>\n";
  CHECK(refused(good) == "nothing thrown");
  CHECK(refused("") == path + ":1: not a vocabulary of byte pairs: the text ends here");
  CHECK(refused("hello\n") == path + ":1: not a vocabulary of byte pairs: \"tandem byte pairs 1\" is expected");
  CHECK(refused("\xff\n") ==
        path + ": not UTF-8: line 1, byte offset 0: 0xFF; convert it, e.g. with iconv -f ISO-8859-1 -t UTF-8");
  CHECK(refused("tandem byte pairs 1\ncharacters x\n") ==
        path + ":2: not a vocabulary of byte pairs: \"characters\" and a number are expected");
  CHECK(refused("tandem byte pairs 1\ncharacters 2\na\nbc\n") ==
        path + ":4: not a vocabulary of byte pairs: one character is expected");
  CHECK(refused("tandem byte pairs 1\ncharacters 1\na\nmerges 1\na c\n") ==
        path + ":5: not a vocabulary of byte pairs: two subwords that are known by then are expected");
  CHECK(refused(good + "a b\n") == path + ":6: not a vocabulary of byte pairs: more lines than merges");
  CHECK(refused(good.substr(0, good.size() - 1)) == path + ":6: not a vocabulary of byte pairs: the text ends here");

  CHECK(error_of([] { BytePairs::learn({}); }) == "byte_pairs: there is no text to learn from: 0 lines");
  CHECK(error_of([] {
          BytePairs::learn({"a", "b\xff"});
        }) == "byte_pairs: not UTF-8: line 1, byte offset 1: 0xFF; convert it, e.g. with iconv -f ISO-8859-1 -t UTF-8");
  CHECK(error_of([] { BytePairs::learn({"a"}, {.merges = -1}); }) ==
        "byte_pairs: merges must not be negative, least at least 1: merges -1, least 2");
  const BytePairs codes = BytePairs::learn({"a"});
  CHECK(error_of([&] { codes.decode({8}); }) == "byte_pairs: id 8 is out of range: there are 8 ids");
  CHECK(error_of([&] { codes.token(-1); }) == "byte_pairs: id -1 is out of range: there are 8 ids");
  CHECK(error_of([&] { codes.encode("\x80"); }) ==
        "byte_pairs: not UTF-8: line 1, byte offset 0: 0x80; convert it, e.g. with iconv -f ISO-8859-1 -t UTF-8");
}

namespace {

/// The ids of one part by the definition: the merge of lowest rank that is there, at all its places, again and again.
std::vector<std::string> merged(std::vector<std::string> symbols,
                                const std::vector<std::pair<std::string, std::string>>& merges) {
  while (true) {
    std::size_t best = merges.size();
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i)
      for (std::size_t rank = 0; rank < best; ++rank)
        if (merges[rank] == std::pair(symbols[i], symbols[i + 1])) best = rank;
    if (best == merges.size()) return symbols;
    std::vector<std::string> next;
    for (std::size_t i = 0; i < symbols.size(); ++i) {
      const bool is_pair = i + 1 < symbols.size() && merges[best] == std::pair(symbols[i], symbols[i + 1]);
      next.push_back(is_pair ? symbols[i] + symbols[i + 1] : symbols[i]);
      if (is_pair) ++i;
    }
    symbols = next;
  }
}

std::string letters(Generator& g, std::int64_t count, std::int64_t kinds) {
  std::string word;
  for (std::int64_t i = 0; i < count; ++i) word += static_cast<char>('a' + g.below(kinds));
  return word;
}

}  // namespace

TEST_CASE("encoding equals its definition on random words") {
  Generator g(1);
  for (int trial = 0; trial < 20; ++trial) {
    std::vector<std::string> lines;
    for (int i = 0; i < 40; ++i) lines.push_back(letters(g, 1 + g.below(12), 3));
    const BytePairs codes = BytePairs::learn(lines, {.merges = 60, .least = 1});
    std::vector<std::pair<std::string, std::string>> merges;
    const std::string text = codes.to_text();
    std::istringstream in(text.substr(text.find("merges")));
    std::string left, right;
    in >> left >> right;  // "merges", their number
    while (in >> left >> right) merges.emplace_back(left, right);
    for (int i = 0; i < 20; ++i) {
      const std::string word = letters(g, 1 + g.below(40), 3);
      std::vector<std::string> symbols;
      for (const char c : word) symbols.emplace_back(1, c);
      symbols.back() += "</w>";
      std::vector<std::string> got;
      for (const std::int64_t id : codes.encode(word)) got.push_back(codes.token(id));
      CHECK(got == merged(symbols, merges));
    }
  }
}

TEST_CASE("a word of 300,000 letters is encoded") {
  Generator g(2);
  std::vector<std::string> lines;
  for (int i = 0; i < 2000; ++i) lines.push_back(letters(g, 8, 26));
  const BytePairs codes = BytePairs::learn(lines, {.merges = 1000});
  const std::string word = letters(g, 300000, 26);
  CHECK(codes.decode(codes.encode(word)) == word);
}

TEST_CASE("merges are learned from one word of 100,000 letters") {
  Generator g(3);
  const std::string word = letters(g, 100000, 26);
  const BytePairs codes = BytePairs::learn({word}, {.merges = 1000});
  CHECK(codes.merges() == 1000);
  const auto ids = codes.encode(word);
  CHECK(ids.size() <= 66668);  // of two letters side by side one pair is made
  CHECK(codes.decode(ids) == word);
}
