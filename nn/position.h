// Positions that are added to embeddings [B, T, width]: sines (Vaswani et al. 2017, section 3.5) and learned ones.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <tandem/nn/module.h>

namespace tandem::nn {

struct PositionOptions {
  std::int64_t width = 0;
  std::int64_t positions = 512;  ///< the longest sentence
};

/// x + p, with p [positions, width] of the subclass.
class Position : public Module {
 public:
  using Options = PositionOptions;
  using Module::operator();
  /// x [B, n, width] stands at positions first, first + 1 ... Throws Error when that is more than there are, and when x
  /// and a learned p differ in dtype (sines are converted to x's).
  Tensor operator()(const Tensor& x, std::int64_t first);
  std::string describe() const override;
  const Options& options() const { return options_; }

 protected:
  Position(const char* name, const Options& options);
  Tensor forward(const Tensor& x) override { return add_positions(x, 0); }
  Tensor table_;             // of sines: f64, so that a model in f64 has them in full
  bool is_learned_ = false;  // then the table is not converted, which would cut its gradient

 private:
  Tensor add_positions(const Tensor& x, std::int64_t first) const;

  const char* kind_;
  Options options_;
};

/// p[t, 2i] = sin(t / 10000^(2i / width)), p[t, 2i + 1] the cosine. Nothing to train or to save.
class SinusoidalPosition : public Position {
 public:
  /// Throws Error when width or positions is below 1.
  explicit SinusoidalPosition(const Options& options);
  std::shared_ptr<Module> fresh() const override { return std::make_shared<SinusoidalPosition>(options()); }
};

/// p = weight, trained; from N(0, 0.02^2).
class LearnedPosition : public Position {
 public:
  /// Throws Error when width or positions is below 1.
  explicit LearnedPosition(const Options& options);
  std::shared_ptr<Module> fresh() const override { return std::make_shared<LearnedPosition>(options()); }
  Tensor weight;  ///< [positions, width]
};

}  // namespace tandem::nn
