// Counting what a classifier gets right: hand values, ties, NaN, and what is refused.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include <tandem/nn/accuracy.h>
#include <tandem/nn/confusion_matrix.h>
#include <tandem/nn/dropout.h>
#include <tandem/nn/sequential.h>

#include "nn/error_text.h"

using namespace tandem;

namespace {

Array labels_of(const std::vector<std::int64_t>& labels) {
  return Array::from(labels, {static_cast<std::int64_t>(labels.size())});
}

struct Batch {
  Array images, labels;
};

}  // namespace

TEST_CASE("count_correct and top_k_correct: hand values") {
  const Tensor logits({1, 3, 2, /**/ 5, 4, 6, /**/ 0, 0, 0}, {3, 3});
  CHECK(nn::count_correct(logits, labels_of({1, 2, 0})) == 3);  // of equal values the first
  CHECK(nn::count_correct(logits, labels_of({1, 0, 1})) == 1);
  CHECK(nn::top_k_correct(logits, labels_of({2, 0, 1}), 2) == 3);
  CHECK(nn::top_k_correct(logits, labels_of({0, 1, 2}), 2) == 0);
  CHECK(nn::top_k_correct(logits, labels_of({0, 1, 2}), 3) == 3);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Tensor broken({nan, 1, /**/ 1, nan, /**/ 1, 2}, {3, 2});
  CHECK(nn::top_k_correct(broken, labels_of({1, 0, 1}), 2) == 1);
  CHECK(nn::count_correct(Tensor(Array::zeros({0, 3})), labels_of({})) == 0);
}

TEST_CASE("count_correct: what does not fit is refused") {
  const Tensor logits({1, 3, 2, 5, 4, 6}, {2, 3});
  CHECK(error_text([&] { nn::count_correct(logits, labels_of({1})); }) ==
        "accuracy: logits must be [N, C] and labels i64 [N]: logits [2, 3], labels i64 [1]");
  CHECK(error_text([&] {
          nn::count_correct(logits, labels_of({1, 3}));
        }) == "accuracy: a label names no class: label 3 of row 1, 3 classes");
  CHECK(error_text([&] { nn::top_k_correct(logits, labels_of({1, 2}), 4); }) == "accuracy: k is 4, must be in [1, 3]");
}

TEST_CASE("accuracy: all batches, weighted by their size, in evaluation behaviour, which is put back") {
  nn::Sequential model{nn::layer<nn::Dropout>({.p = 0.9})};
  const std::vector<Batch> batches{{Array::from({1, 0, 0, 1, 1, 0}, {3, 2}), labels_of({0, 1, 1})},
                                   {Array::from({0, 1}, {1, 2}), labels_of({1})}};
  CHECK(nn::accuracy(model, batches) == 0.75);
  CHECK(model.is_training());
  CHECK(model[0].is_training());
  CHECK(error_text([&] { nn::accuracy(model, std::vector<Batch>()); }) ==
        "accuracy: there is no example to measure on");
}

TEST_CASE("confusion matrix: hand values and its table") {
  nn::ConfusionMatrix matrix(3);
  CHECK(std::isnan(matrix.accuracy()));
  matrix.add(Tensor({1, 0, 0, /**/ 0, 1, 0, /**/ 1, 0, 0}, {3, 3}), labels_of({0, 1, 1}));
  matrix.add(Tensor({0, 2, 1}, {1, 3}), labels_of({1}));
  CHECK(matrix.count(1, 0) == 1);
  CHECK(matrix.count(1, 1) == 2);
  CHECK(matrix.total() == 4);
  CHECK(matrix.accuracy() == 0.75);
  CHECK(matrix.recall(1) == doctest::Approx(2.0 / 3));
  CHECK(matrix.precision(0) == 0.5);
  CHECK(std::isnan(matrix.recall(2)));
  CHECK(std::isnan(matrix.precision(2)));
  CHECK(matrix.to_string({"cat", "dog", "m\u00fcll"}) ==
        "true \\ chosen    cat    dog  m\u00fcll  recall\n"
        "          cat      1      0     0   1.000\n"
        "          dog      1      2     0   0.667\n"
        "         m\u00fcll      0      0     0       -\n"
        "    precision  0.500  1.000     -   0.750\n");
  CHECK(matrix.to_string().find("precision") != std::string::npos);
}

TEST_CASE("confusion matrix: what is refused, counting nothing") {
  nn::ConfusionMatrix matrix(2);
  CHECK(error_text([&] {
          matrix.add(Tensor({1, 0}, {1, 2}), labels_of({2}));
        }) == "ConfusionMatrix: a label names no class: label 2 of row 0, 2 classes");
  CHECK(error_text([&] {
          matrix.add(Tensor({1, 0, 0}, {1, 3}), labels_of({0}));
        }) == "ConfusionMatrix: logits must be [N, 2] and labels i64 [N]: logits [1, 3], labels i64 [1]");
  CHECK(matrix.total() == 0);
  CHECK_THROWS_AS(nn::ConfusionMatrix(0), Error);
  CHECK_THROWS_AS(matrix.to_string({"one"}), Error);
  CHECK_THROWS_AS(matrix.count(0, 2), Error);
}
