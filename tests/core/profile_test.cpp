// The profiler's table: what a call is put down as, phases, the warm-up, threads; the roof; who has the processors.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <thread>

#include <tandem/core/error.h>
#include <tandem/core/kernels/convolution/conv2d.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/product/matmul.h>
#include <tandem/core/profile_report.h>
#include <tandem/core/roof.h>

using namespace tandem;
namespace k = tandem::kernels;

namespace {

const profile::Row* find(const profile::Report& report, const std::string& kernel,
                         profile::Phase phase = profile::Phase::other) {
  for (const profile::Row& row : report.rows)
    if (row.kernel == kernel && row.phase == phase) return &row;
  return nullptr;
}

Array ones(const Shape& shape, DType dtype = DType::f32) { return Array::full(shape, 1, dtype); }

}  // namespace

TEST_CASE("a call is put down with its work, its time and who did it") {
  const Array a = ones({64, 32}), b = ones({32, 48});
  profile::start();
  k::matmul(a, b);
  k::matmul(a, b);
  k::add(a, a);
  const profile::Report report = profile::stop();
  const profile::Row* product = find(report, "matmul");
  REQUIRE(product != nullptr);
  CHECK(product->calls == 2);
  CHECK(product->operations == 2 * 2.0 * 64 * 32 * 48);
  CHECK(product->bytes == 2 * 4.0 * (64 * 32 + 32 * 48 + 64 * 48));
  CHECK(product->implementation == "oneDNN sgemm");
  CHECK(product->op == "matmul");
  CHECK(product->layer == "");
  CHECK(product->seconds > 0);
  const profile::Row* sum = find(report, "add");
  REQUIRE(sum != nullptr);
  CHECK(sum->operations == 64 * 32);
  CHECK(sum->bytes == 3 * 4.0 * 64 * 32);
  const profile::PhaseTime& other = report.phases[0];
  CHECK(other.kernels == doctest::Approx(product->seconds + sum->seconds));
  CHECK(other.wall >= other.kernels);
  CHECK(report.wall() == doctest::Approx(other.wall));
}

TEST_CASE("of kernels inside kernels the outermost counts, and names who computed inside") {
  const Array x = ones({2, 8, 6, 6}), w = ones({8, 8, 3, 3});
  profile::start();
  k::conv2d(x.to(DType::f64), w.to(DType::f64), {}, {.padding = {1, 1}});
  k::conv2d(x.to_layout(Layout::channels_last), w, {}, {.padding = {1, 1}});
  const profile::Report report = profile::stop();
  CHECK(find(report, "convert") != nullptr);
  int rows = 0;
  for (const profile::Row& row : report.rows) {
    if (row.kernel != "conv2d") continue;
    ++rows;
    CHECK(row.operations == 2.0 * 8 * 9 * 2 * 8 * 36);
    if (row.dtype == DType::f64) CHECK(row.implementation == "reference");
    if (row.dtype == DType::f32) {
      CHECK(row.implementation.rfind("oneDNN ", 0) == 0);
      CHECK(row.primitives + row.repacks > 0);  // the first call made it
    }
  }
  CHECK(rows == 2);
}

TEST_CASE("phases nest, an evaluation's belong to it, and what no scope names is other") {
  const Array a = ones({1000});
  profile::start();
  {
    const profile::PhaseScope backward(profile::Phase::backward);
    k::exp(a);
  }
  {
    const profile::PhaseScope evaluation(profile::Phase::evaluation);
    const profile::PhaseScope forward(profile::Phase::forward);
    k::log(a);
  }
  k::sqrt(a);
  profile::set_phase(profile::Phase::loading);
  k::negate(a);
  const profile::Report report = profile::stop();
  CHECK(find(report, "exp", profile::Phase::backward) != nullptr);
  CHECK(find(report, "log", profile::Phase::evaluation) != nullptr);
  CHECK(find(report, "sqrt", profile::Phase::other) != nullptr);
  CHECK(find(report, "negate", profile::Phase::loading) != nullptr);
  double sum = 0;
  for (const profile::Row& row : report.rows) sum += row.seconds;
  CHECK(sum <= report.wall());
}

TEST_CASE("ops name the kernels before them, layers what ran inside") {
  const Array a = ones({1000});
  profile::start();
  {
    const profile::LayerScope block([] { return "block"; });
    {
      const profile::LayerScope inner([] { return "1.fc"; });
      k::exp(a);
      k::log(a);
      profile::label("softplus");
      k::sqrt(a);  // in no op
    }
    k::negate(a);
    profile::label("negate");
  }
  {
    const profile::OpScope op("softplus", profile::current_layer());
    k::square(a);
    profile::label("square");  // inside a backward: no op of its own
  }
  const profile::Report report = profile::stop();
  CHECK(find(report, "exp")->layer == "block.1.fc");
  CHECK(find(report, "exp")->op == "softplus");
  CHECK(find(report, "log")->op == "softplus");
  CHECK(find(report, "sqrt")->op == "sqrt");
  CHECK(find(report, "sqrt")->layer == "block.1.fc");
  CHECK(find(report, "negate")->layer == "block");
  CHECK(find(report, "square")->op == "softplus");
  int ops = 0, layers = 0, kernels = 0;
  for (const profile::Event& event : report.events) {
    CHECK(event.begin <= event.end);
    ops += event.kind == profile::Event::Kind::op;
    layers += event.kind == profile::Event::Kind::layer;
    kernels += event.kind == profile::Event::Kind::kernel;
  }
  CHECK(ops == 3);
  CHECK(layers == 2);
  CHECK(kernels == 5);
}

TEST_CASE("the first steps are dropped once they are over, an evaluation among them is not") {
  const Array a = ones({1000});
  profile::start();
  profile::set_phase(profile::Phase::forward);
  for (int step = 0; step < 5; ++step) {
    k::exp(a);
    if (step == 0) {
      const profile::PhaseScope evaluation(profile::Phase::evaluation);
      k::log(a);
    }
    profile::end_step();
  }
  const profile::Report report = profile::stop();
  CHECK(report.warm_up_steps == profile::kWarmUpSteps);
  CHECK(report.steps == 5 - profile::kWarmUpSteps);
  CHECK(find(report, "exp", profile::Phase::forward)->calls == report.steps);
  CHECK(find(report, "log", profile::Phase::evaluation)->calls == 1);
}

TEST_CASE("other threads stand beside the time of the one that began") {
  const Array a = ones({1000});
  profile::start();
  std::thread([&] { k::exp(a); }).join();
  k::log(a);
  const profile::Report report = profile::stop();
  for (const profile::Row& row : report.rows) CHECK(row.is_elsewhere == (row.kernel == "exp"));
  CHECK(report.rows.size() == 2);
  CHECK(report.phases[0].kernels == doctest::Approx(find(report, "log")->seconds));
}

TEST_CASE("events are bounded, one profile at a time, scopes that outlive it do no harm") {
  const Array a = ones({10});
  profile::start({.most_events = 3});
  CHECK_THROWS_WITH_AS(profile::start(), doctest::Contains("profile: one is taken already"), Error);
  for (int i = 0; i < 10; ++i) k::exp(a), profile::label("exp");
  profile::Report report;
  {
    const profile::LayerScope layer([] { return "l"; });
    const profile::PhaseScope phase(profile::Phase::backward);
    const profile::KernelScope kernel("k", DType::f32, [] { return profile::Work{}; });
    report = profile::stop();
  }
  CHECK(report.events.size() == 3);
  CHECK(report.is_trace_cut);
  CHECK(find(report, "exp")->calls == 10);
  CHECK_THROWS_WITH_AS(profile::stop(), doctest::Contains("profile: none is taken"), Error);
  profile::start();
  CHECK(profile::stop().rows.empty());
}

TEST_CASE("the share of a roof is the larger one of arithmetic and memory") {
  const Roof roof{.operations = 100, .bf16_operations = 400, .bytes = 10};
  CHECK(share_of_roof(roof, DType::f32, 50, 1, 1) == 0.5);
  CHECK(share_of_roof(roof, DType::bf16, 100, 1, 1) == 0.25);
  CHECK(share_of_roof(roof, DType::f32, 50, 16, 2) == 0.8);
  CHECK(share_of_roof(roof, DType::f32, 50, 16, 0) == 0);
  const Roof measured = measure_roof();
  CHECK(measured.operations > 1e8);
  CHECK(measured.bytes > 1e8);
  CHECK(measured.bf16_operations == 0);
}

TEST_CASE("the processors' times are those of the processors that are asked for") {
  const std::string text =
      "cpu  10 20 30 40 50 60 70 80 0 0\n"
      "cpu0 100 10 30 999 99 5 5 7 0 0\n"
      "cpu1 200 0 0 1 0 0 0 3 0 0\n"
      "cpu10 1 1 1 1 1 1 1 1 0 0\nintr 5\n";
  const auto ticks = tandem::detail::read_ticks(text, {0, 10}, 100);
  CHECK(ticks.busy == doctest::Approx(1.5 + 0.05));
  CHECK(ticks.stolen == doctest::Approx(0.08));
  CHECK(tandem::detail::read_ticks("nonsense", {0}, 100).busy == 0);
  const Processors p = between({.count = 2, .wall = 1, .own = 1, .busy = 2, .stolen = 0, .preemptions = 5},
                               {.count = 2, .wall = 3, .own = 2, .busy = 5, .stolen = 1, .preemptions = 9});
  CHECK(p.wall == 2);
  CHECK(p.own == 1);
  CHECK(p.others == 2);
  CHECK(p.stolen == 1);
  CHECK(p.preemptions == 4);
  const ProcessorTimes now = processor_times();
  CHECK(now.count >= 1);
  CHECK(now.own > 0);
}
