// What the optimizer tests share: parameters, gradients by hand, and bits.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <doctest/doctest.h>

#include <tandem/core/generator.h>
#include <tandem/tandem.h>

namespace support {

using namespace tandem;

/// Calls of operator new in this program so far (allocation_count.cpp).
std::int64_t allocation_count();

inline Tensor parameter(const Shape& shape, std::uint64_t seed, DType dtype = DType::f32) {
  Array x = Array::empty(shape, dtype);
  Generator(seed).fill_normal(x);
  return Tensor(x, true);
}

/// A few parameters of ranks 1 to 4, one of them longer than a block of the arena.
inline NamedTensors model(std::uint64_t seed, DType dtype = DType::f32) {
  return {{"conv.weight", parameter({4, 3, 3, 3}, seed, dtype)},
          {"conv.bias", parameter({4}, seed + 1, dtype)},
          {"linear.weight", parameter({130, 257}, seed + 2, dtype)},
          {"linear.bias", parameter({130}, seed + 3, dtype)}};
}

/// The gradient of a step, a function of (seed, step, index of the parameter) alone.
inline Array gradient(const Tensor& of, std::uint64_t seed, std::int64_t step, std::size_t index, double size = 1) {
  Array g = Array::empty(of.shape(), of.dtype());
  Generator generator = Generator(seed).split(static_cast<std::uint64_t>(step), index);
  generator.fill_normal(g, 0, size);
  return g;
}

inline void put_gradients(const NamedTensors& parameters, std::uint64_t seed, std::int64_t step, double size = 1) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    Tensor t = parameters[i].tensor;
    if (!t.requires_grad()) continue;
    // Drawn once: most tests train with the same gradients.
    static std::map<std::tuple<std::uint64_t, std::int64_t, std::size_t, double, std::int64_t, DType>, Array> drawn;
    Array& g = drawn[{seed, step, i, size, t.size(), t.dtype()}];
    if (!g.defined() || !(g.shape() == t.shape())) g = gradient(t, seed, step, i, size);
    t.accumulate_grad(g);
  }
}

/// Steps from..to-1 with the gradients of those steps.
inline void train(Optimizer& optimizer, const NamedTensors& parameters, std::int64_t from, std::int64_t to,
                  double size = 1) {
  for (std::int64_t step = from; step < to; ++step) {
    optimizer.zero_grad();
    put_gradients(parameters, 77, step, size);
    optimizer.step();
  }
}

inline bool same(const NamedTensors& a, const NamedTensors& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!identical(a[i].tensor.value(), b[i].tensor.value())) return false;
  }
  return a.size() == b.size();
}

/// The weights after `steps` steps of a rule from model(seed).
inline NamedTensors trained(const Rule& rule, std::int64_t steps, double size = 1, DType dtype = DType::f32) {
  NamedTensors parameters = model(3, dtype);
  Optimizer optimizer(parameters, rule);
  train(optimizer, parameters, 0, steps, size);
  return parameters;
}

inline const Array& entry(const NamedArrays& tree, std::string_view name) {
  for (const NamedArray& e : tree) {
    if (e.name == name) return e.array;
  }
  FAIL("no entry " << name);
  return tree.front().array;
}

inline NamedArrays cloned(const NamedArrays& tree) {
  NamedArrays copy;
  for (const NamedArray& e : tree) copy.push_back({e.name, e.array.clone()});
  return copy;
}

template <class F>
std::string message(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace support
