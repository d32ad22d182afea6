// The mean of gradients: N workers with parts of a batch against one process with all of it.
#include <tests/skip.h>
#include <workers/support.h>

#include <fmt/format.h>

using namespace tandem;
using support::message;
using support::workers;

namespace {

constexpr std::int64_t kBatch = 16;

/// A network without batch norm: two convolutions and two linear layers, large enough for several pieces.
struct Net {
  explicit Net(DType dtype)
      : parameters{{"conv1.weight", support::parameter({8, 3, 3, 3}, 1, dtype)},
                   {"conv1.bias", support::parameter({8}, 2, dtype)},
                   {"conv2.weight", support::parameter({16, 8, 3, 3}, 3, dtype)},
                   {"fc1.weight", support::parameter({200, 256}, 4, dtype)},
                   {"fc1.bias", support::parameter({200}, 5, dtype)},
                   {"fc2.weight", support::parameter({10, 200}, 6, dtype)}} {
    for (NamedTensor& p : parameters) p.tensor.mutable_value().copy_from((p.tensor.detach() * 0.1).value());
  }
  Tensor loss(const Array& images, const Array& labels) const {
    const auto& p = parameters;
    const Tensor a = relu(conv2d(images, p[0].tensor, {.padding = 1}) + reshape(p[1].tensor, {1, 8, 1, 1}));
    const Tensor b = relu(conv2d(a, p[2].tensor, {.stride = 2, .padding = 1}));
    const Tensor c = relu(linear(reshape(b, {images.shape(0), 256}), p[3].tensor, p[4].tensor));
    return cross_entropy(matmul(c, transpose(p[5].tensor, 0, 1)), labels);
  }
  NamedTensors parameters;
};

struct Data {
  explicit Data(std::int64_t step, DType dtype) : images(Array::empty({kBatch, 3, 8, 8}, dtype)) {
    Generator(9).split(static_cast<std::uint64_t>(step), 0).fill_normal(images, 0, 1);
    std::vector<std::int64_t> all;
    for (std::int64_t i = 0; i < kBatch; ++i) all.push_back((i * 7 + step) % 10);
    labels = Array::from(all, {kBatch});
  }
  Array images, labels;
};

/// The weights after ten steps, of all of the batch or of this worker's part.
NamedTensors trained(const std::string& rule, DType dtype, const std::shared_ptr<Workers>& over, bool overlaps = true) {
  const Net net(dtype);
  Optimizer optimizer(net.parameters, parse_rule(rule));
  if (over) optimizer.average_over(over);
  const Part part = over ? over->part() : Part{};
  for (std::int64_t step = 0; step < 10; ++step) {
    const Data data(step, dtype);
    const auto begin = part.begin(kBatch), end = part.end(kBatch);
    const auto closure = [&] {
      const Tensor loss = net.loss(data.images.slice(0, begin, end), data.labels.slice(0, begin, end));
      const auto overlap = overlaps ? optimizer.overlap() : nullptr;
      loss.backward();
      return loss;
    };
    if (optimizer.needs_closure()) {
      optimizer.step(closure);
    } else {
      optimizer.zero_grad();
      closure();
      optimizer.step();
    }
  }
  return net.parameters;
}

const char* const kRules[] = {"momentum(lr=0.05, momentum=0.9, weight_decay=1e-3)",
                              "clip_norm(adam(lr=1e-3), max=0.5)",
                              "lookahead(momentum(lr=0.05), k=3, alpha=0.5)",
                              "lookahead(sgd(lr=0.05), k=3, alpha=0.5, adaptive)",
                              "sam(sgd(lr=0.05), rho=0.05)",
                              "lamb(lr=1e-3)",
                              "groups(matrices: muon(lr=1e-3); *: adamw(lr=1e-3))"};

}  // namespace

TEST_CASE("workers with parts of a batch step as one process with all of it: f64 to 1e-10") {
  for (const char* rule : kRules) {
    CAPTURE(rule);
    const NamedTensors alone = trained(rule, DType::f64, nullptr), together = trained(rule, DType::f64, workers());
    CHECK(support::distance(alone, together) < 1e-10);
    if (workers()->size() == 1) CHECK(support::same(alone, together));
  }
}

TEST_CASE("in f32 they differ by the order of sums") {
  const NamedTensors alone = trained(kRules[0], DType::f32, nullptr),
                     together = trained(kRules[0], DType::f32, workers());
  const double distance = support::distance(alone, together);
  MESSAGE("f32, ten steps, ", workers()->size(), " workers: largest difference of a weight ", distance);
  CHECK(distance < 1e-5);
  if (workers()->size() == 1) CHECK(distance == 0);
}

TEST_CASE("overlap changes no bit") {
  CHECK(support::same(trained(kRules[0], DType::f32, workers()), trained(kRules[0], DType::f32, workers(), false)));
}

TEST_CASE("bytes of a step: every gradient once, and one word a parameter") {
  const Net net(DType::f32);
  Optimizer optimizer(net.parameters, sgd({.lr = 0.1}));
  optimizer.average_over(workers());
  std::int64_t numbers = 0;
  for (const NamedTensor& p : net.parameters) numbers += (p.tensor.size() + 15) / 16 * 16;  // slots of 64 bytes
  const Data data(0, DType::f32);
  for (int step = 0; step < 2; ++step) {
    const Traffic before = workers()->traffic();
    optimizer.zero_grad();
    const Tensor loss = net.loss(data.images, data.labels);
    {
      const auto overlap = optimizer.overlap();
      loss.backward();
    }
    optimizer.step();
    const auto words = static_cast<std::int64_t>(net.parameters.size());
    CHECK(workers()->traffic().bytes - before.bytes == (workers()->size() == 1 ? 0 : numbers * 4 + words * 8));
  }
}

TEST_CASE("sums begin while backward goes on") {
  if (workers()->size() == 1) return test::skip("one worker has nothing to sum");
  const Net net(DType::f32);
  Optimizer optimizer(net.parameters, sgd({.lr = 0.1}));
  optimizer.average_over(workers());
  const Data data(0, DType::f32);
  const Tensor loss = net.loss(data.images, data.labels);
  workers()->record_events(true);
  {
    const auto overlap = optimizer.overlap();
    loss.backward();
  }
  const auto backward_end = Workers::Clock::now();
  optimizer.step();
  workers()->record_events(false);
  std::int64_t early = 0, all = 0;
  for (const Workers::Event& event : workers()->take_events()) {
    ++all;
    early += event.begin < backward_end ? 1 : 0;
  }
  CHECK(early == 3);  // the linear layers, the convolutions, the biases
  CHECK(all == 4);    // and which gradients there were
}

TEST_CASE("a gradient that some workers have is zero on the others; one that nobody has stays away") {
  const NamedTensors p = {{"mine", support::parameter({3}, 1, DType::f64)},
                          {"shared", support::parameter({3}, 2, DType::f64)},
                          {"nobody's", support::parameter({3}, 3, DType::f64)}};
  const Array nobody = p[2].tensor.value().clone();
  Optimizer optimizer(p, momentum({.lr = 1, .weight_decay = 0.1}));
  optimizer.average_over(workers());
  optimizer.zero_grad();
  Tensor mine = p[0].tensor, shared = p[1].tensor;
  const double n = workers()->size();
  if (workers()->rank() == 0) mine.accumulate_grad(Array::full({3}, n, DType::f64));
  shared.accumulate_grad(Array::full({3}, workers()->rank(), DType::f64));
  optimizer.step();
  CHECK(p[0].tensor.has_grad());
  CHECK(p[0].tensor.grad().to_vector<double>() == std::vector<double>(3, 1));
  CHECK(p[1].tensor.grad().to_vector<double>() == std::vector<double>(3, (n - 1) / 2));
  CHECK_FALSE(p[2].tensor.has_grad());
  CHECK(identical(p[2].tensor.value(), nobody));
}

TEST_CASE("two backward passes add up; inside overlap() the second is an error") {
  const Net net(DType::f64);
  Optimizer optimizer(net.parameters, sgd({.lr = 0.1}));
  optimizer.average_over(workers());
  const Data data(0, DType::f64);
  optimizer.zero_grad();
  const auto half = [&](std::int64_t begin) {
    return net.loss(data.images.slice(0, begin, begin + 8), data.labels.slice(0, begin, begin + 8)) * 0.5;
  };
  half(0).backward();
  {
    const auto overlap = optimizer.overlap();
    half(8).backward();
  }
  optimizer.step();
  const Net other(DType::f64);
  other.loss(data.images, data.labels).backward();
  for (std::size_t i = 0; i < net.parameters.size(); ++i) {
    const Tensor difference = Tensor(net.parameters[i].tensor.grad()) - Tensor(other.parameters[i].tensor.grad());
    CHECK(max(abs(difference)).item() < 1e-12);
  }

  optimizer.zero_grad();
  const std::string said = message([&] {
    const auto overlap = optimizer.overlap();
    half(0).backward();
    half(8).backward();
  });
  if (workers()->size() == 1) {
    CHECK(said == "no error");
  } else {
    CHECK(said ==
          "optimizer: the gradient of \"fc2.weight\" comes after its mean was begun; open overlap() round the last "
          "backward of a step alone");
  }
  optimizer.zero_grad();
}

TEST_CASE("rules, parameters and weights that differ are errors on all workers") {
  Workers& w = *workers();
  const int last = w.size() - 1;
  const bool is_other = w.rank() == last && last > 0;
  const auto joined = [&](const NamedTensors& parameters, const Rule& rule) {
    return message([&] { Optimizer(parameters, rule).average_over(workers()); });
  };
  const auto expected = [&](const std::string& text) { return last == 0 ? "no error" : text; };
  CHECK(
      joined(support::model(1), sgd({.lr = is_other ? 0.2 : 0.1})) ==
      expected(fmt::format("workers: rank {} has another rule than rank 0: sgd(lr=0.2), not sgd(lr=0.1); give all the "
                           "same --optimizer",
                           last)));
  NamedTensors fewer = support::model(1);
  if (is_other) fewer.pop_back();
  CHECK(joined(fewer, sgd()).substr(0, 60) ==
        expected(fmt::format("workers: rank {} has another list of parameters than rank 0: ", last)).substr(0, 60));
  CHECK(joined(support::model(is_other ? 2 : 1), sgd()).substr(0, 55) ==
        expected(fmt::format("workers: rank {} has another set of weights than rank 0: ", last)).substr(0, 55));
}

TEST_CASE("batch norm over all workers is that of the whole batch: outputs, gradients and running statistics") {
  const auto run = [](const std::shared_ptr<Workers>& over) {
    nn::seed(5);
    auto norm = std::make_shared<nn::BatchNorm2d>(nn::BatchNorm2d::Options{.channels = 3, .relu = true});
    norm->to(DType::f64);
    if (over) nn::synchronise_batch_norm(*norm, over);
    Optimizer optimizer(norm->parameters(), sgd({.lr = 0.5}));
    if (over) optimizer.average_over(over);
    const Part part = over ? over->part() : Part{};
    std::vector<double> dx;
    for (std::int64_t step = 0; step < 3; ++step) {
      const Data data(step, DType::f64);
      Tensor x(data.images.slice(0, part.begin(kBatch), part.end(kBatch)).clone(), true);
      const Tensor weights(Data(step + 50, DType::f64).images.slice(0, part.begin(kBatch), part.end(kBatch)));
      optimizer.zero_grad();
      mean((*norm)(x)*weights).backward();
      optimizer.step();
      // Of the mean over all; a worker's own gradients are of the sum of losses.
      dx = (Tensor(x.grad()) * (1.0 / part.count)).value().to_vector<double>();
      const std::int64_t whole = kBatch * 3 * 8 * 8, first = part.begin(kBatch) * 3 * 8 * 8;
      std::vector<double> all(static_cast<std::size_t>(whole));
      std::copy(dx.begin(), dx.end(), all.begin() + first);
      if (over) over->sum(all.data(), whole);
      dx = all;
    }
    NamedTensors state = norm->state_dict();
    state.push_back({"dx", Tensor(Array::from(dx, {kBatch * 3 * 8 * 8}))});
    return state;
  };
  CHECK(support::distance(run(nullptr), run(workers())) < 1e-12);
}
