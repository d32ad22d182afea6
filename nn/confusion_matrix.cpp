// See confusion_matrix.h.
#include <tandem/nn/confusion_matrix.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/autograd/record.h>
#include <tandem/core/error.h>
#include <tandem/core/utf8.h>

namespace tandem::nn {

namespace {

double ratio(std::int64_t part, std::int64_t whole) { return static_cast<double>(part) / static_cast<double>(whole); }

/// "0.917", or "-" where there is nothing to divide by.
std::string share_text(double share) { return std::isnan(share) ? "-" : fmt::format("{:.3f}", share); }

/// Columns that `text` takes: its characters.
std::size_t columns(const std::string& text) {
  std::size_t n = 0;
  for (std::size_t at = 0; at < text.size(); ++n) at += std::max<std::size_t>(utf8_length(text, at), 1);
  return n;
}

std::string padded(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, columns(text)), ' ') + text;
}

}  // namespace

ConfusionMatrix::ConfusionMatrix(std::int64_t classes) : classes_(classes) {
  constexpr std::int64_t kMost = 1 << 15;  // 8 GiB of counts
  if (classes < 1 || classes > kMost) {
    fail("ConfusionMatrix", fmt::format("there must be 1 to {} classes", kMost), fmt::format("{} given", classes));
  }
  counts_.resize(static_cast<std::size_t>(classes * classes));
}

void ConfusionMatrix::add(const Tensor& logits, const Array& labels) {
  if (logits.rank() != 2 || logits.shape(1) != classes_ || labels.dtype() != DType::i64 ||
      labels.shape() != Shape{logits.shape(0)}) {
    fail("ConfusionMatrix", fmt::format("logits must be [N, {}] and labels i64 [N]", classes_),
         fmt::format("logits {}, labels {} {}", tandem::to_string(logits.shape()), name(labels.dtype()),
                     tandem::to_string(labels.shape())));
  }
  const std::vector<std::int64_t> truth = labels.to_vector<std::int64_t>();
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (truth[i] < 0 || truth[i] >= classes_) {
      fail("ConfusionMatrix", "a label names no class",
           fmt::format("label {} of row {}, {} classes", truth[i], i, classes_));
    }
  }
  const NoGradGuard no_grad;
  const std::vector<std::int64_t> chosen = argmax(logits, 1).value().to_vector<std::int64_t>();
  for (std::size_t i = 0; i < truth.size(); ++i) ++counts_[static_cast<std::size_t>(truth[i] * classes_ + chosen[i])];
}

std::int64_t ConfusionMatrix::count(std::int64_t truth, std::int64_t chosen) const {
  if (truth < 0 || truth >= classes_ || chosen < 0 || chosen >= classes_) {
    fail("ConfusionMatrix", "there is no such class", fmt::format("{}, {} of {}", truth, chosen, classes_));
  }
  return counts_[static_cast<std::size_t>(truth * classes_ + chosen)];
}

std::int64_t ConfusionMatrix::total() const { return std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0}); }

double ConfusionMatrix::accuracy() const {
  std::int64_t correct = 0;
  for (std::int64_t c = 0; c < classes_; ++c) correct += count(c, c);
  return ratio(correct, total());
}

double ConfusionMatrix::recall(std::int64_t c) const {
  std::int64_t all = 0;
  for (std::int64_t chosen = 0; chosen < classes_; ++chosen) all += count(c, chosen);
  return ratio(count(c, c), all);
}

double ConfusionMatrix::precision(std::int64_t c) const {
  std::int64_t all = 0;
  for (std::int64_t truth = 0; truth < classes_; ++truth) all += count(truth, c);
  return ratio(count(c, c), all);
}

std::string ConfusionMatrix::to_string(const std::vector<std::string>& names) const {
  if (!names.empty() && static_cast<std::int64_t>(names.size()) != classes_) {
    fail("ConfusionMatrix", "a name a class is needed", fmt::format("{} names, {} classes", names.size(), classes_));
  }
  std::vector<std::vector<std::string>> rows(1, {"true \\ chosen"});
  const auto name_of = [&](std::int64_t c) {
    return names.empty() ? std::to_string(c) : names[static_cast<std::size_t>(c)];
  };
  for (std::int64_t c = 0; c < classes_; ++c) rows[0].push_back(name_of(c));
  rows[0].emplace_back("recall");
  for (std::int64_t truth = 0; truth < classes_; ++truth) {
    std::vector<std::string>& row = rows.emplace_back(1, name_of(truth));
    for (std::int64_t chosen = 0; chosen < classes_; ++chosen) row.push_back(std::to_string(count(truth, chosen)));
    row.push_back(share_text(recall(truth)));
  }
  rows.emplace_back(1, "precision");
  for (std::int64_t c = 0; c < classes_; ++c) rows.back().push_back(share_text(precision(c)));
  rows.back().push_back(share_text(accuracy()));

  std::vector<std::size_t> widths(rows[0].size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) text += (i == 0 ? "" : "  ") + padded(row[i], widths[i]);
    text += "\n";
  }
  return text;
}

}  // namespace tandem::nn
