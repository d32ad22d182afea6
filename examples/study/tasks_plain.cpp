// The tasks without pictures or text: the noisy quadratic and the table. See tasks.h.
#include <cmath>
#include <numeric>

#include <tandem/autograd/ops.h>
#include <tandem/core/generator.h>
#include <tandem/nn/accuracy.h>
#include <tandem/nn/activations.h>
#include <tandem/nn/init.h>
#include <tandem/nn/linear.h>
#include <tandem/nn/sequential.h>

#include "tasks.h"

namespace tandem::study {
namespace {

// Streams of a seed that no other part of a task has.
constexpr std::uint64_t kStartStream = 0x7374617274, kNoiseStream = 0x6e6f697365, kTableStream = 0x7461626c65,
                        kBatchStream = 0x6261746368;

class Quadratic final : public Training {
 public:
  explicit Quadratic(std::uint64_t seed) : noise_(seed, kNoiseStream) {
    std::vector<double> curvature;
    for (int i = 0; i < kSide * kSide; ++i) curvature.push_back(std::pow(10.0, -2.0 * i / (kSide * kSide - 1)));
    curvature_ = Array::from(curvature, {kSide, kSide}).to(DType::f32);
    Array start = Array::empty({kSide, kSide});
    Generator(seed, kStartStream).fill_normal(start);
    theta_ = Tensor(start);
    theta_.set_requires_grad(true);
    at_start_ = value();
  }

  NamedTensors parameters() const override { return {{"theta", theta_}}; }
  Tensor loss(std::int64_t step) override {
    Array centre = Array::empty({kSide, kSide});
    noise_.split(static_cast<std::uint64_t>(step)).fill_normal(centre);
    return multiply(sum(multiply(Tensor(curvature_), square(subtract(theta_, Tensor(centre))))), 0.5);
  }
  Costs measure() override {
    const double cost = value() / at_start_;
    return {cost, cost};
  }

 private:
  static constexpr int kSide = 10;

  double value() const {
    const std::vector<double> a = curvature_.to_vector<double>(), theta = theta_.value().to_vector<double>();
    double twice = 0;
    for (std::size_t i = 0; i < a.size(); ++i) twice += a[i] * theta[i] * theta[i];
    return twice / 2;
  }

  Generator noise_;
  Array curvature_;
  Tensor theta_;
  double at_start_ = 0;
};

struct Rows {
  Array x, labels;  // [N, 20], i64 [N]
};

struct Table {
  Rows train, validation, test;
};

constexpr std::int64_t kColumns = 20, kClasses = 5, kTeacherWidth = 16;

/// Rows whose labels are the largest output of tanh(x A) B, a tenth of them redrawn.
Rows rows_of(std::int64_t count, std::uint64_t part, const Array& first, const Array& second) {
  Generator random = Generator(0, kTableStream).split(1, part);
  Rows rows{Array::empty({count, kColumns}), Array::empty({count}, DType::i64)};
  random.fill_normal(rows.x);
  const Array chosen = argmax(matmul(tanh(matmul(Tensor(rows.x), Tensor(first))), Tensor(second)), 1).value();
  constexpr double kRedrawn = 0.1;
  for (std::int64_t i = 0; i < count; ++i) {
    const bool is_redrawn = random.uniform() < kRedrawn;
    const std::int64_t other = random.below(kClasses);
    rows.labels.data<std::int64_t>()[i] = is_redrawn ? other : static_cast<std::int64_t>(chosen.at({i}));
  }
  return rows;
}

const Table& table() {
  static const Table made = [] {
    Generator random = Generator(0, kTableStream).split(0);
    Array first = Array::empty({kColumns, kTeacherWidth}), second = Array::empty({kTeacherWidth, kClasses});
    random.fill_normal(first, 0, 1 / std::sqrt(static_cast<double>(kColumns)));
    random.fill_normal(second);
    return Table{rows_of(2000, 0, first, second), rows_of(1000, 1, first, second), rows_of(2000, 2, first, second)};
  }();
  return made;
}

class TableTraining final : public Training {
 public:
  explicit TableTraining(std::uint64_t seed) : order_(seed, kBatchStream) {
    nn::seed(seed);
    model_ = std::make_shared<nn::Sequential>(std::initializer_list<std::shared_ptr<nn::Module>>{
        nn::layer<nn::Linear>({.in = kColumns, .out = 32}), nn::layer<nn::ReLU>(),
        nn::layer<nn::Linear>({.in = 32, .out = kClasses})});
  }

  NamedTensors parameters() const override { return model_->parameters(); }
  Tensor loss(std::int64_t step) override {
    const Rows& train = table().train;
    Generator random = order_.split(static_cast<std::uint64_t>(step));
    Array x = Array::empty({kBatch, kColumns}), labels = Array::empty({kBatch}, DType::i64);
    for (std::int64_t i = 0; i < kBatch; ++i) {
      const std::int64_t row = random.below(train.labels.size());
      x.slice(0, i, i + 1).copy_from(train.x.slice(0, row, row + 1));
      labels.data<std::int64_t>()[i] = train.labels.data<std::int64_t>()[row];
    }
    return cross_entropy((*model_)(x), labels);
  }
  Costs measure() override { return {error(table().validation), error(table().test)}; }

 private:
  static constexpr std::int64_t kBatch = 32;
  double error(const Rows& rows) {
    const auto correct = static_cast<double>(nn::count_correct((*model_)(rows.x), rows.labels));
    return 1 - correct / static_cast<double>(rows.labels.size());
  }

  Generator order_;
  std::shared_ptr<nn::Sequential> model_;
};

}  // namespace

Task quadratic_task() {
  return {.name = "quadratic",
          .about = "100 curvatures from 0.01 to 1, gradient noise; closed-form loss over that at the start",
          .measure = "loss / loss at the start",
          .steps = 500,
          .near = 0.05,
          .is_relative = true,
          .make = [](std::uint64_t seed) { return std::make_unique<Quadratic>(seed); }};
}

Task table_task() {
  return {.name = "table",
          .about = "2,000 rows of 20 numbers, five classes by a random network, a tenth of the labels redrawn; 20-32-5",
          .measure = "test error",
          .steps = 600,
          .near = 0.01,
          .make = [](std::uint64_t seed) { return std::make_unique<TableTraining>(seed); }};
}

}  // namespace tandem::study
