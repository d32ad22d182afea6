// See gradcheck.h.
#include <tandem/nn/gradcheck.h>

#include <algorithm>

namespace tandem::nn {

namespace {

/// While it lives, the parameters, buffers and random state of a model are copies, floating ones in f64.
class DoublePrecision {
 public:
  explicit DoublePrecision(Module& model) : parameters_(model.parameters()) {
    for (const NamedTensors& list : {model.state_dict(), model.random_state()}) {
      for (const NamedTensor& t : list) exchange(*t.tensor.state());
    }
    for (NamedTensor& p : parameters_) p.tensor.set_requires_grad(true);
  }
  ~DoublePrecision() {
    for (const Row& row : rows_) *row.state = row.before;
  }
  DoublePrecision(const DoublePrecision&) = delete;
  DoublePrecision& operator=(const DoublePrecision&) = delete;

  const NamedTensors& parameters() const { return parameters_; }

  /// What calls change: buffers and random state, as they were at first.
  void rewind() {
    for (const Row& row : rows_) {
      if (!row.state->requires_grad) row.state->value = row.start.clone();
    }
  }

 private:
  struct Row {
    TensorState* state;
    TensorState before;
    Array start;
  };

  void exchange(TensorState& state) {
    const TensorState before = state;
    const Array start = (is_floating(before.value.dtype()) ? before.value.to(DType::f64) : before.value).clone();
    state = TensorState{};
    state.value = start.clone();
    rows_.push_back({&state, before, start});
  }

  NamedTensors parameters_;
  std::vector<Row> rows_;
};

}  // namespace

GradcheckResult gradcheck(Module& model, const Tensor& x, const GradcheckOptions& options) {
  if (!x.defined()) fail("gradcheck", "x is not defined");
  if (options.second_order) {
    fail("gradcheck", "a model is checked in the first order only", {},
         "tandem::gradcheck checks functions in both orders");
  }
  DoublePrecision scope(model);
  const bool is_checked = is_floating(x.dtype());
  const Tensor input(is_checked ? x.value().to(DType::f64).clone() : x.value(), is_checked);
  NamedTensors leaves;
  if (is_checked) leaves.push_back({"x", input});
  leaves.insert(leaves.end(), scope.parameters().begin(), scope.parameters().end());
  return gradcheck_leaves(
      [&] {
        scope.rewind();
        return model(input);
      },
      leaves, options);
}

}  // namespace tandem::nn
