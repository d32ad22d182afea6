// Replay: for every op, what is replayed has the bits of the pass itself. Not here: when it is (replay_test.cpp).
#include "array_op_rows.h"
#include "op_table.h"
#include "sequence_op_rows.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include <tandem/autograd/replay.h>

using namespace tandem;
using namespace tandem::test;

namespace {

/// A leaf with memory for its gradient, as an Optimizer binds it.
Tensor bound(const Array& value) {
  Tensor leaf(value.clone(), is_floating(value.dtype()));
  if (!is_floating(value.dtype())) return leaf;
  leaf.state()->grad = Array::empty_like(leaf.value());
  leaf.state()->grad_bound = true;
  return leaf;
}

/// Other numbers in the same memory.
void change(Tensor& leaf, int step) {
  Array value = leaf.mutable_value();
  value.copy_from((Tensor(value) * (1 - 0.02 * step)).value());
}

/// Replays the op of a row and compares; what stands in the way, or "".
std::string replay_row(const OpRow& row, DType dtype) {
  Inputs leaves;
  for (const Tensor& x : row.inputs) {
    leaves.push_back(bound(is_floating(x.dtype()) ? x.value().to(dtype) : x.value()));
  }
  const auto loss_of = [&](const std::vector<Tensor>& in) {
    const Tensor y = row.function(leaves);
    return sum((is_floating(y.dtype()) ? y : y.to(dtype)) * in[0]);
  };
  Replay pass(loss_of);
  for (int step = 0; step < 5; ++step) {
    CAPTURE(step);
    for (Tensor& leaf : leaves) {
      if (!leaf.requires_grad()) continue;
      change(leaf, step);
      leaf.zero_grad();
    }
    const Array c = Array::scalar(1 + step, dtype);
    const Tensor expected = loss_of({Tensor(c)});
    expected.backward();
    std::vector<Array> grads;
    for (Tensor& leaf : leaves) {
      grads.push_back(leaf.has_grad() ? leaf.grad().clone() : Array());
      if (leaf.requires_grad()) leaf.zero_grad();
    }
    CHECK(identical(pass(c).value(), expected.value()));
    for (std::size_t i = 0; i < leaves.size(); ++i) CHECK(identical(leaves[i].grad(), grads[i]));
  }
  CHECK(pass.replayed() == (pass.why_not().empty() ? 3 : 0));
  return pass.why_not();
}

std::vector<OpRow> all_rows() {
  std::vector<OpRow> rows = op_table();
  for (OpRow& row : sequence_op_table()) rows.push_back(std::move(row));
  for (OpRow& row : array_op_table()) rows.push_back(std::move(row));
  return rows;
}

std::string name_of(const OpRow& row) { return row.op.substr(0, row.op.find('(')); }

}  // namespace

TEST_CASE("replay: every op has the bits of the pass itself, replayed or not") {
  std::set<std::string> kept, not_kept;
  for (const OpRow& row : all_rows()) {
    if (!row.is_differentiable) continue;
    CAPTURE(row.op);
    CAPTURE(row.variant);
    for (const DType dtype : {DType::f32, DType::f64}) {
      const std::string why_not = replay_row(row, dtype);
      (why_not.empty() ? kept : not_kept).insert(name_of(row));
    }
  }
  // Those whose kernels take no part in captures, or that look at numbers on the way.
  const std::set<std::string> expected{"average_pool2d",
                                       "average_pool2d_grad",
                                       "batch_norm",
                                       "batch_norm_evaluate",
                                       "binary_cross_entropy",
                                       "conv2d",
                                       "conv2d_input_grad",
                                       "conv2d_leaky_relu",
                                       "conv2d_weight_grad",
                                       "conv_transpose2d",
                                       "conv_transpose2d_leaky_relu",
                                       "dropout",
                                       "embedding",
                                       "embedding_grad",
                                       "gather",
                                       "gather_grad",
                                       "global_average_pool2d",
                                       "group_norm",
                                       "gru",
                                       "layer_norm",
                                       "locked_dropout",
                                       "lstm",
                                       "max_pool2d",
                                       "max_pool2d_grad",
                                       "max_pool2d_take",
                                       "scaled_dot_product_attention",
                                       "self_attention",
                                       "upsample2d",
                                       "upsample2d_grad"};
  CHECK(not_kept == expected);
  for (const std::string& op : not_kept) CHECK_MESSAGE(expected.contains(op), op);
  // What networks of a few layers are made of, with all options and dtypes.
  for (const char* op : {"add",         "subtract",      "multiply", "divide",
                         "pow",         "matmul",        "linear",   "linear_leaky_relu",
                         "relu",        "leaky_relu",    "elu",      "gelu",
                         "silu",        "sigmoid",       "tanh",     "softplus",
                         "exp",         "log",           "sqrt",     "softmax",
                         "log_softmax", "cross_entropy", "mse_loss", "l1_loss",
                         "sum",         "mean",          "reshape",  "binary_cross_entropy_with_logits",
                         "transpose",   "flatten",       "slice",    "cat",
                         "where"}) {
    CHECK_MESSAGE(kept.contains(op), op);
  }
}
