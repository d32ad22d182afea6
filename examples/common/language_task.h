// LanguageModeling: the Task of a recurrent language model on a text: parallel streams, truncated back-propagation
// through time with the state carried from batch to batch, perplexity.
// Not here: the model (nn/models/lstm_lm.h), batches (data/language_batches.h), sampling (language_sample.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <tandem/data/language_batches.h>
#include <tandem/data/text_corpus.h>
#include <tandem/nn/models/lstm_lm.h>

#include "task.h"

namespace tandem::examples {

struct LanguageTaskOptions {
  std::string model;        ///< one of nn::lstm_language_model_names()
  std::int64_t batch = 20;  ///< streams
  std::int64_t bptt = 35;   ///< tokens that gradients go back
};

/// Loss: cross-entropy in nats per token, the mean over a batch. The state is carried to the next batch without its
/// history and starts from zeros with an epoch; it is part of checkpoints. Batches are the same in every epoch and for
/// every seed. An example is a token.
///
/// Metrics: test_loss (nats per token) and perplexity = e^test_loss, of the validation part where there is one, else of
/// the test part; test_perplexity, of the test part, only at the end of a run and only where there is a validation
/// part. Each is measured over 10 parallel streams, the state carried through; what does not fill them (up to 9 tokens)
/// is left out.
class LanguageModeling : public Task {
 public:
  /// A corpus without a training part is only to evaluate on. Throws UsageError for an unknown model, Error when the
  /// text is too short or has an id outside its vocabulary.
  LanguageModeling(TextCorpus corpus, const LanguageTaskOptions& options);

  std::string dataset() const override { return corpus_.name; }
  std::string model() const override { return options_.model; }
  std::string data_checksum() const override;
  std::string describe_data() const override;
  std::string main_metric() const override;
  std::shared_ptr<nn::Module> make_model(std::uint64_t seed) override;

  std::int64_t steps_per_epoch() const override { return training_ ? training_->batches() : 0; }
  void start_epoch(std::uint64_t seed, std::int64_t epoch, std::int64_t batch) override;
  bool next_batch() override;
  std::int64_t examples() const override { return batch_.targets.size(); }
  Tensor loss(nn::Module& model) override;
  NamedArrays carried() const override;
  void set_carried(const NamedArrays& arrays) override;
  void run_training_batches(nn::Module& model, std::uint64_t seed, std::int64_t count) override;

  Metrics evaluate(nn::Module& model) override;
  Metrics evaluate_at_end(nn::Module& model) override;
  Metadata model_metadata() const override;

 private:
  double mean_loss(nn::Module& model, const Array& ids) const;

  TextCorpus corpus_;
  LanguageTaskOptions options_;
  std::optional<LanguageBatches> training_;  // of the training part, where there is one
  LanguageBatch batch_;
  nn::LanguageModelState before_, after_;  // before and after the batch; equal batches give equal losses again
};

/// The vocabulary that a model file holds. Throws Error naming the file when it has none, or one of another size than
/// the model's embedding: that of another checkpoint.
Vocabulary saved_vocabulary(const Safetensors& content, const std::string& path);

}  // namespace tandem::examples
