// The table of all ops: one row per op declared in autograd/ops.h and per option worth checking.
// op_table_test.cpp runs every row through gradcheck, second order, f32 and strided inputs. A new op adds its row here.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <tandem/autograd/gradcheck.h>
#include <tandem/autograd/ops.h>
#include <tandem/core/generator.h>

namespace tandem::test {

using Inputs = std::vector<Tensor>;

struct OpRow {
  std::string op;       ///< as declared: "slice(x, dim, begin, end, step)"
  std::string variant;  ///< what is special about this row
  GradcheckFunction function;
  Inputs inputs;  ///< f64, away from kinks; i64 for indices
  bool is_differentiable = true;
};

/// Makes the inputs of the rows, always the same.
class Numbers {
 public:
  /// N(0, 1).
  Tensor normal(const Shape& shape) {
    Array x = Array::empty(shape, DType::f64);
    generator_.fill_normal(x);
    return x;
  }
  /// In [low, high).
  Tensor uniform(const Shape& shape, double low, double high) {
    Array x = Array::empty(shape, DType::f64);
    generator_.fill_uniform(x, low, high);
    return x;
  }
  /// Odd multiples of 0.05 round 0, all different: no ties, and 0.05 away from every multiple of 0.1.
  Tensor distinct(const Shape& shape) {
    std::vector<double> values;
    const std::int64_t n = shape.count();
    for (const std::int64_t i : generator_.permutation(n).to_vector<std::int64_t>()) {
      values.push_back(0.1 * static_cast<double>(i - n / 2) + 0.05);
    }
    return Array::from(values, shape);
  }
  static Tensor index(const std::vector<std::int64_t>& values, const Shape& shape) {
    return Array::from(values, shape);
  }

 private:
  Generator generator_{7};
};

// NOLINTBEGIN: a table reads best in long lines.
// clang-format off

inline void add_arithmetic(std::vector<OpRow>& rows, Numbers& n) {
  using In = const Inputs&;
  const Shape s{2, 3, 4}, row{3, 1}, matrix{3, 4};
  rows.insert(rows.end(), {
    {"add(a, b)", "broadcast", [](In x) { return add(x[0], x[1]); }, {n.normal(s), n.normal(row)}},
    {"subtract(a, b)", "broadcast", [](In x) { return subtract(x[0], x[1]); }, {n.normal(row), n.normal(s)}},
    {"multiply(a, b)", "same shape", [](In x) { return multiply(x[0], x[1]); }, {n.normal(s), n.normal(s)}},
    {"multiply(a, b)", "broadcast", [](In x) { return multiply(x[0], x[1]); }, {n.normal(s), n.normal({})}},
    {"divide(a, b)", "same shape", [](In x) { return divide(x[0], x[1]); }, {n.normal(matrix), n.uniform(matrix, 0.5, 2)}},
    {"divide(a, b)", "broadcast", [](In x) { return divide(x[0], x[1]); }, {n.normal({4}), n.uniform(s, 0.5, 2)}},
    {"power(a, b)", "broadcast", [](In x) { return power(x[0], x[1]); }, {n.uniform(s, 0.5, 2), n.normal(row)}},
    {"maximum(a, b)", "", [](In x) { return maximum(x[0], x[1]); }, {n.distinct(s), n.uniform(s, -0.04, 0.04)}},
    {"maximum(a, b)", "broadcast", [](In x) { return maximum(x[0], x[1]); }, {n.distinct(s), n.uniform(row, -0.04, 0.04)}},
    {"minimum(a, b)", "broadcast", [](In x) { return minimum(x[0], x[1]); }, {n.uniform(row, -0.04, 0.04), n.distinct(s)}},
    {"add(x, c)", "", [](In x) { return add(x[0], 1.5); }, {n.normal(s)}},
    {"multiply(x, c)", "", [](In x) { return multiply(x[0], -1.5); }, {n.normal(s)}},
    {"pow(x, c)", "3", [](In x) { return pow(x[0], 3); }, {n.normal(s)}},
    {"pow(x, c)", "2", [](In x) { return pow(x[0], 2); }, {n.normal(s)}},
    {"pow(x, c)", "1", [](In x) { return pow(x[0], 1); }, {n.normal(s)}},
    {"pow(x, c)", "0", [](In x) { return pow(x[0], 0); }, {n.normal(s)}},
    {"pow(x, c)", "-1.5", [](In x) { return pow(x[0], -1.5); }, {n.uniform(s, 0.5, 2)}},
    {"negate(x)", "", [](In x) { return negate(x[0]); }, {n.normal(s)}},
    {"operator+(a, b)", "", [](In x) { return x[0] + x[1]; }, {n.normal(s), n.normal(s)}},
    {"operator-(a, b)", "", [](In x) { return x[0] - x[1]; }, {n.normal(s), n.normal(s)}},
    {"operator*(a, b)", "", [](In x) { return x[0] * x[1]; }, {n.normal(s), n.normal(s)}},
    {"operator/(a, b)", "", [](In x) { return x[0] / x[1]; }, {n.normal(s), n.uniform(s, 0.5, 2)}},
    {"operator+(x, c)", "", [](In x) { return x[0] + 2; }, {n.normal(s)}},
    {"operator+(c, x)", "", [](In x) { return 2 + x[0]; }, {n.normal(s)}},
    {"operator-(x, c)", "", [](In x) { return x[0] - 2; }, {n.normal(s)}},
    {"operator-(c, x)", "", [](In x) { return 2 - x[0]; }, {n.normal(s)}},
    {"operator*(x, c)", "", [](In x) { return x[0] * 2; }, {n.normal(s)}},
    {"operator*(c, x)", "", [](In x) { return 2 * x[0]; }, {n.normal(s)}},
    {"operator/(x, c)", "", [](In x) { return x[0] / 2; }, {n.normal(s)}},
    {"operator/(c, x)", "", [](In x) { return 2 / x[0]; }, {n.uniform(s, 0.5, 2)}},
    {"operator-(x)", "", [](In x) { return -x[0]; }, {n.normal(s)}},
  });
}

inline void add_functions(std::vector<OpRow>& rows, Numbers& n) {
  using In = const Inputs&;
  const Shape s{2, 3, 4};
  rows.insert(rows.end(), {
    {"exp(x)", "", [](In x) { return exp(x[0]); }, {n.normal(s)}},
    {"log(x)", "", [](In x) { return log(x[0]); }, {n.uniform(s, 0.5, 2)}},
    {"sqrt(x)", "", [](In x) { return sqrt(x[0]); }, {n.uniform(s, 0.5, 2)}},
    {"square(x)", "", [](In x) { return square(x[0]); }, {n.normal(s)}},
    {"abs(x)", "", [](In x) { return abs(x[0]); }, {n.distinct(s)}},
    {"sin(x)", "", [](In x) { return sin(x[0]); }, {n.normal(s)}},
    {"cos(x)", "", [](In x) { return cos(x[0]); }, {n.normal(s)}},
    {"erf(x)", "", [](In x) { return erf(x[0]); }, {n.normal(s)}},
    {"clamp(x, low, high)", "", [](In x) { return clamp(x[0], -0.5, 0.7); }, {n.distinct(s)}},
    {"relu(x)", "", [](In x) { return relu(x[0]); }, {n.distinct(s)}},
    {"leaky_relu(x, slope)", "0.01", [](In x) { return leaky_relu(x[0]); }, {n.distinct(s)}},
    {"leaky_relu(x, slope)", "-0.5", [](In x) { return leaky_relu(x[0], -0.5); }, {n.distinct(s)}},
    {"elu(x, alpha)", "1", [](In x) { return elu(x[0]); }, {n.distinct(s)}},
    {"elu(x, alpha)", "-0.5", [](In x) { return elu(x[0], -0.5); }, {n.distinct(s)}},
    {"gelu(x)", "", [](In x) { return gelu(x[0]); }, {n.normal(s)}},
    {"silu(x)", "", [](In x) { return silu(x[0]); }, {n.normal(s)}},
    {"sigmoid(x)", "", [](In x) { return sigmoid(x[0]); }, {n.normal(s)}},
    {"tanh(x)", "", [](In x) { return tanh(x[0]); }, {n.normal(s)}},
    {"softplus(x)", "", [](In x) { return softplus(x[0]); }, {n.normal(s)}},
    {"softmax(x, dim)", "first", [](In x) { return softmax(x[0], 0); }, {n.normal(s)}},
    {"softmax(x, dim)", "middle", [](In x) { return softmax(x[0], 1); }, {n.normal(s)}},
    {"softmax(x, dim)", "last", [](In x) { return softmax(x[0], -1); }, {n.normal(s)}},
    {"log_softmax(x, dim)", "middle", [](In x) { return log_softmax(x[0], 1); }, {n.normal(s)}},
    {"log_softmax(x, dim)", "last", [](In x) { return log_softmax(x[0], -1); }, {n.normal(s)}},
  });
}

inline void add_reductions(std::vector<OpRow>& rows, Numbers& n) {
  using In = const Inputs&;
  const Shape s{2, 3, 4}, image{2, 3, 2, 4};
  rows.insert(rows.end(), {
    {"sum(x, dims, keep)", "all", [](In x) { return sum(x[0]); }, {n.normal(s)}},
    {"sum(x, dims, keep)", "dims", [](In x) { return sum(x[0], {0, -1}); }, {n.normal(s)}},
    {"sum(x, dims, keep)", "images, keep", [](In x) { return sum(x[0], {0, 2, 3}, true); }, {n.normal(image)}},
    {"mean(x, dims, keep)", "all", [](In x) { return mean(x[0]); }, {n.normal(s)}},
    {"mean(x, dims, keep)", "dims, keep", [](In x) { return mean(x[0], {1}, true); }, {n.normal(s)}},
    {"max(x, dims, keep)", "all", [](In x) { return max(x[0]); }, {n.distinct(s)}},
    {"max(x, dims, keep)", "dims", [](In x) { return max(x[0], {0, 2}); }, {n.distinct(s)}},
    {"max(x, dims, keep)", "keep", [](In x) { return max(x[0], {1}, true); }, {n.distinct(s)}},
    {"var(x, dims, keep, correction)", "all", [](In x) { return var(x[0]); }, {n.normal(s)}},
    {"var(x, dims, keep, correction)", "biased", [](In x) { return var(x[0], {0, 2}, false, 0); }, {n.normal(s)}},
    {"var(x, dims, keep, correction)", "keep", [](In x) { return var(x[0], {-1}, true); }, {n.normal(s)}},
    {"sum_to(x, shape)", "", [](In x) { return sum_to(x[0], {3, 1}); }, {n.normal(s)}},
    {"argmax(x, dim)", "", [](In x) { return argmax(x[0], 1); }, {n.distinct(s)}, false},
    {"topk(x, k, dim)", "values", [](In x) { return topk(x[0], 2, 1).first; }, {n.distinct(s)}, false},
    {"topk(x, k, dim)", "indices", [](In x) { return topk(x[0], 2, -1).second; }, {n.distinct(s)}, false},
  });
}

inline void add_shape_ops(std::vector<OpRow>& rows, Numbers& n) {
  using In = const Inputs&;
  const Shape s{2, 3, 4}, image{2, 3, 2, 4};
  rows.insert(rows.end(), {
    {"reshape(x, shape)", "", [](In x) { return reshape(x[0], {4, -1}); }, {n.normal(s)}},
    {"reshape(x, shape)", "of a transpose", [](In x) { return reshape(transpose(x[0], 0, 2), {3, 8}); }, {n.normal(s)}},
    {"flatten(x, begin, end)", "images", [](In x) { return flatten(x[0]); }, {n.normal(image)}},
    {"flatten(x, begin, end)", "middle", [](In x) { return flatten(x[0], 1, 2); }, {n.normal(image)}},
    {"permute(x, dims)", "", [](In x) { return permute(x[0], {2, 0, -2}); }, {n.normal(s)}},
    {"transpose(x, dim_a, dim_b)", "", [](In x) { return transpose(x[0], 0, -1); }, {n.normal(s)}},
    {"expand(x, shape)", "", [](In x) { return expand(x[0], {2, 3, 4}); }, {n.normal({3, 1})}},
    {"slice(x, dim, begin, end, step)", "", [](In x) { return slice(x[0], 1, 1, 3); }, {n.normal(s)}},
    {"slice(x, dim, begin, end, step)", "strided", [](In x) { return slice(x[0], -1, -4, -1, 2); }, {n.normal(s)}},
    {"slice(x, dim, begin, end, step)", "channels", [](In x) { return slice(x[0], 1, 1, 3); }, {n.normal(image)}},
    {"pad(x, before, after, value)", "", [](In x) { return pad(x[0], {0, 1, 2}, {1, 0, 3}, 7); }, {n.normal(s)}},
    {"pad(x, before, after, value)", "images", [](In x) { return pad(x[0], {0, 0, 1, 1}, {0, 0, 1, 2}); }, {n.normal(image)}},
    {"cat(xs, dim)", "", [](In x) { return cat(x, 1); }, {n.normal(s), n.normal({2, 1, 4}), n.normal({2, 2, 4})}},
    {"cat(xs, dim)", "channels", [](In x) { return cat(x, 1); }, {n.normal(image), n.normal({2, 2, 2, 4})}},
    {"stack(xs, dim)", "middle", [](In x) { return stack(x, 1); }, {n.normal(s), n.normal(s)}},
    {"stack(xs, dim)", "last", [](In x) { return stack(x, -1); }, {n.normal(s), n.normal(s), n.normal(s)}},
    {"gather(x, dim, index)", "repeated", [](In x) { return gather(x[0], 1, x[1]); }, {n.normal({2, 3}), Numbers::index({0, 2, 2, 1, 1, 1, 0, 2}, {2, 4})}},
    {"gather_grad(dy, dim, index, shape)", "", [](In x) { return gather_grad(x[0], 1, x[1], {2, 3}); }, {n.normal({2, 4}), Numbers::index({0, 2, 2, 1, 1, 1, 0, 2}, {2, 4})}},
    {"slice_grad(dy, shape, dim, begin, end, step)", "", [](In x) { return slice_grad(x[0], {2, 5, 3}, 1, 0, 5, 2); }, {n.normal({2, 3, 3})}},
    {"where(condition, a, b)", "broadcast", [](In x) { return where(x[0], x[1], x[2]); }, {Numbers::index({1, 0, 1}, {3, 1}), n.normal(s), n.normal({4})}},
    {"clone(x)", "", [](In x) { return clone(x[0]); }, {n.normal(s)}},
  });
}

inline void add_products(std::vector<OpRow>& rows, Numbers& n) {
  using In = const Inputs&;
  const Shape image{2, 4, 5, 5}, weight{4, 4, 3, 3};
  const auto conv = [](const Conv2dOptions& options) {
    return [options](In x) { return conv2d(x[0], x[1], x[2], options); };
  };
  const auto conv_transpose = [](const ConvTranspose2dOptions& options) {
    return [options](In x) { return conv_transpose2d(x[0], x[1], x[2], options); };
  };
  rows.insert(rows.end(), {
    {"matmul(a, b)", "matrices", [](In x) { return matmul(x[0], x[1]); }, {n.normal({3, 4}), n.normal({4, 2})}},
    {"matmul(a, b)", "batch", [](In x) { return matmul(x[0], x[1]); }, {n.normal({2, 3, 4}), n.normal({2, 4, 2})}},
    {"matmul(a, b)", "batch, broadcast", [](In x) { return matmul(x[0], x[1]); }, {n.normal({2, 1, 3, 4}), n.normal({3, 4, 2})}},
    {"matmul(a, b)", "rows times matrix", [](In x) { return matmul(x[0], x[1]); }, {n.normal({2, 3, 4}), n.normal({4, 2})}},
    {"matmul(a, b)", "matrix times batch", [](In x) { return matmul(x[0], x[1]); }, {n.normal({3, 4}), n.normal({2, 4, 2})}},
    {"linear(x, w, b)", "", [](In x) { return linear(x[0], x[1], x[2]); }, {n.normal({3, 4}), n.normal({2, 4}), n.normal({2})}},
    {"linear_leaky_relu(x, w, b, slope)", "", [](In x) { return linear_leaky_relu(x[0], x[1], x[2]); }, {n.normal({3, 4}), n.normal({2, 4}), n.normal({2})}},
    {"linear_leaky_relu(x, w, b, slope)", "0.5, rank 3, no bias", [](In x) { return linear_leaky_relu(x[0], x[1], {}, 0.5); }, {n.normal({2, 3, 4}), n.normal({2, 4})}},
    {"linear(x, w, b)", "without b", [](In x) { return linear(x[0], x[1]); }, {n.normal({3, 4}), n.normal({2, 4})}},
    {"linear(x, w, b)", "rank 1", [](In x) { return linear(x[0], x[1], x[2]); }, {n.normal({4}), n.normal({2, 4}), n.normal({2})}},
    {"linear(x, w, b)", "rank 3", [](In x) { return linear(x[0], x[1], x[2]); }, {n.normal({2, 3, 4}), n.normal({2, 4}), n.normal({2})}},
    {"conv2d(x, w, b, options)", "padding", conv({.padding = 1}), {n.normal(image), n.normal(weight), n.normal({4})}},
    {"conv2d(x, w, b, options)", "stride", conv({.stride = {2, 1}, .padding = {1, 0}}), {n.normal(image), n.normal(weight), n.normal({4})}},
    {"conv2d(x, w, b, options)", "dilation", conv({.padding = 2, .dilation = 2}), {n.normal(image), n.normal(weight), n.normal({4})}},
    {"conv2d(x, w, b, options)", "groups", conv({.padding = 1, .groups = 2}), {n.normal(image), n.normal({6, 2, 3, 3}), n.normal({6})}},
    {"conv2d(x, w, b, options)", "depthwise", conv({.stride = 2, .padding = 1, .groups = 4}), {n.normal(image), n.normal({4, 1, 3, 3}), n.normal({4})}},
    {"conv2d(x, w, b, options)", "1x1", conv({.stride = 2}), {n.normal(image), n.normal({3, 4, 1, 1}), n.normal({3})}},
    {"conv2d_leaky_relu(x, w, b, options, slope)", "", [](In x) { return conv2d_leaky_relu(x[0], x[1], x[2], {.padding = 1}); }, {n.normal(image), n.normal(weight), n.normal({4})}},
    {"conv2d_leaky_relu(x, w, b, options, slope)", "0.5, no bias", [](In x) { return conv2d_leaky_relu(x[0], x[1], {}, {.stride = 2}, 0.5); }, {n.normal(image), n.normal(weight)}},
    {"conv2d(x, w, options)", "", [](In x) { return conv2d(x[0], x[1]); }, {n.normal(image), n.normal(weight)}},
    {"conv_transpose2d(x, w, b, options)", "3x3", conv_transpose({.padding = 1}), {n.normal(image), n.normal(weight), n.normal({4})}},
    {"conv_transpose2d(x, w, b, options)", "stride, output padding", conv_transpose({.stride = {2, 3}, .padding = {1, 0}, .output_padding = {1, 2}}), {n.normal({2, 4, 3, 2}), n.normal({4, 3, 3, 3}), n.normal({3})}},
    {"conv_transpose2d(x, w, b, options)", "dilation", conv_transpose({.stride = 2, .padding = 2, .dilation = 2}), {n.normal({2, 4, 3, 3}), n.normal({4, 3, 3, 3}), n.normal({3})}},
    {"conv_transpose2d(x, w, b, options)", "groups", conv_transpose({.stride = 2, .padding = 1, .groups = 2}), {n.normal({2, 4, 3, 3}), n.normal({4, 3, 4, 4}), n.normal({6})}},
    {"conv_transpose2d_leaky_relu(x, w, b, options, slope)", "", [](In x) { return conv_transpose2d_leaky_relu(x[0], x[1], x[2], {.stride = 2, .padding = 1}); }, {n.normal({2, 4, 3, 3}), n.normal({4, 3, 4, 4}), n.normal({3})}},
    {"conv_transpose2d_leaky_relu(x, w, b, options, slope)", "0.5, output padding of the dilation", [](In x) { return conv_transpose2d_leaky_relu(x[0], x[1], {}, {.padding = 1, .output_padding = 1, .dilation = 2}, 0.5); }, {n.normal({2, 4, 3, 3}), n.normal({4, 3, 3, 3})}},
    {"conv_transpose2d(x, w, options)", "", [](In x) { return conv_transpose2d(x[0], x[1], {.stride = 2, .padding = 1}); }, {n.normal({2, 4, 3, 3}), n.normal({4, 3, 4, 4})}},
    {"conv2d_input_grad(dy, w, x, options)", "", [](In x) { return conv2d_input_grad(x[0], x[1], {2, 4, 5, 5}, {.stride = 2, .padding = 1}); }, {n.normal({2, 4, 3, 3}), n.normal(weight)}},
    {"conv2d_weight_grad(dy, x, w, options)", "", [](In x) { return conv2d_weight_grad(x[0], x[1], {4, 4, 3, 3}, {.stride = 2, .padding = 1}); }, {n.normal({2, 4, 3, 3}), n.normal(image)}},
    {"conv2d_weight_grad(dy, x, w, options, dtype)", "", [](In x) { return conv2d_weight_grad(x[0], x[1], {4, 4, 3, 3}, {.padding = 1}, x[0].dtype()); }, {n.normal(image), n.normal(image)}},
  });
}

inline void add_images(std::vector<OpRow>& rows, Numbers& n) {
  using In = const Inputs&;
  const Shape image{2, 3, 4, 5};
  const Pool2dOptions overlapping{.kernel = 3, .stride = 2, .padding = 1}, uncounted{.kernel = 3, .stride = 2, .padding = 1, .count_padding = false};
  const Tensor large = n.distinct(image);
  const Array chosen = kernels::max_pool2d(large.value(), overlapping).second;
  const auto norm = [](BatchNormOptions options) {
    return [options](In x) { return batch_norm(x[0], x[1], x[2], options, x.size() > 3 ? x[3] : Tensor{}); };
  };
  const auto evaluate = [mean = n.normal({3}).value(), variance = n.uniform({3}, 0.5, 2).value()](BatchNormOptions options) {
    return [=](In x) {
      return batch_norm_evaluate(x[0], x[1], x[2], mean.to(x[0].dtype()), variance.to(x[0].dtype()), options, x.size() > 3 ? x[3] : Tensor{});
    };
  };
  const std::string norm_op = "batch_norm(x, w, b, options, residual, mean, variance)", evaluate_op = "batch_norm_evaluate(x, w, b, mean, variance, options, residual)";
  rows.insert(rows.end(), {
    {"max_pool2d(x, options)", "", [](In x) { return max_pool2d(x[0], {.kernel = 2}); }, {n.distinct(image)}},
    {"max_pool2d(x, options)", "overlapping", [=](In x) { return max_pool2d(x[0], overlapping); }, {large}},
    {"max_pool2d_grad(dy, chosen, x, options)", "", [=](In x) { return max_pool2d_grad(x[0], chosen, {2, 3, 4, 5}, overlapping); }, {n.normal(chosen.shape())}},
    {"max_pool2d_take(x, chosen, options)", "", [=](In x) { return max_pool2d_take(x[0], chosen, overlapping); }, {n.normal(image)}},
    {"average_pool2d(x, options)", "", [](In x) { return average_pool2d(x[0], {.kernel = {2, 3}}); }, {n.normal(image)}},
    {"average_pool2d(x, options)", "overlapping", [=](In x) { return average_pool2d(x[0], overlapping); }, {n.normal(image)}},
    {"average_pool2d(x, options)", "padding not counted", [=](In x) { return average_pool2d(x[0], uncounted); }, {n.normal(image)}},
    {"average_pool2d_grad(dy, x, options)", "", [=](In x) { return average_pool2d_grad(x[0], {2, 3, 4, 5}, overlapping); }, {n.normal(chosen.shape())}},
    {"global_average_pool2d(x)", "", [](In x) { return global_average_pool2d(x[0]); }, {n.normal(image)}},
    {"upsample2d(x, options)", "nearest", [](In x) { return upsample2d(x[0], {.scale = 2}); }, {n.normal(image)}},
    {"upsample2d(x, options)", "nearest, fractions", [](In x) { return upsample2d(x[0], {.scale = {1.7, 0.6}}); }, {n.normal(image)}},
    {"upsample2d(x, options)", "bilinear", [](In x) { return upsample2d(x[0], {.scale = 2, .mode = Interpolation::bilinear}); }, {n.normal(image)}},
    {"upsample2d(x, options)", "bilinear, to a size", [](In x) { return upsample2d(x[0], {.size = {7, 3}, .mode = Interpolation::bilinear}); }, {n.normal(image)}},
    {"upsample2d_grad(dy, x, options)", "nearest", [](In x) { return upsample2d_grad(x[0], {2, 3, 4, 5}, {.size = {7, 6}}); }, {n.normal({2, 3, 7, 6})}},
    {"upsample2d_grad(dy, x, options)", "bilinear", [](In x) { return upsample2d_grad(x[0], {2, 3, 4, 5}, {.scale = 1.5, .mode = Interpolation::bilinear}); }, {n.normal({2, 3, 6, 7})}},
    {"group_norm(x, w, b, options)", "images", [](In x) { return group_norm(x[0], x[1], x[2], {.groups = 2}); }, {n.normal({2, 4, 3, 2}), n.normal({4}), n.normal({4})}},
    {"group_norm(x, w, b, options)", "each channel", [](In x) { return group_norm(x[0], x[1], x[2], {.groups = 3, .epsilon = 0.1}); }, {n.normal(image), n.normal({3}), n.normal({3})}},
    {"group_norm(x, w, b, options)", "rank 2", [](In x) { return group_norm(x[0], x[1], x[2]); }, {n.normal({3, 6}), n.normal({6}), n.normal({6})}},
    {"group_norm(x, w, b, options)", "rank 3", [](In x) { return group_norm(x[0], x[1], x[2], {.groups = 2}); }, {n.normal({2, 4, 5}), n.normal({4}), n.normal({4})}},
    {norm_op, "images", norm({}), {n.normal(image), n.normal({3}), n.normal({3})}},
    {norm_op, "rank 2", norm({}), {n.normal({5, 3}), n.normal({3}), n.normal({3})}},
    {norm_op, "relu", norm({.relu = true}), {n.normal(image), n.normal({3}), n.normal({3})}},
    {norm_op, "residual", norm({.epsilon = 0.1}), {n.normal(image), n.normal({3}), n.normal({3}), n.normal(image)}},
    {norm_op, "residual, relu", norm({.relu = true}), {n.normal(image), n.normal({3}), n.normal({3}), n.normal(image)}},
    {evaluate_op, "images", evaluate({}), {n.normal(image), n.normal({3}), n.normal({3})}},
    {evaluate_op, "rank 2", evaluate({}), {n.normal({5, 3}), n.normal({3}), n.normal({3})}},
    {evaluate_op, "residual, relu", evaluate({.relu = true}), {n.normal(image), n.normal({3}), n.normal({3}), n.normal(image)}},
    {"dropout(x, p, generator)", "", [](In x) { Generator generator(3); return dropout(x[0], 0.4, generator); }, {n.normal(image)}},
  });
}

inline void add_losses(std::vector<OpRow>& rows, Numbers& n) {
  using In = const Inputs&;
  const Tensor labels = Numbers::index({2, 0, 1, 2}, {4}), ignored = Numbers::index({2, -100, 1, -100}, {4});
  rows.insert(rows.end(), {
    {"cross_entropy(x, labels, options)", "", [](In x) { return cross_entropy(x[0], x[1]); }, {n.normal({4, 3}), labels}},
    {"cross_entropy(x, labels, options)", "smoothing", [](In x) { return cross_entropy(x[0], x[1], {.label_smoothing = 0.1}); }, {n.normal({4, 3}), labels}},
    {"cross_entropy(x, labels, options)", "ignored rows", [](In x) { return cross_entropy(x[0], x[1], {.label_smoothing = 0.2}); }, {n.normal({4, 3}), ignored}},
    {"mse_loss(x, target)", "", [](In x) { return mse_loss(x[0], x[1]); }, {n.normal({4, 3}), n.normal({4, 3})}},
    {"l1_loss(x, target)", "", [](In x) { return l1_loss(x[0], x[1]); }, {n.distinct({4, 3}), n.uniform({4, 3}, -0.04, 0.04)}},
    {"binary_cross_entropy(x, target)", "", [](In x) { return binary_cross_entropy(x[0], x[1]); }, {n.uniform({4, 3}, 0.1, 0.9), n.uniform({4, 3}, 0, 1)}},
    {"gaussian_kl(mean, log_variance)", "", [](In x) { return gaussian_kl(x[0], x[1]); }, {n.normal({4, 3}), n.normal({4, 3})}},
    {"binary_cross_entropy_with_logits(x, target)", "", [](In x) { return binary_cross_entropy_with_logits(x[0], x[1]); }, {n.normal({4, 3}), n.uniform({4, 3}, 0, 1)}},
  });
}

// clang-format on
// NOLINTEND

inline std::vector<OpRow> op_table() {
  std::vector<OpRow> rows;
  Numbers numbers;
  add_arithmetic(rows, numbers);
  add_functions(rows, numbers);
  add_reductions(rows, numbers);
  add_shape_ops(rows, numbers);
  add_products(rows, numbers);
  add_images(rows, numbers);
  add_losses(rows, numbers);
  return rows;
}

}  // namespace tandem::test
