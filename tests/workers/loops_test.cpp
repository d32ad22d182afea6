// Loops over workers against a plain simulation in one process: N optimizers of the inner rule, and the outer step by
// hand. Every rank simulates all workers, and compares itself with its own.
#include <workers/support.h>

#include <cmath>

#include <fmt/format.h>

using namespace tandem;
using support::message;
using support::workers;

namespace {

constexpr DType kType = DType::f64;

/// Worker r's gradients of step s.
void put_gradients(const NamedTensors& parameters, int r, std::int64_t s) {
  support::put_gradients(parameters, static_cast<std::uint64_t>(100 + r), s, 0.1);
}

/// What the outer step does with slow weights and the mean pseudo-gradient, number by number; `state` begins as zeros.
using Outer = std::function<void(double& slow, double gradient, double& state)>;

struct Simulation {
  Simulation(const Rule& inner, std::int64_t k, Outer outer) : k_(k), outer_(std::move(outer)) {
    for (int r = 0; r < workers()->size(); ++r) {
      models.push_back(support::model(3, kType));
      optimizers_.push_back(std::make_unique<Optimizer>(models.back(), inner));
    }
    for (const NamedTensor& p : models[0]) {
      slow.push_back(p.tensor.value().to_vector<double>());
      state_.emplace_back(slow.back().size());
    }
  }
  void step() {
    for (std::size_t r = 0; r < models.size(); ++r) {
      optimizers_[r]->zero_grad();
      put_gradients(models[r], static_cast<int>(r), step_);
      optimizers_[r]->step();
    }
    if (++step_ % k_ != 0) return;
    for (std::size_t p = 0; p < slow.size(); ++p) {
      std::vector<double> mean(slow[p].size());
      for (const NamedTensors& model : models) {
        const std::vector<double> fast = model[p].tensor.value().to_vector<double>();
        for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += fast[i];
      }
      for (std::size_t i = 0; i < mean.size(); ++i)
        outer_(slow[p][i], slow[p][i] - mean[i] / static_cast<double>(models.size()), state_[p][i]);
      for (const NamedTensors& model : models) {
        Tensor weight = model[p].tensor;
        weight.mutable_value().copy_from(Array::from(slow[p], weight.shape()));
      }
    }
  }

  std::vector<NamedTensors> models;
  std::vector<std::vector<double>> slow;

 private:
  std::vector<std::unique_ptr<Optimizer>> optimizers_;
  std::vector<std::vector<double>> state_;
  std::int64_t k_, step_ = 0;
  Outer outer_;
};

/// The largest difference of any weight after any of 13 steps.
double compare(const std::string& spec, const Rule& inner, std::int64_t k, const Outer& outer) {
  CAPTURE(spec);
  Simulation simulation(inner, k, outer);
  const NamedTensors model = support::model(3, kType);
  Optimizer optimizer(model, parse_rule(spec));
  optimizer.average_over(workers());
  CHECK_FALSE(optimizer.averages_gradients());
  double largest = 0;
  for (std::int64_t s = 0; s < 13; ++s) {
    simulation.step();
    optimizer.zero_grad();
    put_gradients(model, workers()->rank(), s);
    optimizer.step();
    const auto mine = static_cast<std::size_t>(workers()->rank());
    largest = std::max(largest, support::distance(model, simulation.models[mine]));
  }
  const auto slow = optimizer.evaluation_weights();
  for (std::size_t p = 0; p < model.size(); ++p) {
    const std::vector<double> shown = model[p].tensor.value().to_vector<double>();
    for (std::size_t i = 0; i < shown.size(); ++i)
      largest = std::max(largest, std::abs(shown[i] - simulation.slow[p][i]));
  }
  return largest;
}

/// After some steps, of `spec` over the workers and of another rule by one.
bool is_same_alone(const std::string& spec, const std::string& other) {
  const auto after = [](const std::string& text, bool joins) {
    const NamedTensors model = support::model(3);
    Optimizer optimizer(model, parse_rule(text));
    if (joins) optimizer.average_over(one_worker());
    support::train(optimizer, model, 0, 11);
    return model;
  };
  return support::same(after(spec, true), after(other, false));
}

const Outer kPull = [](double& slow, double gradient, double&) { slow -= 0.5 * gradient; };
const Outer kMean = [](double& slow, double gradient, double&) { slow -= gradient; };
const Outer kHeavyBall = [](double& slow, double gradient, double& m) {
  m = 0.6 * m + gradient;
  slow -= m;
};
const Outer kNesterov = [](double& slow, double gradient, double& m) {
  m = 0.9 * m + gradient;
  slow -= 0.7 * (gradient + 0.9 * m);
};

}  // namespace

TEST_CASE("lookahead, local SGD, SlowMo and DiLoCo over workers are their plain simulation") {
  CHECK(compare("lookahead(adam(lr=0.01), k=5, alpha=0.5, workers)", adam({.lr = 0.01}), 5, kPull) < 1e-12);
  CHECK(compare("lookahead(momentum(lr=0.1, momentum=0.9), k=3, alpha=1, workers)",
                momentum({.lr = 0.1, .momentum = 0.9}), 3, kMean) < 1e-12);
  CHECK(compare("outer_loop(sgd(lr=0.1), momentum(lr=1, momentum=0.6), k=4, workers)", sgd({.lr = 0.1}), 4,
                kHeavyBall) < 1e-12);
  CHECK(compare("outer_loop(adamw(lr=0.01), momentum(lr=0.7, momentum=0.9, nesterov=true), k=5, workers)",
                adamw({.lr = 0.01}), 5, kNesterov) < 1e-12);
}

TEST_CASE("momentum 0 and lr 1, and alpha 1, are local SGD") {
  CHECK(compare("outer_loop(sgd(lr=0.1), momentum(lr=1, momentum=0), k=3, workers)", sgd({.lr = 0.1}), 3, kMean) <
        1e-12);
  CHECK(compare("lookahead(sgd(lr=0.1), k=3, alpha=1, workers)", sgd({.lr = 0.1}), 3, kMean) < 1e-12);
}

TEST_CASE("one worker is the rule without workers, bit for bit") {
  CHECK(is_same_alone("lookahead(adam(lr=0.01), k=5, alpha=0.5, workers)", "lookahead(adam(lr=0.01), k=5, alpha=0.5)"));
  CHECK(is_same_alone("outer_loop(adamw(lr=0.01), momentum(lr=0.7, momentum=0.9, nesterov=true), k=5, workers)",
                      "outer_loop(adamw(lr=0.01), momentum(lr=0.7, momentum=0.9, nesterov=true), k=5)"));
  CHECK(is_same_alone("lookahead(momentum(lr=0.1), k=3, alpha=1, workers)", "momentum(lr=0.1)"));
  CHECK(is_same_alone("momentum(lr=0.1)", "momentum(lr=0.1)"));
}

TEST_CASE("the slow weights are the same bits on all workers, in f32 too; fast ones are each worker's own") {
  const NamedTensors model = support::model(3);
  Optimizer optimizer(model, parse_rule("clip_norm(lookahead(adam(lr=0.01), k=3, alpha=0.5, workers), max=1)"));
  optimizer.average_over(workers());
  const auto sums = [&] {
    double sum = 0;
    for (const NamedTensor& p : model)
      for (const float x : p.tensor.value().to_vector<float>()) sum += static_cast<double>(x);
    double all = sum;
    workers()->sum(&all, 1);
    return std::pair{sum * workers()->size(), all};
  };
  for (std::int64_t s = 0; s < 9; ++s) {
    optimizer.zero_grad();
    put_gradients(model, workers()->rank(), s);
    optimizer.step();
    const auto [mine, all] = sums();
    if (workers()->size() > 1) CHECK((mine == all) == (s % 3 == 2));  // sizes are powers of two: exact
  }
}

TEST_CASE("bytes: the weights once every k steps, and nothing between") {
  const NamedTensors model = support::model(3);
  Optimizer optimizer(model, parse_rule("lookahead(sgd(lr=0.1), k=4, alpha=0.5, workers)"));
  optimizer.average_over(workers());
  std::int64_t numbers = 0;
  for (const NamedTensor& p : model) numbers += (p.tensor.size() + 15) / 16 * 16;
  for (std::int64_t s = 1; s <= 8; ++s) {
    const Traffic before = workers()->traffic();
    support::train(optimizer, model, s - 1, s);
    const bool is_sync = s % 4 == 0 && workers()->size() > 1;
    CHECK(workers()->traffic().bytes - before.bytes == (is_sync ? numbers * 4 : 0));
    CHECK(workers()->traffic().sums - before.sums == (is_sync ? 1 : 0));
  }
}

TEST_CASE("a state with fast weights of its own is saved and loaded by each worker, in mid-cycle") {
  const char* const spec = "outer_loop(adam(lr=0.01), momentum(lr=0.7, momentum=0.9), k=5, workers)";
  const auto step = [](Optimizer& optimizer, const NamedTensors& model, std::int64_t from, std::int64_t to) {
    for (std::int64_t s = from; s < to; ++s) {
      optimizer.zero_grad();
      put_gradients(model, workers()->rank(), s);
      optimizer.step();
    }
  };
  const NamedTensors whole = support::model(3), halves = support::model(3);
  Optimizer once(whole, parse_rule(spec));
  once.average_over(workers());
  step(once, whole, 0, 13);
  std::optional<Snapshot> snapshot;
  {
    const NamedTensors first = support::model(3);
    Optimizer before(first, parse_rule(spec));
    before.average_over(workers());
    step(before, first, 0, 7);
    snapshot = before.snapshot();
  }
  Optimizer after(halves, parse_rule(spec));
  after.average_over(workers());
  after.restore(*snapshot);
  step(after, halves, 7, 13);
  CHECK(support::same(whole, halves));
}

TEST_CASE("explanations have the mean over workers") {
  const NamedTensors model = support::model(3);
  Optimizer optimizer(model, parse_rule("lookahead(sgd(lr=0.1), k=2, alpha=0.5, workers)"));
  optimizer.average_over(workers());
  optimizer.trace("conv.bias", {1});
  for (std::int64_t s = 0; s < 4; ++s) {
    optimizer.zero_grad();
    put_gradients(model, workers()->rank(), s);
    optimizer.step();
    const Explanation told = optimizer.explain("conv.bias", {1});
    CHECK(told.is_exact);
    const bool has_mean = told.to_string().find("mean over workers") != std::string::npos;
    CHECK(has_mean == (workers()->size() > 1 && s % 2 == 1));
  }
}

TEST_CASE("a loop round a loop over workers is one too, or refused") {
  const NamedTensors model = support::model(3);
  CHECK(
      message([&] { Optimizer(model, parse_rule("lookahead(lookahead(sgd(), k=2, workers), k=4)")); }) ==
      "lookahead: is over workers, the loop round it is not: its slow weights would differ between workers; give both "
      "the word workers, or the outer one alone");
  CHECK(parse_rule("lookahead(sgd(lr=0.1), k=2, workers)").describe() ==
        "lookahead(sgd(lr=0.1), k=2, alpha=0.5, workers)");
  CHECK_NOTHROW(Optimizer(model, parse_rule("lookahead(lookahead(sgd(), k=2), k=4, workers)")));
}
