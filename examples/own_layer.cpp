// own_layer: a layer of one's own with an op of its own. The op stands in one function, forward and backward; the layer
// holds its parameter; a model is made of it, checked against finite differences, trained, and saved like any other.
// What record() keeps for backward, and why: autograd/record.h. Layers over ops that exist need no more than the layer.
#include <cmath>
#include <cstdio>
#include <string>

#include <tandem/tandem.h>

using namespace tandem;

/// sin(a x)^2 / a + x for every number of x [..., C], a [C]: one pass over memory.
template <class T>
Array snake_values(const Array& x, const Array& a) {
  const Array rows = x.contiguous(), factors = a.contiguous();
  Array y = Array::empty(x.shape(), x.dtype());
  const T *in = rows.data<T>(), *factor = factors.data<T>();
  T* out = y.data<T>();
  const std::int64_t channels = a.size();
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const T f = factor[i % channels], s = std::sin(f * in[i]);
    out[i] = in[i] + s * s / f;
  }
  return y;
}

/// The op: the activation Snake, for what is periodic (Ziyin et al. 2020, "Neural networks fail to learn periodic
/// functions and how to fix it", eq. 3).
///   y = x + sin(a x)^2 / a;   dx = dy (1 + sin 2ax);   da = sum over rows of dy (x sin 2ax - sin(ax)^2 / a) / a
Tensor snake(const Tensor& x, const Tensor& a) {
  if (x.rank() < 1 || a.shape() != Shape{x.shape(-1)})
    fail("snake", "a must hold one number a feature", "x " + to_string(x.shape()) + ", a " + to_string(a.shape()));
  if (x.dtype() != a.dtype() || (x.dtype() != DType::f32 && x.dtype() != DType::f64))
    fail("snake", "x and a must both be f32 or f64");
  Array y =
      x.dtype() == DType::f64 ? snake_values<double>(x.value(), a.value()) : snake_values<float>(x.value(), a.value());
  // Backward captures nothing: it reads what is saved. It is written with ops, so that it has derivatives itself.
  return record("snake", std::move(y), {x, a}, {x, a}, [](const Tensor& dy, const Saved& saved, Needs needs) {
    const Tensor &input = saved[0], &factor = saved[1];
    const Tensor sin_2ax = sin(input * factor * 2.0);
    Grads grads(2);
    if (needs[0]) grads[0] = dy * (sin_2ax + 1.0);
    if (needs[1]) {
      const Tensor rest = input * sin_2ax - square(sin(input * factor)) / factor;
      grads[1] = sum_to(dy * rest / factor, factor.shape());
    }
    return grads;
  });
}

/// The layer: x [..., channels] -> snake(x, a), `a` trained.
class Snake : public nn::Module {
 public:
  struct Options {
    std::int64_t channels = 0;
    double a = 1;
  };
  explicit Snake(const Options& options) : options_(options) {
    a = parameter("a", Array::full({options.channels}, options.a));
  }
  std::string describe() const override { return "Snake(" + std::to_string(options_.channels) + ")"; }
  std::shared_ptr<nn::Module> fresh() const override { return std::make_shared<Snake>(options_); }

  Tensor a;  ///< [channels]

 protected:
  Tensor forward(const Tensor& x) override { return snake(x, a); }

 private:
  Options options_;
};

/// A model: each line declares a child, builds it and registers it.
struct Wave : nn::Module {
  nn::Sub<nn::Linear> widen{this, "widen", {.in = 1, .out = 32}};
  nn::Sub<Snake> snake{this, "snake", {.channels = 32, .a = 4}};
  nn::Sub<nn::Linear> narrow{this, "narrow", {.in = 32, .out = 1}};
  Tensor forward(const Tensor& x) override { return narrow(snake(widen(x))); }
};

bool say(const char* what, const GradcheckResult& result) {
  std::printf("%s: %s", what, result.to_string().c_str());
  return result.passed();
}

int main() {
  Generator random(1);
  const auto normal = [&](const Shape& shape, DType dtype) {
    Array x = Array::empty(shape, dtype);
    random.fill_normal(x);
    return Tensor(x);
  };

  // The op in both orders, then the layer within its model: gradients of the input and of all parameters.
  const Tensor a({0.5, 1, 2}, {3}, DType::f64);
  bool is_good = say("the op", gradcheck([](const auto& in) { return snake(in[0], in[1]); },
                                         {normal({4, 3}, DType::f64), a}, {.second_order = true}));
  nn::seed(0);
  Wave model;
  is_good = say("the model", nn::gradcheck(model, normal({5, 1}, DType::f32))) && is_good;

  // Trained on sin(3 t), from -3 to 3.
  Array t = Array::empty({128, 1}), target = Array::empty({128, 1});
  for (std::int64_t i = 0; i < 128; ++i) {
    t.set({i, 0}, static_cast<double>(i) * 6 / 127 - 3);
    target.set({i, 0}, std::sin(3 * t.at({i, 0})));
  }
  const auto loss_of = [&](nn::Module& m) { return mse_loss(m(t), target); };
  const double before = loss_of(model).item();
  const auto [factors, weights] = nn::parameters(model, "*.a");  // a group of its own, with another lr
  Optimizer optimizer({Group{factors, lookahead(adam({.lr = 1e-3}))}, Group{weights, lookahead(adam({.lr = 1e-2}))}});
  for (int step = 0; step < 300; ++step) {
    const Tensor loss = loss_of(model);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
  }
  const auto slow = optimizer.evaluation_weights();
  const double after = loss_of(model).item();
  std::printf("loss %.4f -> %.4f in 300 steps\n", before, after);

  // Its names stand in the state dict, and its path in errors.
  Wave copy;
  copy.load_state_dict(model.state_dict());
  is_good = after < 0.1 * before && loss_of(copy).item() == after && is_good;
  try {
    (*model.snake)(normal({2, 31}, DType::f32));
    is_good = false;
  } catch (const Error& error) {
    std::printf("%s\n", error.what());
  }
  return is_good ? 0 : 1;
}
