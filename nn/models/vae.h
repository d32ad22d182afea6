// ConvVae: a convolutional variational autoencoder (Kingma & Welling 2014, "Auto-encoding variational Bayes").
//   encode          x -> mean and log variance of q(z|x), a normal distribution with independent numbers
//   reparameterize  z = mean + e^(log_variance / 2) noise in training, the mean in evaluation
//   decode          z -> the mean of p(x|z) = N(decode(z), deviation^2), pixel by pixel, in [0, 1]
// What training makes larger is the evidence lower bound, in nats per image:
//   ELBO = E_q log p(x|z) - KL(q(z|x) || N(0, 1))
// p(x|z) is a density of pixels in [0, 1], so the ELBO may be positive, and -ELBO negative.
// Read next: autoencoder.h, reparameterize.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <tandem/nn/linear.h>
#include <tandem/nn/reparameterize.h>
#include <tandem/nn/sequential.h>
#include <tandem/nn/sub.h>

namespace tandem::nn {

struct VaeOptions {
  std::int64_t channels = 3;                         ///< of the images
  std::int64_t size = 32;                            ///< height and width of the images
  std::int64_t latent = 128;                         ///< numbers in z
  std::vector<std::int64_t> widths = {32, 64, 128};  ///< channels at 1/2, 1/4, 1/8 ... of the size
  /// Of the likelihood, the same for every pixel and fixed, so that the bounds of two runs can be compared. 0.1 is what
  /// the reconstructions of such a model leave (mean squared error about 0.01): much smaller values weaken the KL term.
  double deviation = 0.1;
};

/// Every option by its name, for files and command lines (nn/model_options.h): option("channels", o.channels) and so
/// on.
template <class Option>
void visit_options(VaeOptions& o, Option&& option) {
  option("channels", o.channels);
  option("size", o.size);
  option("latent", o.latent);
  option("widths", o.widths);
  option("deviation", o.deviation);
}

/// x [N, channels, size, size] in [0, 1]; z [N, latent].
class ConvVae : public Module {
 public:
  /// The two numbers of each normal distribution, [N, latent] each.
  struct Posterior {
    Tensor mean, log_variance;
  };

  /// The bound and its parts: scalars, means over the batch, in nats per image.
  struct Bound {
    Tensor loss;            ///< -ELBO = reconstruction + kl: what an optimizer makes smaller
    Tensor reconstruction;  ///< -log p(x|z) = |x - decode(z)|^2 / (2 deviation^2) + D log(deviation sqrt(2 pi))
    Tensor kl;              ///< KL(q(z|x) || N(0, 1)) >= 0
    Tensor y;               ///< decode(z), as x
  };

  /// Throws Error when a size is below 1, `size` is no multiple of 2^widths.size(), or deviation is not positive.
  explicit ConvVae(const VaeOptions& options = {});

  Posterior encode(const Tensor& x);
  /// [N, latent] each -> z [N, latent].
  Tensor reparameterize(const Tensor& mean, const Tensor& log_variance);
  /// z [N, latent] -> [N, channels, size, size] in [0, 1]. Samples: decode of N(0, 1).
  Tensor decode(const Tensor& z);

  /// -ELBO with one sample of z an image, from reparameterize(): for training. In evaluation behaviour z is the mean,
  /// and the value no bound: give a generator there.
  Bound bound(const Tensor& x);
  /// The same with noise from `generator`: the estimate for validation, repeatable by its seed.
  Bound bound(const Tensor& x, Generator& generator);

  std::string describe() const override;
  const VaeOptions& options() const { return options_; }

 protected:
  /// decode of the mean of q(z|x): the reconstruction.
  Tensor forward(const Tensor& x) override;

 private:
  Bound bound_of(const Tensor& x, const Posterior& q, const Tensor& z);

  VaeOptions options_;
  Sub<Sequential> encoder_{this, "encoder"};
  Sub<Linear> mean_, log_variance_;
  Sub<Reparameterize> sample_{this, "sample"};
  Sub<Linear> expand_;
  Sub<Sequential> decoder_{this, "decoder"};
};

}  // namespace tandem::nn
