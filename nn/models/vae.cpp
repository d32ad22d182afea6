// See vae.h.
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include <tandem/autograd/ops.h>
#include <tandem/nn/activations.h>
#include <tandem/nn/flatten.h>
#include <tandem/nn/models/image_halves.h>
#include <tandem/nn/models/vae.h>

namespace tandem::nn {

namespace {

const VaeOptions& checked(const VaeOptions& o) {
  bool positive = o.channels > 0 && o.size > 0 && o.latent > 0 && !o.widths.empty();
  for (const std::int64_t width : o.widths) positive = positive && width > 0;
  if (!positive) {
    fail("ConvVae", "channels, size, latent and widths must be at least 1",
         fmt::format("channels {}, size {}, latent {}, widths [{}]", o.channels, o.size, o.latent,
                     fmt::join(o.widths, ", ")));
  }
  if (o.size % (std::int64_t{1} << o.widths.size()) != 0) {
    fail("ConvVae", fmt::format("size must be a multiple of {}", std::int64_t{1} << o.widths.size()),
         fmt::format("size {}, {} widths", o.size, o.widths.size()));
  }
  if (!(o.deviation > 0)) fail("ConvVae", "deviation must be positive", fmt::format("{} given", o.deviation));
  return o;
}

/// Height and width of the last feature maps.
std::int64_t smallest(const VaeOptions& o) { return o.size >> o.widths.size(); }
std::int64_t features(const VaeOptions& o) { return o.widths.back() * smallest(o) * smallest(o); }

}  // namespace

ConvVae::ConvVae(const VaeOptions& options)
    : options_(checked(options)),
      mean_(this, "mean", {.in = features(options), .out = options.latent}),
      log_variance_(this, "log_variance", {.in = features(options), .out = options.latent}),
      expand_(this, "expand", {.in = options.latent, .out = features(options)}) {
  set_origin(origin_of("vae", options));
  add_halving(*encoder_, options.channels, options.widths);
  encoder_->add(layer<Flatten>());
  add_doubling(*decoder_, options.widths, options.channels);
  decoder_->add(layer<Sigmoid>());
  start_convolutions(*encoder_);
  start_convolutions(*decoder_);
}

ConvVae::Posterior ConvVae::encode(const Tensor& x) {
  if (x.rank() != 4 || x.shape(2) != options_.size || x.shape(3) != options_.size) {
    fail("encode", fmt::format("images must be {0}x{0}", options_.size), "x " + to_string(x.shape()));
  }
  const Tensor h = encoder_(centred(x));  // [N, features]
  return {mean_(h), log_variance_(h)};
}

Tensor ConvVae::reparameterize(const Tensor& mean, const Tensor& log_variance) { return sample_(mean, log_variance); }

Tensor ConvVae::decode(const Tensor& z) {
  const std::int64_t side = smallest(options_);
  return decoder_(reshape(expand_(z), {z.shape(0), options_.widths.back(), side, side}));
}

ConvVae::Bound ConvVae::bound(const Tensor& x) {
  const Posterior q = encode(x);
  return bound_of(x, q, reparameterize(q.mean, q.log_variance));
}

ConvVae::Bound ConvVae::bound(const Tensor& x, Generator& generator) {
  const Posterior q = encode(x);
  return bound_of(x, q, nn::reparameterize(q.mean, q.log_variance, generator));
}

ConvVae::Bound ConvVae::bound_of(const Tensor& x, const Posterior& q, const Tensor& z) {
  Bound result;
  result.y = decode(z);
  const double pixels = static_cast<double>(x.size() / x.shape(0)), s = options_.deviation;  // D of an image
  const double constant = pixels * std::log(s * std::sqrt(2 * std::numbers::pi));
  result.reconstruction = mse_loss(result.y, x) * (pixels / (2 * s * s)) + constant;
  result.kl = gaussian_kl(q.mean, q.log_variance);
  result.loss = result.reconstruction + result.kl;
  return result;
}

Tensor ConvVae::forward(const Tensor& x) { return decode(encode(x).mean); }

std::string ConvVae::describe() const {
  return fmt::format("ConvVae({0}x{0}, widths {1}, latent {2}, deviation {3})", options_.size,
                     fmt::join(options_.widths, "-"), options_.latent, options_.deviation);
}

}  // namespace tandem::nn
