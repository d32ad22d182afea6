// Parallel text: two files of lines, what is wrong with them, Multi30k's folder, and held-out parts.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <core/temporary_folder.h>
#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include <tandem/data/parallel_text.h>

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

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("parallel text: lines of both files, with line ends of any kind") {
  const TemporaryFolder folder;
  write_file(folder / "a",
             "\xEF\xBB\xBF"
             "eins zwei\r\ndrei\n");
  write_file(folder / "b", "one two\nthree");
  const ParallelText text = read_parallel_text(folder / "a", folder / "b");
  CHECK(text.size() == 2);
  CHECK(text.source == Lines{"eins zwei", "drei"});
  CHECK(text.target == Lines{"one two", "three"});
  ParallelText other = text;
  CHECK(checksum(other) == checksum(text));
  other.target[1] = "thref";
  CHECK(checksum(other) != checksum(text));
}

TEST_CASE("parallel text: what is wrong is one line with file and line") {
  const TemporaryFolder folder;
  const std::string a = (folder / "a").string(), b = (folder / "b").string();
  const auto refused = [&](const std::string& source, const std::string& target) {
    write_file(a, source);
    write_file(b, target);
    return error_of([&] { read_parallel_text(a, b); });
  };
  CHECK(refused("1\n2\n", "1\n") == a + ":2: this line has no counterpart: " + a + " has 2 lines, " + b +
                                        " has 1; line i of one file translates line i of the other");
  CHECK(refused("1\n", "1\n2\n3\n").starts_with(b + ":2: this line has no counterpart"));
  CHECK(refused("1\n \t\n3\n", "1\n2\n3\n") == a + ":2: an empty line; remove it, and its translation");
  CHECK(refused("1\n", "\n").starts_with(b + ":1: an empty line"));
  CHECK(refused("1\nab\xe4\n", "1\n2\n") ==
        a + ": not UTF-8: line 2, byte offset 4: 0xE4; convert it, e.g. with iconv -f ISO-8859-1 -t UTF-8");
  CHECK(refused("", "1\n") == a + ": the file is empty");
  CHECK(error_of([&] { read_parallel_text(folder / "none", b); }).find("none") != std::string::npos);
}

TEST_CASE("multi30k: three parts, in the direction that is asked for") {
  const TemporaryFolder folder;
  for (const char* part : {"train", "val", "test_2016_flickr"})
    for (const char* language : {"de", "en"})
      write_file(folder / (std::string(part) + "." + language), std::string(part) + " " + language + "\n");
  const TranslationSets sets = multi30k({.folder = folder.path(), .from = "en", .to = "de"});
  CHECK(sets.train.source == Lines{"train en"});
  CHECK(sets.validation.target == Lines{"val de"});
  CHECK(sets.test.source == Lines{"test_2016_flickr en"});
  const std::string error = error_of([&] { multi30k({.folder = folder.path(), .from = "de", .to = "fr"}); });
  CHECK(error == "multi30k: a file is missing: " + (folder / "train.fr").string() +
                     "; get it with `examples/get_data.sh multi30k`, or name with --data the folder of train, val and "
                     "test_2016_flickr, each with .de, .en or .fr");
  for (const char* part : {"train.de", "train.en", "val.de", "val.en"}) std::filesystem::remove(folder / part);
  CHECK(multi30k_test({.folder = folder.path()}).target == Lines{"test_2016_flickr en"});
}

TEST_CASE("held-out parts are the end of the files, and know their lines") {
  ParallelText text;
  text.source_file = "x.de";
  for (int i = 1; i <= 45; ++i) {
    text.source.push_back(fmt::format("s{}", i));
    text.target.push_back(fmt::format("t{}", i));
  }
  const TranslationSets sets = hold_out(text);
  CHECK(sets.train.size() == 41);
  CHECK(sets.validation.source == Lines{"s42", "s43"});
  CHECK(sets.validation.first_line == 42);
  CHECK(sets.test.target == Lines{"t44", "t45"});
  ParallelText other = text;
  other.target[0] = "another";
  CHECK(test_lines(text, checksum(sets.train)).source == sets.test.source);
  CHECK(test_lines(other, checksum(sets.train)).source == other.source);
  text.source.resize(19);
  text.target.resize(19);
  CHECK(error_of([&] { hold_out(text); }) == "x.de: too few lines to hold some out: 19 lines; at least 20 are needed");
  CHECK(test_lines(text, checksum(text)).size() == 19);
}
