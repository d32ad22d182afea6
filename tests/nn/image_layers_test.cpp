// ConvTranspose2d, Upsample, GroupNorm, Reparameterize: hand values, descriptions, counts, refused options; noise by
// (seed, step, layer).
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include <tandem/autograd/ops.h>
#include <tandem/nn/conv_transpose2d.h>
#include <tandem/nn/gradcheck.h>
#include <tandem/nn/group_norm.h>
#include <tandem/nn/init.h>
#include <tandem/nn/reparameterize.h>
#include <tandem/nn/sequential.h>
#include <tandem/nn/summary.h>
#include <tandem/nn/upsample.h>

#include "nn/error_text.h"

using namespace tandem;
using nn::layer;

namespace {

using Values = std::vector<double>;

Values values(const Tensor& t) { return t.value().to_vector<double>(); }

}  // namespace

TEST_CASE("conv_transpose2d: hand values") {
  nn::ConvTranspose2d model({.in = 1, .out = 1, .kernel = 2, .stride = 2});
  model.load_state_dict({{"weight", Tensor({1, 10, 100, 1000}, {1, 1, 2, 2})}, {"bias", Tensor({0.5}, {1})}});
  CHECK(values(model(Tensor({1, 2}, {1, 1, 1, 2}))) == Values{1.5, 10.5, 2.5, 20.5, 100.5, 1000.5, 200.5, 2000.5});
}

TEST_CASE("conv_transpose2d: options reach the op, counts reach the summary") {
  const nn::ConvTranspose2d::Options options{.in = 4,
                                             .out = 6,
                                             .kernel = {3, 2},
                                             .stride = {2, 3},
                                             .padding = {1, 0},
                                             .output_padding = {1, 2},
                                             .dilation = {2, 1},
                                             .groups = 2,
                                             .bias = false};
  nn::ConvTranspose2d model(options);
  CHECK(model.weight.shape() == Shape{4, 3, 3, 2});
  CHECK_FALSE(model.bias.defined());
  CHECK(model.describe() ==
        "ConvTranspose2d(4 -> 6, kernel 3x2, stride 2x3, padding 1x0, output padding 1x2, dilation 2x1, groups 2, no "
        "bias)");
  const nn::Summary table = nn::summary(model, {2, 4, 5, 6});
  CHECK(table.rows[0].output == Shape{2, 6, 4 * 2 - 2 + 2 * 2 + 1 + 1, 5 * 3 + 1 + 2 + 1});
  CHECK(table.multiply_adds == 2 * 4 * 5 * 6 * 3 * 3 * 2);
  CHECK(table.parameters == 4 * 3 * 3 * 2);
  const double bound = 1 / std::sqrt(3.0 * 3 * 2);
  for (const double w : values(model.weight)) CHECK(std::abs(w) <= bound);
}

TEST_CASE("conv_transpose2d: output padding between stride and dilation, as PyTorch takes it") {
  const auto y = [](std::int64_t padding, std::int64_t more) {
    nn::ConvTranspose2d model({.in = 1,
                               .out = 1,
                               .kernel = {1, 2},
                               .padding = {0, padding},
                               .output_padding = {0, more},
                               .dilation = {1, 3}});
    model.load_state_dict({{"weight", Tensor({1, 10}, {1, 1, 1, 2})}, {"bias", Tensor({0.5}, {1})}});
    return values(model(Tensor({1, 2}, {1, 1, 1, 2})));
  };
  CHECK(y(0, 0) == Values{1.5, 2.5, 0.5, 10.5, 20.5});
  CHECK(y(0, 2) == Values{1.5, 2.5, 0.5, 10.5, 20.5, 0.5, 0.5});
  CHECK(y(1, 1) == Values{2.5, 0.5, 10.5, 20.5});
  CHECK(y(1, 2) == Values{2.5, 0.5, 10.5, 20.5, 0.5});
  nn::seed(2);
  nn::ConvTranspose2d model({.in = 2, .out = 3, .kernel = 3, .padding = 1, .output_padding = 1, .dilation = 2});
  Generator random(1);
  Array x = Array::empty({2, 2, 3, 4});
  random.fill_normal(x);
  CHECK(model(x).shape() == Shape{2, 3, 6, 7});  // H - 1 - 2 padding + dilation (kernel - 1) + output padding + 1
  CHECK(nn::gradcheck(model, x).passed());
}

TEST_CASE("conv_transpose2d: refused options and shapes") {
  const auto refused = [](const nn::ConvTranspose2d::Options& options) {
    return error_text([&] { nn::ConvTranspose2d{options}; });
  };
  CHECK(refused({.in = 0, .out = 2}) == "ConvTranspose2d: in and out must be at least 1: in 0, out 2");
  CHECK(refused({.in = 4, .out = 6, .groups = 4}) ==
        "ConvTranspose2d: groups must divide in and out: in 4, out 6, groups 4");
  CHECK(refused({.in = 4, .out = 6, .kernel = 0}) == "ConvTranspose2d: kernel must be at least 1: kernel 0x0");
  CHECK(refused({.in = 4, .out = 6, .padding = -1}) == "ConvTranspose2d: padding must be at least 0: padding -1x-1");
  CHECK(refused({.in = 4, .out = 6, .output_padding = 1}) ==
        "ConvTranspose2d: output_padding must be below the stride or the dilation: output_padding 1x1, stride 1x1, "
        "dilation 1x1");
  nn::ConvTranspose2d model({.in = 4, .out = 2});
  CHECK(error_text([&] {
          model(Array::zeros({1, 3, 2, 2}));
        }) ==
        "ConvTranspose2d(4 -> 2, kernel 3x3): conv_transpose2d: x has 3 channels, w expects 4: x [1, 3, 2, 2], w "
        "[4, 2, 3, 3]");
}

TEST_CASE("upsample: by a factor and to a size") {
  const Tensor x({0, 4}, {1, 1, 1, 2});
  CHECK(values(nn::Upsample({.scale = 2})(x)) == Values{0, 0, 4, 4, 0, 0, 4, 4});
  nn::Upsample to({.size = {1, 4}, .mode = Interpolation::bilinear});
  CHECK(values(to(x)) == Values{0, 1, 3, 4});
  CHECK(nn::Upsample({.scale = 2}).describe() == "Upsample(by 2, nearest)");
  CHECK(nn::Upsample({.scale = {1.5, 2}}).describe() == "Upsample(by 1.5x2, nearest)");
  CHECK(to.describe() == "Upsample(to 1x4, bilinear)");
  CHECK(error_text([] { nn::Upsample({}); }) ==
        "Upsample: exactly one of scale and size must be given: scale 0x0, size 0x0");
  CHECK(error_text([] {
          nn::Upsample({.size = {2, -1}});
        }) == "Upsample: scale and size must be positive: scale 0x0, size 2x-1");
}

TEST_CASE("group_norm: normalises, then weight and bias; the same in evaluation") {
  nn::GroupNorm norm({.groups = 2, .channels = 4, .epsilon = 1e-12});
  const Tensor x({1, 3, 10, 30}, {1, 4, 1, 1});
  CHECK(values(norm(x))[0] == doctest::Approx(-1));
  CHECK(values(norm(x))[3] == doctest::Approx(1));
  norm.load_state_dict({{"weight", Tensor({2, 2, 2, 2}, {4})}, {"bias", Tensor({1, 1, 1, 1}, {4})}});
  const Tensor y = norm(x);
  CHECK(values(y)[1] == doctest::Approx(3));
  norm.evaluate();
  CHECK(identical(norm(x).value(), y.value()));
  CHECK(norm.buffers().empty());
  CHECK(norm.describe() == "GroupNorm(4 in 2 groups)");
  CHECK(error_text([] { nn::GroupNorm({.groups = 3, .channels = 4}); }) ==
        "GroupNorm: groups must divide channels: groups 3, channels 4");
  CHECK(error_text([] { nn::GroupNorm({.channels = 4, .epsilon = 0}); }) ==
        "GroupNorm: epsilon must be positive: 0 given");
}

TEST_CASE("reparameterize: noise of the asked mean and variance; evaluation gives the mean") {
  nn::seed(0);
  nn::Reparameterize sample;
  const Tensor mean(Array::full({20000}, 3), true), log_variance(Array::full({20000}, std::log(4.0)), true);
  const Tensor z = sample(mean, log_variance);
  CHECK(tandem::mean(z).item() == doctest::Approx(3).epsilon(0.02));
  CHECK(var(z).item() == doctest::Approx(4).epsilon(0.03));
  // dz/dmean = 1, dz/dlog_variance = (z - mean) / 2
  sum(z).backward();
  CHECK(identical(mean.grad(), Array::full({20000}, 1)));
  CHECK(log_variance.grad().at({7}) == doctest::Approx((z.value().at({7}) - 3) / 2).epsilon(1e-5));
  sample.evaluate();
  CHECK(identical(sample(mean, log_variance).value(), mean.value()));
}

TEST_CASE("reparameterize: one input holds the mean, then log_variance") {
  nn::seed(1);
  nn::Reparameterize a;
  nn::seed(1);
  nn::Reparameterize b;
  const Tensor x({1, 2, 0, 1, 3, 4, -1, 0}, {2, 4});
  CHECK(identical(a(x).value(), b(slice(x, 1, 0, 2), slice(x, 1, 2, 4)).value()));
  CHECK(error_text([&] {
          a(Array::zeros({2, 3}));
        }) == "Reparameterize: reparameterize: x must be [N, 2 L]: the mean, then log_variance: x [2, 3]");
  CHECK(error_text([&] {
          a(Array::zeros({2, 3}), Array::zeros({2, 2}));
        }) ==
        "Reparameterize: reparameterize: mean and log_variance must have the same shape: mean [2, 3], "
        "log_variance [2, 2]");
}

TEST_CASE("reparameterize: noise depends on seed, step and layer, and continues from the saved state") {
  const Tensor zero(Array::zeros({100}));
  const auto draws = [&](std::uint64_t seed) {
    nn::seed(seed);
    nn::Reparameterize a, b;
    return std::vector<Array>{a(zero, zero).value(), a(zero, zero).value(), b(zero, zero).value()};
  };
  const std::vector<Array> first = draws(5), again = draws(5), other = draws(6);
  for (std::size_t i = 0; i < first.size(); ++i) {
    CHECK(identical(first[i], again[i]));
    CHECK_FALSE(identical(first[i], other[i]));
  }
  CHECK_FALSE(identical(first[0], first[1]));
  CHECK_FALSE(identical(first[0], first[2]));

  nn::Reparameterize one, two;
  one(zero, zero);
  NamedTensors saved;
  for (const NamedTensor& t : one.random_state()) saved.push_back({t.name, t.tensor.value().clone()});
  REQUIRE(saved.size() == 1);
  CHECK(one.state_dict().empty());
  const Array next = one(zero, zero).value();
  two.load_random_state(saved);
  CHECK(identical(two(zero, zero).value(), next));
}
