// Translation: the Task of a Transformer on parallel text: subwords of both languages together, label smoothing,
// batches of similar length. The loss is per target token.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <tandem/data/byte_pairs.h>
#include <tandem/data/parallel_text.h>
#include <tandem/data/sentence_batches.h>
#include <tandem/nn/models/transformer.h>

#include "task.h"

namespace tandem::examples {

struct TranslationOptions {
  std::string dataset = {}, model = "transformer-small";  ///< names, as of the command line
  std::string from = {}, to = {};                         ///< the languages
  std::int64_t batch = 256;                               ///< pairs of a batch at most
  std::int64_t tokens = 1536;                             ///< of a batch at most; see SentenceBatchOptions
  double dropout = 0.3, label_smoothing = 0.1;
  std::int64_t merges = 6000;           ///< of byte pairs, learned from the training text
  std::int64_t beams = 4;               ///< of the test
  bool is_test = false;                 ///< only evaluate(), which measures the test set, by beam search
  std::optional<BytePairs> codes = {};  ///< of a saved model; default: learned
};

class Translation : public Task {
 public:
  /// With is_test the test set alone is looked at: there are no training batches. Throws Error naming file and line for
  /// a sentence longer than the model's positions, UsageError for options out of range or a sentence longer than a
  /// batch.
  Translation(TranslationSets sets, const TranslationOptions& options);

  std::string dataset() const override { return options_.dataset; }
  std::string model() const override { return options_.model; }
  std::string data_checksum() const override;
  std::string describe_data() const override;
  std::string main_metric() const override { return "bleu"; }
  Metadata model_metadata() const override;
  /// byte_pairs.txt.
  void save_files(const std::filesystem::path& folder) const override;

  std::shared_ptr<nn::Module> make_model(std::uint64_t seed) override;

  std::int64_t steps_per_epoch() const override { return training_ ? training_->batches() : 0; }
  void start_epoch(std::uint64_t seed, std::int64_t epoch, std::int64_t batch) override;
  bool next_batch() override;
  /// Target tokens: what the loss is the mean over.
  std::int64_t examples() const override { return batch_.tokens; }
  Tensor loss(nn::Module& model) override;
  void run_training_batches(nn::Module& model, std::uint64_t seed, std::int64_t count) override;

  /// test_loss and perplexity: cross-entropy without smoothing, in nats per target token with its end; bleu: of greedy
  /// translations of the validation set, or with is_test of those by beam search of the test set.
  Metrics evaluate(nn::Module& model) override;

 private:
  SentencePairs encode(const ParallelText& text) const;
  /// Throws UsageError for a training pair that --tokens is too small for.
  void check_budget() const;
  SentenceBatchOptions batch_options(std::uint64_t seed) const;

  TranslationSets sets_;
  TranslationOptions options_;
  BytePairs codes_;
  nn::TransformerOptions architecture_;
  SentencePairs pairs_;  // of training
  std::optional<SentenceBatches> training_, testing_;
  SentenceBatch batch_;
};

}  // namespace tandem::examples
