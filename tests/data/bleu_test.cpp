// BLEU: tokens and scores on paper, published values of sacrebleu, and a corpus scored by
// tests/golden/make_bleu_golden.py.
#include <doctest/doctest.h>

#include <cmath>
#include <sstream>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include <tandem/data/bleu.h>

using namespace tandem;

namespace {

std::string joined(std::string_view line) {
  std::string text;
  for (const std::string& token : tokenize_13a(line)) text += (text.empty() ? "" : " ") + token;
  return text;
}

BleuCounts counts_of(std::string_view hypothesis, std::string_view reference) {
  BleuCounts counts;
  counts.add(hypothesis, reference);
  return counts;
}

using Four = std::array<std::int64_t, 4>;

}  // namespace

TEST_CASE("13a tokens") {
  CHECK(joined("Hello, world! It's 3,000.5 (a-b) 5-6.") == "Hello , world ! It's 3,000.5 ( a-b ) 5 - 6 .");
  CHECK(joined("&quot;x&quot; &amp;lt; a &lt;b&gt;") == "\" x \" < a < b >");
  CHECK(joined("a,b.c 1,b a,1 1.5.") == "a , b . c 1 , b a , 1 1.5 .");
  CHECK(joined("  ... ") == ". . .");
  CHECK(joined("gro\xc3\x9f,\xc2\xa0\xc3\xa9t\xc3\xa9.") == "gro\xc3\x9f , \xc3\xa9t\xc3\xa9 .");
  CHECK(joined("a<skipped>b") == "ab");
  CHECK(tokenize_13a("").empty());
}

TEST_CASE("bleu on paper") {
  const BleuCounts counts = counts_of("The cat sat on the mat.", "The cat sat on a mat.");
  CHECK(counts.matches == Four{6, 4, 2, 1});
  CHECK(counts.totals == Four{7, 6, 5, 4});
  CHECK(counts.brevity_penalty() == 1);
  CHECK(counts.score() == doctest::Approx(100 * std::pow(6.0 / 7 * 4 / 6 * 2 / 5 * 1 / 4, 0.25)));
  // Half as long, all of it right: e^(1 - 8/4).
  CHECK(counts_of("a b c d", "a b c d e f g h").score() == doctest::Approx(100 * std::exp(-1.0)));
  // Longer is not punished by the penalty, but by precision; an n-gram counts as often as the reference has it.
  CHECK(counts_of("a a a a", "a b").matches == Four{1, 0, 0, 0});
  CHECK(corpus_bleu({"a b c d e"}, {"a b c d e"}) == doctest::Approx(100));
  // Sums over sentences, not a mean of scores: a short sentence has no 4-grams, and does no harm.
  CHECK(corpus_bleu({"a b c d", "e f"}, {"a b c d", "e f"}) == doctest::Approx(100));
  // The case counts.
  CHECK(counts_of("A b", "a b").matches == Four{1, 0, 0, 0});
  CHECK(corpus_bleu({}, {}) == 0);
  CHECK(corpus_bleu({""}, {"a b"}) == 0);
}

TEST_CASE("bleu: published values of sacrebleu") {
  // Its test suite (test/test_bleu.py): statistics of a sentence, scores of statistics.
  const BleuCounts counts = counts_of("am I am a character sequence", "I am a symbol string sequence a a");
  CHECK(counts.matches == Four{4, 2, 1, 0});
  CHECK(counts.totals == Four{6, 5, 4, 3});
  CHECK(counts.score() == 0);
  CHECK(corpus_bleu({"this is a test"}, {"this is a test"}) == doctest::Approx(100));
  const BleuCounts scoring{{9, 7, 5, 3}, {10, 8, 6, 4}, 11, 11};
  CHECK(std::abs(scoring.score() - 83.75922397) < 1e-8);
  CHECK(BleuCounts{{0, 0, 0, 0}, {4, 4, 2, 1}, 0, 1}.score() == 0);
  CHECK(BleuCounts{{6, 5, 4, 0}, {6, 5, 4, 3}, 6, 6}.score() == 0);
  // The example of its wrapper in Hugging Face's `evaluate`.
  const BleuCounts example{{6, 4, 2, 1}, {10, 8, 6, 4}, 10, 7};
  CHECK(std::abs(example.score() - 39.76353643835252) < 1e-10);
}

TEST_CASE("bleu: tokens and running scores of a corpus, by an implementation of its own") {
  std::istringstream lines(read_file(std::string(TANDEM_GOLDEN_DIR) + "/bleu.tsv"));
  BleuCounts counts;
  int n = 0;
  for (std::string line; std::getline(lines, line); ++n) {
    std::istringstream fields(line);
    std::string hypothesis, reference, hypothesis_tokens, reference_tokens, score;
    for (std::string* field : {&hypothesis, &reference, &hypothesis_tokens, &reference_tokens, &score})
      std::getline(fields, *field, '\t');
    INFO(line);
    CHECK(joined(hypothesis) == hypothesis_tokens);
    CHECK(joined(reference) == reference_tokens);
    counts.add(hypothesis, reference);
    CHECK(std::abs(counts.score() - std::stod(score)) < 1e-10);
  }
  CHECK(n == 60);
}

TEST_CASE("bleu: unequal numbers are refused") {
  try {
    corpus_bleu({"a"}, {});
    FAIL("nothing thrown");
  } catch (const Error& error) {
    CHECK(std::string(error.what()) == "bleu: each hypothesis needs one reference: 1 hypotheses, 0 references");
  }
}

TEST_CASE("entities are read back once each, however many there are") {
  CHECK(joined("&amp;lt; &quot;a&quot; x&lt;y") == "< \" a \" x < y");
  std::string many;
  for (int i = 0; i < 200000; ++i) many += "&quot;";
  CHECK(tokenize_13a(many).size() == 200000);
}
