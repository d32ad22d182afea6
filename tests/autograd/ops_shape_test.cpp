// Reductions and shape ops: hand values, views instead of copies, layouts, errors.
#include "ops_helpers.h"

#include <cmath>

#include <tandem/autograd/array_ops.h>

using namespace tandem;
using namespace tandem::test;

namespace {

bool share_storage(const Tensor& a, const Tensor& b) { return a.value().storage() == b.value().storage(); }

}  // namespace

TEST_CASE("reductions by hand") {
  const Tensor x = leaf({1, 2, 3, 4, 5, 9}, {2, 3});
  check_values(sum(x), {24});
  check_values(sum(x, {0}), {5, 7, 12});
  check_values(mean(x, {-1}), {2, 6});
  CHECK(mean(x, {1}, true).shape() == Shape{2, 1});
  check_values(var(x, {1}), {1, 7});
  check_values(var(x, {1}, false, 0), {2.0 / 3, 14.0 / 3});
  check_values(argmax(x, 1), {2, 2});
  const auto [values, indices] = topk(x, 2, 1);
  check_values(values, {3, 2, 9, 5});
  check_values(indices, {2, 1, 2, 1});
  mean(x).backward();
  check_values(x.grad(), std::vector<double>(6, 1.0 / 6));
}

TEST_CASE("max shares its gradient between equals") {
  const Tensor x = leaf({1, 3, 3, 2, 0, 2}, {2, 3});
  check_values(grad({sum(max(x, {1}))}, {x}).front(), {0, 0.5, 0.5, 0.5, 0, 0.5});
  check_values(grad({max(x)}, {x}).front(), {0, 0.5, 0.5, 0, 0, 0});
}

TEST_CASE("var says when there are too few values") {
  CHECK(message_of([] {
          var(leaf({1, 2}, {2, 1}), {1});
        }) == "var: 1 values are too few for correction 1: x [2, 1], dims 1");
}

TEST_CASE("softmax by hand, and stable for large numbers") {
  const Tensor x = leaf({0, std::log(3.0), 1000, 1000}, {2, 2});
  const Tensor y = softmax(x, 1);
  check_values(y, {0.25, 0.75, 0.5, 0.5});
  check_values(grad({slice(slice(y, 0, 0, 1), 1, 0, 1)}, {x}).front(), {0.1875, -0.1875, 0, 0});
  check_values(log_softmax(x, 1), {std::log(0.25), std::log(0.75), -std::log(2), -std::log(2)});
}

TEST_CASE("reshape, permute, transpose, expand and slice are views") {
  const Tensor x = leaf({1, 2, 3, 4, 5, 6}, {2, 3});
  CHECK(share_storage(reshape(x, {3, -1}), x));
  CHECK(share_storage(permute(x, {1, 0}), x));
  CHECK(share_storage(transpose(x, 0, 1), x));
  CHECK(share_storage(expand(x, {4, 2, 3}), x));
  CHECK(share_storage(slice(x, 1, 0, 3, 2), x));
  CHECK(reshape(x, {2, 3}).state() == x.state());
  CHECK(slice(x, 1, 0, 3).state() == x.state());
  CHECK_FALSE(share_storage(clone(x), x));
  check_values(slice(x, 1, 0, 3, 2), {1, 3, 4, 6});
  check_values(slice(x, -1, -2, -1), {2, 5});
  check_values(transpose(x, 0, 1), {1, 4, 2, 5, 3, 6});
}

TEST_CASE("flatten follows N, C, H, W whatever the memory order, and its gradient comes back channels-last") {
  const Tensor x(Array::arange(24, DType::f32).reshape({2, 3, 2, 2}).to_layout(Layout::channels_last), true);
  const Tensor y = flatten(x);
  CHECK(y.shape() == Shape{2, 12});
  for (int i = 0; i < 24; ++i) CHECK(y.value().at({i / 12, i % 12}) == i);
  const Tensor dx = grad({sum(square(y))}, {x}).front();
  CHECK(dx.value().is_channels_last());
  CHECK(dx.value().at({1, 2, 1, 0}) == 2 * 22);
  CHECK(flatten(x, 1, 2).shape() == Shape{2, 6, 2});
}

TEST_CASE("gradients of slice, pad, cat, stack and gather by hand") {
  const Tensor x = leaf({1, 2, 3, 4}, {4}), z = leaf({5, 6}, {2});
  const Tensor weights = Tensor({1, 10, 100, 1000, 10000, 100000}, {6});
  check_values(grad({sum(slice(x, 0, 1, 4, 2))}, {x}).front(), {0, 1, 0, 1});
  check_values(pad(x, {1}, {1}, 7), {7, 1, 2, 3, 4, 7});
  check_values(grad({sum(pad(x, {1}, {1}, 7) * weights)}, {x}).front(), {10, 100, 1000, 10000});
  const std::vector<Tensor> both = grad({sum(cat({x, z}, 0) * weights)}, {x, z});
  check_values(both[0], {1, 10, 100, 1000});
  check_values(both[1], {10000, 100000});
  const Tensor pairs = stack({z, z}, 1);
  check_values(pairs, {5, 5, 6, 6});
  check_values(grad({sum(pairs)}, {z}).front(), {2, 2});
  const Tensor read = gather(x, 0, labels({3, 0, 3}));
  check_values(read, {4, 1, 4});
  check_values(grad({sum(read)}, {x}).front(), {1, 0, 0, 2});
}

TEST_CASE("cat of more than 64 parts gives each its gradient") {
  std::vector<Tensor> parts;
  for (int i = 0; i < 70; ++i) parts.push_back(leaf({1.0 * i}, {1}));
  sum(square(cat(parts, 0))).backward();
  for (int i = 0; i < 70; ++i) check_values(parts[static_cast<std::size_t>(i)].grad(), {2.0 * i});
}

TEST_CASE("where takes values and gradients from the chosen side") {
  const Tensor a = leaf({1, 2}, {2}), b = leaf({10}, {1});
  const Tensor y = where(labels({1, 0}), a, b);
  check_values(y, {1, 10});
  sum(y).backward();
  check_values(a.grad(), {1, 0});
  check_values(b.grad(), {1});
}

TEST_CASE("reductions over an empty list of dims are the identity, with its gradient") {
  const std::vector<int> none;
  const auto check_identity = [&](auto&& op) {
    const Tensor x = leaf({1, 2, 3, 4}, {2, 2});
    const Tensor y = op(x);
    CHECK(y.shape() == Shape{2, 2});
    check_values(y, {1, 2, 3, 4});
    y.backward(Array::from({5, 6, 7, 8}, {2, 2}));
    check_values(x.grad(), {5, 6, 7, 8});
  };
  check_identity([&](const Tensor& x) { return sum(x, none); });
  check_identity([&](const Tensor& x) { return sum(x, {}, true); });
  check_identity([&](const Tensor& x) { return mean(x, none); });
  check_identity([&](const Tensor& x) { return max(x, none); });
  check_identity([&](const Tensor& x) { return min(x, none); });
  const Tensor x = leaf({1, 2, 3, 4}, {2, 2});
  check_values(var(x, none, false, 0), {0, 0, 0, 0});
  CHECK(message_of([&] { var(x, none); }) == "var: 1 values are too few for correction 1: x [2, 2], dims none");
  check_values(sum(x, all), {10});
}

TEST_CASE("a pointer to a reduction over a list takes an empty one for all dims, a call for none") {
  using Reduce = Tensor (*)(const Tensor&, const std::vector<int>&, bool);
  const Tensor x(Array::from({1, 2, 3, 6}, {2, 2}), true);
  const std::vector<std::pair<Reduce, double>> reductions = {{sum, 12}, {mean, 3}, {max, 6}};
  for (const auto& [reduce, whole] : reductions) {
    CHECK(reduce(x, {1}, true).shape() == Shape{2, 1});
    CHECK(reduce(x, {}, false).item() == whole);
    CHECK(reduce(x, {}, true).shape() == Shape{1, 1});
  }
  const std::vector<int> none;
  CHECK(identical(sum(x, none).value(), x.value()));
  CHECK(identical(max(x, none, true).value(), x.value()));
  CHECK(sum(x, std::vector<int>{0}, false).value().at({1}) == 8);
}

TEST_CASE("shape errors name op and shape") {
  const Tensor x = leaf({1, 2, 3, 4, 5, 6}, {2, 3});
  CHECK(message_of([&] { slice(x, 1, 1, 4); }) ==
        "slice: 1:4:1 does not fit dim 1 of size 3: x [2, 3]; 0 <= begin <= end <= size and step >= 1");
  CHECK(message_of([&] {
          stack({x, transpose(x, 0, 1)}, 0);
        }) == "stack: all shapes must be equal: x [2, 3] and [3, 2]");
  CHECK(message_of([&] { cat({}, 0); }) == "concatenate: needs at least one array: none given");
  CHECK(message_of([&] { stack({}, 0); }) == "concatenate: needs at least one array: none given");
  CHECK(message_of([&] { flatten(x, 1, 0); }) == "flatten: begin is after end: begin 1, end 0, x [2, 3]");
  CHECK(message_of([&] { permute(x, {0, 0}); }).substr(0, 8) == "permute:");
  CHECK(message_of([&] { reshape(x, {4, 2}); }).find("[2, 3]") != std::string::npos);
  CHECK(message_of([&] { softmax(x, 2); }).substr(0, 8) == "softmax:");
}
