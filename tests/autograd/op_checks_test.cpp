// An argument is checked in one place: what an op refuses its kernel refuses with the same words, and what one takes
// the other takes.
#include "ops_helpers.h"

#include <functional>
#include <limits>

#include <tandem/autograd/array_ops.h>
#include <tandem/autograd/sequence_ops.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/move/index.h>
#include <tandem/core/kernels/normalise/group_norm.h>
#include <tandem/core/kernels/normalise/layer_norm.h>
#include <tandem/core/kernels/normalise/softmax.h>
#include <tandem/core/kernels/product/matmul.h>
#include <tandem/core/kernels/reduce/reduce.h>

using namespace tandem;
using namespace tandem::test;
namespace k = tandem::kernels;

namespace {

/// An op and what it rests on, called with the same argument.
struct Pair {
  std::string name;
  std::function<void()> op, kernel;
};

Array numbers(const Shape& shape) { return Array::full(shape, 0.5); }

Array ids(const std::vector<std::int64_t>& values) {
  return Array::from(values, {static_cast<std::int64_t>(values.size())});
}

void check_equal(const std::vector<Pair>& pairs, bool are_errors) {
  for (const Pair& pair : pairs) {
    CAPTURE(pair.name);
    const std::string said = message_of(pair.op);
    CHECK(said == message_of(pair.kernel));
    CHECK((said != "no error") == are_errors);
  }
}

/// The message without the name of who says it.
std::string after_colon(const std::string& message) { return message.substr(message.find(':') + 1); }

}  // namespace

TEST_CASE("numbers out of range are refused by op and kernel alike, and those on the bounds are taken by both") {
  const Array x = numbers({2, 3}), labels = ids({0, 2});
  const auto smoothing = [&](double s) {
    return Pair{"smoothing " + std::to_string(s), [=] { cross_entropy(x, labels, {.label_smoothing = s}); },
                [=] { k::cross_entropy(x, labels, s, -100, nullptr); }};
  };
  const auto range = [&](double low, double high) {
    return Pair{"clamp", [=] { clamp(x, low, high); }, [=] { k::clamp(x, low, high); }};
  };
  const auto probability = [&](double p) {
    return Pair{"dropout " + std::to_string(p),
                [=] {
                  Generator generator(1);
                  dropout(x, p, generator);
                },
                [=] {
                  Generator generator(1);
                  Array mask = Array::empty_like(x);
                  generator.fill_dropout_mask(mask, p);
                }};
  };
  const auto epsilon = [&](double e) {
    return Pair{"layer_norm", [=] { layer_norm(x, {}, {}, {.epsilon = e}); }, [=] { k::layer_norm(x, {}, {}, 1, e); }};
  };
  const auto groups = [&](double e) {
    const Array w = numbers({3});
    return Pair{"group_norm", [=] { group_norm(x, w, w, {.groups = 3, .epsilon = e}); },
                [=] { k::group_norm(x, 3, w, w, e); }};
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  check_equal({smoothing(0), smoothing(1), range(-1, 1), range(1, 1), probability(0), probability(0.5), epsilon(1e-300),
               groups(1e-300)},
              false);
  check_equal({smoothing(-0.1), smoothing(1.001), smoothing(nan), range(1, -1), range(nan, 1), probability(-0.5),
               probability(1), probability(nan), epsilon(0), epsilon(-1), epsilon(nan), groups(0), groups(nan)},
              true);
}

TEST_CASE("parts of a dim are checked by one rule for Arrays and Tensors, whose negative places count from the back") {
  const Array x = numbers({2, 3});
  const auto part = [&](std::int64_t begin, std::int64_t end, std::int64_t step) {
    return Pair{"slice", [=] { slice(x, 1, begin, end, step); }, [=] { (void)x.slice(1, begin, end, step); }};
  };
  const auto element = [&](std::int64_t index) {
    return Pair{"select", [=] { select(x, 1, index); }, [=] { (void)x.select(1, index); }};
  };
  check_equal({part(0, 3, 1), part(-3, -1, 1), part(-1, 3, 2), part(3, 3, 1), element(-3), element(2)}, false);
  check_equal({part(0, 4, 1), part(-4, 3, 1), part(2, 1, 1), part(0, 3, 0), part(0, -4, 1), element(-4), element(3)},
              true);
  check_equal({{"cat", [] { cat({}, 0); }, [] { k::concatenate({}, 0); }},
               {"stack", [] { stack({}, 0); }, [] { k::concatenate({}, 0); }}},
              true);
}

TEST_CASE("shapes of biases and factors are refused by op and kernel alike") {
  const Array x = numbers({1, 2, 4, 4}), w = numbers({2, 2, 3, 3}), bad = numbers({3});
  const Array a = numbers({2, 3}), rows = numbers({4, 3});
  check_equal({{"conv2d", [&] { conv2d(x, w, bad); }, [&] { k::conv2d(x, w, bad, {}); }},
               {"conv_transpose2d", [&] { conv_transpose2d(x, w, bad); }, [&] { k::conv_transpose2d(x, w, bad, {}); }},
               {"beyond the stride", [&] { conv_transpose2d(x, w, bad, {.output_padding = 1, .dilation = 2}); },
                [&] { k::conv_transpose2d(x, w, bad, {}); }},
               {"linear", [&] { linear(a, rows, bad); }, [&] { k::linear(a, rows, bad); }},
               {"columns", [&] { matmul(a, rows); }, [&] { k::matmul(a, rows); }},
               {"features",
                [&] {
                  linear(a, numbers({4, 2}));
                },
                [&] {
                  k::linear(a, numbers({4, 2}), {});
                }}},
              true);
}

TEST_CASE("whole numbers where floating ones belong are refused by op and kernel alike") {
  const Array i = ids({1, 2});
  check_equal({{"exp", [&] { exp(i); }, [&] { k::exp(i); }},
               {"mean", [&] { mean(i); }, [&] { k::mean(i); }},
               {"softmax", [&] { softmax(i, 0); }, [&] { k::softmax(i, 0); }},
               {"layer_norm", [&] { layer_norm(i, {}, {}); }, [&] { k::layer_norm(i, {}, {}, 1, 1e-5); }}},
              true);
}

TEST_CASE("token ids are checked once, under the name of the op") {
  const Array table = numbers({3, 2});
  for (const Array& index : {ids({0, 3}), ids({-1, 0}), numbers({2})}) {
    const std::string said = message_of([&] { embedding(table, index); });
    CHECK(said.starts_with("embedding: "));
    CHECK(after_colon(said) == after_colon(message_of([&] { k::take_rows(table, index); })));
  }
  CHECK(message_of([&] {
          embedding(table, ids({0, 3}));
        }) == "embedding: index out of range: index[1] is 3, valid are 0..2");
  CHECK(message_of([&] {
          embedding_grad(numbers({2, 2}), ids({0, 3}), {3, 2});
        }) == "embedding_grad: index out of range: index[1] is 3, valid are 0..2");
}

TEST_CASE("a table may have rows of any shape, and the padding row of each gets no gradient") {
  const Tensor table(Array::from({1, 2, 3, 4, 5, 6, 7, 8}, {2, 2, 2}), true);
  const Tensor y = embedding(table, ids({1, 0, 1}), {.padding = 0});
  check_values(y, {5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8});
  const Tensor seed(Array::full({3, 2, 2}, 1), true);
  const Tensor dtable = grad({y}, {table}, {.create_graph = true, .seeds = {seed}})[0];
  check_values(dtable, {0, 0, 0, 0, 2, 2, 2, 2});
  check_values(grad({sum(dtable)}, {seed})[0], {1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1});
}
