// Leaves that see whole tensors (muon, shampoo, soap, adafactor, sm3): first steps by hand on 2 x 2, what rotations and
// strides do, what they refuse and keep.
#include <cmath>

#include "support.h"

using namespace support;

namespace {

constexpr const char* kMatrixLeaves[] = {"muon(lr=0.02)", "shampoo(lr=0.1, every=2)", "soap(lr=0.1, every=2)",
                                         "adafactor(lr=0.1)", "sm3(lr=0.1)"};

/// A weight in f64 after each of these gradients of its shape, from zero.
std::vector<std::vector<double>> path(const Rule& rule, const Shape& shape, const std::vector<Array>& gradients,
                                      double start = 0) {
  Tensor w(Array::full(shape, start, DType::f64), true);
  Optimizer optimizer({{"w", w}}, rule);
  std::vector<std::vector<double>> weights;
  for (const Array& g : gradients) {
    optimizer.zero_grad();
    w.accumulate_grad(g);
    optimizer.step();
    weights.push_back(w.value().to_vector<double>());
  }
  return weights;
}

Array two_by_two(double a, double b, double c, double d) { return Array::from({a, b, c, d}, {2, 2}, DType::f64); }

void near(const std::vector<double>& x, const std::vector<double>& y, double tolerance = 1e-13) {
  REQUIRE(x.size() == y.size());
  for (std::size_t i = 0; i < x.size(); ++i) CHECK(std::abs(x[i] - y[i]) <= tolerance * std::max(1.0, std::abs(y[i])));
}

/// (cos, -sin; sin, cos) diag(x, y) (cos, sin; -sin, cos), with cos 0.6.
Array rotated(double x, double y) {
  return two_by_two(0.36 * x + 0.64 * y, 0.48 * (x - y), 0.48 * (x - y), 0.64 * x + 0.36 * y);
}

double newton_schulz(double s, int steps) {
  for (int i = 0; i < steps; ++i) s = 3.4445 * s - 4.775 * std::pow(s, 3) + 2.0315 * std::pow(s, 5);
  return s;
}

}  // namespace

TEST_CASE("muon by hand: singular values go through the quintic, singular vectors stay") {
  const auto after = [](double size, int steps) { return -newton_schulz(size / (5 + 1e-7), steps); };
  const MuonOptions plain{.lr = 1, .momentum = 0, .nesterov = false, .steps = 1};
  near(path(muon(plain), {2, 2}, {two_by_two(3, 0, 0, 4)})[0], {after(3, 1), 0, 0, after(4, 1)});
  const std::vector<double> turned = rotated(after(3, 5), after(4, 5)).to_vector<double>();
  MuonOptions five = plain;
  five.steps = 5;
  near(path(muon(five), {2, 2}, {rotated(3, 4)})[0], turned, 1e-12);
  // Nesterov: g + momentum (momentum m + g), along g in the first step: its norm goes away, but for 1e-7.
  const double size = 1.5 * 5;
  near(path(muon({.lr = 1, .momentum = 0.5, .steps = 1}), {2, 2}, {two_by_two(3, 0, 0, 4)})[0],
       {-newton_schulz(4.5 / (size + 1e-7), 1), 0, 0, -newton_schulz(6 / (size + 1e-7), 1)});
  // m = g1 / 2 + g2 = (1.5 + 1.5, 2 + 2): the same direction twice.
  near(path(muon({.lr = 1, .momentum = 0.5, .nesterov = false, .steps = 1}), {2, 2},
            {two_by_two(3, 0, 0, 4), two_by_two(1.5, 0, 0, 2)})[1],
       {2 * after(3, 1), 0, 0, 2 * after(4, 1)}, 1e-7);
  // Weight decay, and the scales: sqrt(rows / columns) of a tall matrix, 0.2 sqrt(4) of either.
  MuonOptions decayed = plain;
  decayed.weight_decay = 0.25;
  near(path(muon(decayed), {2, 2}, {two_by_two(3, 0, 0, 4)}, 8)[0], {6 + after(3, 1), 6, 6, 6 + after(4, 1)});
  const Array tall = Array::from({1, 1, 1, 1}, {4, 1}, DType::f64), wide = tall.reshape({1, 4});
  const double one = newton_schulz(2 / (2 + 1e-7), 1) / 2;
  near(path(muon(plain), {4, 1}, {tall})[0], {-2 * one, -2 * one, -2 * one, -2 * one});
  near(path(muon(plain), {1, 4}, {wide})[0], {-one, -one, -one, -one});
  MuonOptions matched = plain;
  matched.match_adamw = true;
  near(path(muon(matched), {4, 1}, {tall})[0], {-0.4 * one, -0.4 * one, -0.4 * one, -0.4 * one});
}

TEST_CASE("shampoo by hand: both sides of a matrix, the one of a vector") {
  const ShampooOptions options{.lr = 1, .eps = 9};
  // L = R = 16 + 9 in each direction: 4 / 25^(1/4)^2.
  near(path(shampoo(options), {2, 2}, {two_by_two(4, 0, 0, -4)})[0], {-0.8, 0, 0, 0.8});
  near(path(shampoo(options), {2, 2}, {rotated(4, 0)})[0], rotated(-0.8, 0).to_vector<double>());
  near(path(shampoo(options), {2, 2}, {rotated(4, -4), rotated(4, 0)})[1],
       rotated(-0.8 - 4 / std::sqrt(41.0), 0.8).to_vector<double>());
  near(path(shampoo({.lr = 1, .momentum = 0.5, .eps = 9, .every = 2}), {2, 2},
            {two_by_two(4, 0, 0, -4), two_by_two(4, 0, 0, -4)})[1],
       {-0.8 - 1.2, 0, 0, 0.8 + 1.2});  // the roots of step 1 in step 2
  // One side left out: 4 / 25^(1/4). Neither: the gradient.
  ShampooOptions one_side = options;
  one_side.max_dim = 1;
  near(path(shampoo(one_side), {1, 2}, {Array::from({4, 0}, {1, 2}, DType::f64)})[0], {-4 / std::sqrt(5.0), 0});
  near(path(shampoo(one_side), {2, 2}, {two_by_two(4, 1, 0, -4)})[0], {-4, -1, 0, 4});
  near(path(shampoo({.lr = 1, .eps = 11}), {2}, {Array::from({3, 4}, {2}, DType::f64)})[0], {-0.5, -4.0 / 6});
  near(path(shampoo({.lr = 1, .eps = 11}), {}, {Array::full({}, 5, DType::f64)})[0], {-5.0 / 6});
  near(path(shampoo({.lr = 1, .eps = 9, .weight_decay = 2}), {}, {Array::full({}, 2, DType::f64)}, 1)[0], {1 - 0.8});
  near(path(shampoo({.lr = 0.5, .eps = 9, .weight_decay = 1, .decoupled = true}), {}, {Array::full({}, 4, DType::f64)},
            1)[0],
       {0.5 - 0.4});
}

TEST_CASE("soap by hand: the first step makes the bases, then Adam in them") {
  const SoapOptions options{.lr = 1, .beta1 = 0.5, .beta2 = 0.5, .eps = 0, .every = 1, .weight_decay = 0};
  const auto two = path(soap(options), {2, 2}, {rotated(2, 3), rotated(4, -6)});
  near(two[0], {0, 0, 0, 0});
  // In the basis the gradient is diagonal: m^ = g, v^ = g^2. Off the diagonal it is rounding, which eps keeps small.
  SoapOptions kept = options;
  kept.eps = 1e-4;
  near(path(soap(kept), {2, 2}, {rotated(2, 3), rotated(4, -6)})[1],
       rotated(-4 / (4 + 1e-4), 6 / (6 + 1e-4)).to_vector<double>(), 1e-10);
  // A vector is Adam from its second step on.
  const Array g = Array::from({2, -8}, {2}, DType::f64), h = Array::from({4, 4}, {2}, DType::f64);
  const auto vector = path(soap(options), {2}, {h, g, h});
  const auto of_adam = path(adam({.lr = 1, .beta1 = 0.5, .beta2 = 0.5, .eps = 0}), {2}, {g, h});
  near(vector[1], of_adam[0]);
  near(vector[2], of_adam[1]);
  SoapOptions decayed = options;
  decayed.weight_decay = 0.25;
  near(path(soap(decayed), {2}, {h, h}, 8)[1], {5, 5});
}

TEST_CASE("adafactor by hand, against Adam's numbers for a matrix of rank one") {
  // g^2 of rank one is its own factorization: u = sign(g), rms(u) = 1, a = eps2 min(lr, 1 / sqrt(t)).
  const Array g = two_by_two(1, -2, 2, 4);
  const AdafactorOptions options{.lr = 0.5, .eps2 = 0.25, .threshold = 1};
  near(path(adafactor(options), {2, 2}, {g})[0], {-0.125, 0.125, -0.125, -0.125});
  // From weights of 8: a = 8 lr. The threshold at 2 leaves u as it is, too.
  near(path(adafactor(options), {2, 2}, {g}, 8)[0], {4, 12, 4, 4});
  // In step 4 lr of 1 is 1 / sqrt(4); a vector has v alone, by c = t^-1 the mean of all g^2.
  const Array x = Array::from({3, 4}, {2}, DType::f64), y = Array::from({0, 0}, {2}, DType::f64);
  const auto vector = path(adafactor({.lr = 1, .beta2_decay = -1, .eps2 = 1, .threshold = 9}), {2}, {x, y, y, x});
  near(vector[0], {-1, -1});
  near(vector[1], {-1, -1});
  near(vector[3], {-1 - 0.5 * std::sqrt(2.0), -1 - 0.5 * std::sqrt(2.0)});
  near(path(adafactor({.lr = 1, .beta2_decay = -1, .eps2 = 1, .threshold = 1}), {2}, {x, y, y, x})[3],
       {-1.5, -1.5});  // rms(u) = sqrt(2) is clipped to 1
  near(path(adafactor({.lr = 0.5, .weight_decay = 1}), {2}, {y}, 8)[0], {4, 4});
}

TEST_CASE("sm3 by hand: min over the slices, max into them") {
  const Sm3Options options{.lr = 1, .momentum = 0};
  const auto two = path(sm3(options), {2, 2}, {two_by_two(1, 2, 3, -4), two_by_two(1, 2, 3, 4)});
  near(two[0], {-1, -1, -1, 1});
  // mu0 = (4, 16), mu1 = (9, 16): v = 4 + 1, 4 + 4, 9 + 9, 16 + 16.
  near(two[1], {-1 - 1 / std::sqrt(5.0), -1 - 2 / std::sqrt(8.0), -1 - 3 / std::sqrt(18.0), 1 - 4 / std::sqrt(32.0)});
  // A vector: Adagrad. Gradients of zero move nothing.
  const Array g = Array::from({3, 0}, {2}, DType::f64), h = Array::from({4, 0}, {2}, DType::f64);
  near(path(sm3(options), {2}, {g, h})[1], {-1 - 0.8, 0});
  near(path(sm3({.lr = 1, .momentum = 0.5}), {2}, {g, h})[1], {-0.5 - 0.25 - 0.4, 0});
  // One number a slice of each dim: of 2 x 3 x 4 nine.
  Tensor w = parameter({2, 3, 4}, 1);
  Optimizer optimizer({{"w", w}}, sm3());
  const NamedArrays tree = optimizer.state_tree();
  CHECK(entry(tree, "groups/0/mu0/w").shape() == Shape{2});
  CHECK(entry(tree, "groups/0/mu1/w").shape() == Shape{3});
  CHECK(entry(tree, "groups/0/mu2/w").shape() == Shape{4});
}

TEST_CASE("strides do not matter: a kernel in channels-last order goes the same way") {
  for (const char* text : kMatrixLeaves) {
    Tensor rows = parameter({4, 3, 3, 2}, 5, DType::f64);
    Array last = Array::empty({4, 3, 3, 2}, DType::f64, Layout::channels_last);
    last.copy_from(rows.value());
    Tensor channels(last, true);
    Optimizer one({{"w", rows}}, parse_rule(text)), other({{"w", channels}}, parse_rule(text));
    for (int t = 0; t < 5; ++t) {
      const Array g = gradient(rows, 3, t, 0);
      one.zero_grad();
      other.zero_grad();
      rows.accumulate_grad(g);
      channels.accumulate_grad(g);
      one.step();
      other.step();
    }
    CHECK_MESSAGE(identical(rows.value().contiguous(), channels.value().contiguous()), text);
    const NamedArrays a = one.state_tree(), b = other.state_tree();
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(identical(a[i].array.contiguous(), b[i].array.contiguous()));
  }
}

TEST_CASE("gradients that a level outside changes are what the formula sees") {
  const Array g = two_by_two(30, 0, 0, 40);
  near(path(parse_rule("clip_norm(shampoo(lr=1, eps=9, max_dim=1), max=5)"), {2, 2}, {g})[0], {-3, 0, 0, -4}, 1e-6);
  near(path(parse_rule("clip_value(sm3(lr=1, momentum=0.5), max=1)"), {2, 2}, {g})[0], {-0.5, 0, 0, -0.5});
}

TEST_CASE("a reset begins anew, arrays included") {
  for (const char* text : kMatrixLeaves) {
    const std::string reset = "lookahead(" + std::string(text) + ", k=2, alpha=1, state=reset)";
    Tensor a = parameter({6, 5}, 1), b = parameter({6, 5}, 2);
    Optimizer resetting({{"w", a}}, parse_rule(reset));
    for (int t = 0; t < 4; ++t) {
      resetting.zero_grad();
      a.accumulate_grad(gradient(a, 1, t, 0));
      if (t == 2) b.mutable_value().copy_from(a.value());
      resetting.step();
    }
    Optimizer fresh({{"w", b}}, parse_rule(text));
    for (int t = 2; t < 4; ++t) {
      fresh.zero_grad();
      b.accumulate_grad(gradient(b, 1, t, 0));
      fresh.step();
    }
    CHECK_MESSAGE(identical(a.value(), b.value()), text);
  }
}

TEST_CASE("interpolate mixes the momentum of muon") {
  Tensor w(Array::zeros({1, 2}, DType::f64), true);
  Optimizer optimizer({{"w", w}},
                      parse_rule("lookahead(muon(lr=0.1, momentum=0.5), k=2, alpha=0.25, state=interpolate)"));
  for (int t = 0; t < 2; ++t) {
    optimizer.zero_grad();
    w.accumulate_grad(Array::from({4, 8}, {1, 2}, DType::f64));
    optimizer.step();
  }
  // 1.5 g now, 0 at the last sync.
  const NamedArrays tree = optimizer.state_tree();
  CHECK(entry(tree, "groups/0/inner/momentum_buffer/w").to_vector<double>() == std::vector<double>{1.5, 3});
}

TEST_CASE("muon is for matrices, and says which rule is for the rest") {
  const auto bind = [](const char* text) {
    NamedTensors parameters = model(1);
    const Optimizer optimizer(parameters, parse_rule(text));
  };
  CHECK(message([&] { bind("lookahead(muon(lr=0.02), k=5, alpha=0.5)"); }) ==
        "muon: \"conv.bias\" is no matrix: [4]; use groups(matrices: muon(...); *: adamw(...))");
  CHECK(parse_rule("lookahead(muon(lr=0.02), k=5, alpha=0.5)").node().clone()->least_rank() == 2);
  CHECK(parse_rule("lookahead(soap(lr=0.02), k=5, alpha=0.5)").node().clone()->least_rank() == 0);

  // In groups, saved in mid-cycle and resumed bit for bit.
  const Rule rule = parse_rule(
      "groups(matrices: lookahead(muon(lr=0.02), k=3, alpha=0.5); *: lookahead(adamw(lr=0.01), k=2, alpha=0.5))");
  NamedTensors whole = model(3), resumed = model(8);
  Optimizer once(whole, rule), again(resumed, rule);
  train(once, whole, 0, 4);
  again.load_state_tree(cloned(once.state_tree()));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    resumed[i].tensor.mutable_value().copy_from(whole[i].tensor.value());
  }
  train(once, whole, 4, 9);
  train(again, resumed, 4, 9);
  CHECK(same(whole, resumed));
}

TEST_CASE("state of whole tensors has its own shapes, and roles") {
  NamedTensors parameters = model(1);
  Optimizer optimizer(parameters, parse_rule("soap(lr=0.01, max_dim=128)"));
  const NamedArrays tree = optimizer.state_tree();
  CHECK(entry(tree, "groups/0/left/conv.weight").shape() == Shape{4, 4});
  CHECK(entry(tree, "groups/0/right_basis/conv.weight").shape() == Shape{27, 27});
  CHECK(entry(tree, "groups/0/exp_avg/conv.weight").shape() == Shape{4, 3, 3, 3});
  for (const NamedArray& e : tree) {
    CHECK(e.name.find("left/linear") == std::string::npos);  // 130 is above max_dim
    CHECK(e.name.find("left/conv.bias") == std::string::npos);
  }
  NamedTensors others = model(1);
  Optimizer of_adafactor(others, adafactor());
  const NamedArrays factors = of_adafactor.state_tree();
  CHECK(entry(factors, "groups/0/row_var/linear.weight").shape() == Shape{130});
  CHECK(entry(factors, "groups/0/col_var/linear.weight").shape() == Shape{257});
  CHECK(entry(factors, "groups/0/variance/linear.bias").shape() == Shape{130});
}

TEST_CASE("options of whole-tensor rules outside their ranges are refused") {
  CHECK(message([] { muon({.steps = 0}); }) == "muon: steps is 0, must be at least 1");
  CHECK(message([] { muon({.momentum = 1}); }) == "muon: momentum is 1, must be in [0, 1)");
  CHECK(message([] { shampoo({.eps = 0}); }) == "shampoo: eps is 0, must be above 0");
  CHECK(message([] { shampoo({.max_dim = 0}); }) == "shampoo: max_dim is 0, must be at least 1");
  CHECK(message([] { soap({.every = 0}); }) == "soap: every is 0, must be at least 1");
  CHECK(message([] { adafactor({.beta2_decay = 1}); }) == "adafactor: beta2_decay is 1, must be at most 0");
  CHECK(message([] { adafactor({.threshold = 0.5}); }) == "adafactor: threshold is 0.5, must be at least 1");
}
