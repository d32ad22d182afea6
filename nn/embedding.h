// Embedding: rows of a table by token ids. Sharing its table with an output layer: give both the same Tensor (see
// models/lstm_lm.cpp). Read next: autograd/sequence_ops.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <tandem/nn/module.h>

namespace tandem::nn {

/// y[..., :] = weight[ids[...], :]; ids i64 of any shape. The table starts from N(0, 1), as PyTorch's; the padding row
/// from 0, and gets no gradient.
///   nn::Embedding embedding({.tokens = 10000, .width = 650});
class Embedding : public Module {
 public:
  struct Options {
    std::int64_t tokens = 0, width = 0;
    std::int64_t padding = -1;  ///< the id of padding; -1: none
    /// Training: probability that all places of a token become 0, the others times 1 / (1 - p) (Gal & Ghahramani 2016:
    /// a row of the table is dropped for the whole batch).
    double dropout = 0;
  };

  /// Throws Error when tokens or width is below 1, padding is not an id, or dropout is outside [0, 1).
  explicit Embedding(const Options& options);

  std::string describe() const override;
  std::shared_ptr<Module> fresh() const override { return std::make_shared<Embedding>(options_); }
  const Options& options() const { return options_; }

  Tensor weight;  ///< [tokens, width]

 protected:
  Tensor forward(const Tensor& ids) override;

 private:
  Options options_;
  Tensor generator_;  // of the dropout: see random_step.h
};

}  // namespace tandem::nn
