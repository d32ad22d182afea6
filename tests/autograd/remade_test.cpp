// Large outputs of batch norm and ReLU: ops that save them do not keep them, and find them again in backward.
#include <doctest/doctest.h>

#include <tandem/autograd/backward.h>
#include <tandem/autograd/checkpoint.h>
#include <tandem/autograd/ops.h>
#include <tandem/autograd/record.h>
#include <tandem/autograd/remade.h>
#include <tandem/autograd/sequence_ops.h>
#include <tandem/core/error.h>
#include <tandem/core/generator.h>
#include <tandem/core/kernels/elementwise/elementwise.h>

using namespace tandem;

namespace {

struct Block {
  Tensor x, w1, scale, shift, w2;

  Block() {
    Generator g(1);
    const auto leaf = [&](const Shape& shape) {
      Array a = Array::empty(shape, DType::f32, shape.rank() == 4 ? Layout::channels_last : Layout::row_major);
      g.fill_normal(a);
      return Tensor(a).set_requires_grad(true);
    };
    x = leaf({32, 8, 128, 128});  // 16 MiB an activation
    w1 = leaf({8, 8, 1, 1});
    scale = leaf({8});
    shift = leaf({8});
    w2 = leaf({8, 8, 1, 1});
  }

  /// The batch norm's ReLU as an op of its own takes no part.
  Tensor forward(bool is_one_op) const {
    const Tensor c = conv2d(x, w1);
    const Tensor y = is_one_op ? batch_norm(c, scale, shift, {.relu = true}) : relu(batch_norm(c, scale, shift));
    return conv2d(y, w2);
  }

  std::vector<Array> gradients(const Tensor& y) {
    for (Tensor t : {x, w1, scale, shift, w2}) t.zero_grad();
    sum(y).backward();
    return {x.grad(), w1.grad(), scale.grad(), shift.grad(), w2.grad()};
  }
};

}  // namespace

TEST_CASE("a convolution after batch norm and ReLU does not keep its input, and its gradient has the same bits") {
  Block block;
  const std::int64_t activation = block.x.size() * 4;
  const std::vector<Array> plain = block.gradients(block.forward(false));
  const Tensor c = conv2d(block.x, block.w1), y = batch_norm(c, block.scale, block.shift, {.relu = true});
  const std::int64_t without = graph_stats().saved_bytes;
  const Tensor z = conv2d(y, block.w2);
  CHECK(graph_stats().saved_bytes - without < activation / 2);
  const std::vector<Array> remade = block.gradients(block.forward(true));
  for (std::size_t i = 0; i < plain.size(); ++i) {
    CAPTURE(i);
    CHECK(identical(plain[i], remade[i]));
  }
}

TEST_CASE("a product after GELU or SiLU does not keep its input, and its gradient has the same bits") {
  Generator g(3);
  const auto leaf = [&](const Shape& shape) {
    Array a = Array::empty(shape);
    g.fill_normal(a);
    return Tensor(a).set_requires_grad(true);
  };
  Tensor x = leaf({2048, 1024}), w = leaf({16, 1024});  // 8 MiB
  for (Tensor (*op)(const Tensor&) : {gelu, silu}) {
    const auto gradients = [&](const Tensor& y) {
      x.zero_grad(), w.zero_grad();
      sum(linear(y, w)).backward();
      return std::vector<Array>{x.grad(), w.grad()};
    };
    const std::int64_t before = graph_stats().saved_bytes;
    Tensor y = op(x);
    const Tensor z = linear(y, w);
    CHECK(graph_stats().saved_bytes - before < x.size() * 4 + x.size());  // x, and not y
    y = Tensor();
    const std::vector<Array> remade = gradients(op(x));
    x.zero_grad(), w.zero_grad();
    sum(z).backward();
    CHECK(identical(x.grad(), remade[0]));
    CHECK(identical(w.grad(), remade[1]));
    const std::vector<Array> plain = gradients(op(x) * 1.0);  // the input of the product is another op's
    CHECK(identical(plain[1], remade[1]));
  }
}

TEST_CASE("a product after a layer norm does not keep its input, and its gradient has the same bits") {
  Generator g(4);
  const auto leaf = [&](const Shape& shape) {
    Array a = Array::empty(shape);
    g.fill_normal(a);
    return Tensor(a).set_requires_grad(true);
  };
  const Tensor given = leaf({1024, 256}), w = leaf({16, 256}), scale = leaf({256}), shift = leaf({256});  // 1 MiB
  for (const auto& pair : {std::pair{scale, shift}, {scale, Tensor()}, {Tensor(), shift}, {Tensor(), Tensor()}}) {
    const auto gradient = [&](bool is_remade) {
      const Tensor x = given * 1.0;
      const std::int64_t before = graph_stats().saved_bytes;
      Tensor y = layer_norm(x, pair.first, pair.second);
      if (!is_remade) y = y * 1.0;  // another op's
      const Tensor z = linear(y, w);
      y = Tensor();
      const std::int64_t kept = graph_stats().saved_bytes - before;
      CHECK((kept < given.size() * 4 * 3 / 2) == is_remade);
      return grad({sum(square(z))}, {w})[0].value();
    };
    CHECK(identical(gradient(true), gradient(false)));
  }
}

TEST_CASE("inside a checkpoint, and for second derivatives, it is found as well") {
  Block block;
  const std::vector<Array> plain = block.gradients(block.forward(true));
  const std::vector<Array> checkpointed =
      block.gradients(checkpoint([&](const Tensor&) { return block.forward(true); }, block.x));
  for (std::size_t i = 0; i < plain.size(); ++i) CHECK(identical(plain[i], checkpointed[i]));

  const auto second = [&](bool is_one_op) {
    const Tensor dw = grad({sum(square(block.forward(is_one_op)))}, {block.w2}, {.create_graph = true})[0];
    return grad({sum(square(dw))}, {block.scale})[0].value().to_vector<double>();
  };
  const std::vector<double> a = second(true), b = second(false);
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i] == doctest::Approx(b[i]).epsilon(1e-3));
}

TEST_CASE("a value that was written into is kept as it is") {
  Block block;
  Tensor y = batch_norm(block.x * 1.0, block.scale, block.shift, {.relu = true});
  y.mutable_value().fill(2);
  const Tensor dw = grad({sum(conv2d(y, block.w2))}, {block.w2})[0];
  CHECK(dw.value().at({0, 0, 0, 0}) == doctest::Approx(2.0 * 32 * 128 * 128));
}

TEST_CASE("a value is made again when nobody has it any more, and what it is made from must not have changed") {
  Array source = Array::from({1, 2}, {2}), value = Array::from({2, 4}, {2});
  int made = 0;
  Remade remade(value, {source}, [&](const std::vector<Array>& of) {
    ++made;
    return kernels::multiply(of[0], 2.0);
  });
  CHECK(remade.is_of(value));
  CHECK(remade.value().storage() == value.storage());
  CHECK(made == 0);
  value = Array();
  {
    const Array again = remade.value();
    CHECK(again.to_vector<double>() == std::vector<double>{2, 4});
    CHECK(remade.value().storage() == again.storage());
    CHECK(made == 1);
  }
  source.fill(3);
  CHECK_THROWS_WITH_AS(remade.value(),
                       "backward: what a value is made again from was changed in place after forward: [2]; clone() it "
                       "before changing it, or call backward first",
                       Error);
}
