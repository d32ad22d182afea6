// Primitives choose the layout of weights; everything else is row major. See onednn_lstm.h.
#include "onednn_lstm.h"

#include <cstring>
#include <unordered_map>

#include <oneapi/dnnl/dnnl.hpp>

namespace tandem::testing {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;
using Arguments = std::unordered_map<int, memory>;

constexpr auto kFloat = memory::data_type::f32;

#if DNNL_VERSION_MAJOR >= 3
template <class... A>
dnnl::lstm_forward::primitive_desc describe_forward(const dnnl::engine& engine, const A&... a) {
  return {engine, dnnl::prop_kind::forward_training, a...};
}
template <class... A>
dnnl::lstm_backward::primitive_desc describe_backward(const dnnl::engine& engine,
                                                      const dnnl::lstm_forward::primitive_desc& forward,
                                                      const A&... a) {
  return {engine, dnnl::prop_kind::backward, a..., forward};
}
#else
template <class... A>
dnnl::lstm_forward::primitive_desc describe_forward(const dnnl::engine& engine, const A&... a) {
  return {dnnl::lstm_forward::desc(dnnl::prop_kind::forward_training, a...), engine};
}
template <class... A>
dnnl::lstm_backward::primitive_desc describe_backward(const dnnl::engine& engine,
                                                      const dnnl::lstm_forward::primitive_desc& forward,
                                                      const A&... a) {
  return {dnnl::lstm_backward::desc(dnnl::prop_kind::backward, a...), engine, forward};
}
#endif

class Layer {
 public:
  explicit Layer(const LstmProblem& problem)
      : p_(problem),
        T_(problem.x.shape(0)),
        B_(problem.x.shape(1)),
        I_(problem.x.shape(2)),
        H_(problem.h.shape(1)),
        direction_(problem.reverse ? dnnl::rnn_direction::unidirectional_right2left
                                   : dnnl::rnn_direction::unidirectional_left2right) {}

  LstmJudgement run(const LstmOutput& d) {
    LstmJudgement r{{empty_like_sequence(H_), Array::empty({B_, H_}), Array::empty({B_, H_})},
                    {empty_like_sequence(I_), Array::empty({B_, H_}), Array::empty({B_, H_}),
                     Array::empty({4 * H_, I_}), Array::empty({4 * H_, H_}), Array::empty({4 * H_})}};
    const auto forward = describe_forward(engine_, direction_, sequence(I_), state(), state(), any(I_), any(H_), bias(),
                                          sequence(H_), state(), state());
    memory workspace(forward.workspace_desc(), engine_);
    Arguments arguments = {
        {DNNL_ARG_SRC_LAYER, view(sequence(I_), p_.x)},
        {DNNL_ARG_SRC_ITER, view(state(), p_.h)},
        {DNNL_ARG_SRC_ITER_C, view(state(), p_.c)},
        {DNNL_ARG_WEIGHTS_LAYER, packed(p_.w_input, forward.weights_layer_desc())},
        {DNNL_ARG_WEIGHTS_ITER, packed(p_.w_hidden, forward.weights_iter_desc())},
        {DNNL_ARG_BIAS, view(bias(), p_.bias)},
        {DNNL_ARG_DST_LAYER, view(sequence(H_), r.output.y)},
        {DNNL_ARG_DST_ITER, view(state(), r.output.h)},
        {DNNL_ARG_DST_ITER_C, view(state(), r.output.c)},
        {DNNL_ARG_WORKSPACE, workspace},
    };
    dnnl::lstm_forward(forward).execute(stream_, arguments);
    backward(forward, std::move(arguments), d, r.gradients);
    return r;
  }

 private:
  void backward(const dnnl::lstm_forward::primitive_desc& forward, Arguments arguments, const LstmOutput& d,
                LstmGradients& to) {
    const auto backward = describe_backward(engine_, forward, direction_, sequence(I_), state(), state(), any(I_),
                                            any(H_), bias(), sequence(H_), state(), state(), sequence(I_), state(),
                                            state(), any(I_), any(H_), bias(), sequence(H_), state(), state());
    arguments[DNNL_ARG_WEIGHTS_LAYER] = packed(p_.w_input, backward.weights_layer_desc());
    arguments[DNNL_ARG_WEIGHTS_ITER] = packed(p_.w_hidden, backward.weights_iter_desc());
    memory dw_input = zeros(backward.diff_weights_layer_desc()), dw_hidden = zeros(backward.diff_weights_iter_desc());
    to.bias.fill(0);  // oneDNN adds the gradients of weights and bias to what is there
    arguments.insert({
        {DNNL_ARG_DIFF_DST_LAYER, view(sequence(H_), d.y)},
        {DNNL_ARG_DIFF_DST_ITER, view(state(), d.h)},
        {DNNL_ARG_DIFF_DST_ITER_C, view(state(), d.c)},
        {DNNL_ARG_DIFF_SRC_LAYER, view(sequence(I_), to.x)},
        {DNNL_ARG_DIFF_SRC_ITER, view(state(), to.h)},
        {DNNL_ARG_DIFF_SRC_ITER_C, view(state(), to.c)},
        {DNNL_ARG_DIFF_WEIGHTS_LAYER, dw_input},
        {DNNL_ARG_DIFF_WEIGHTS_ITER, dw_hidden},
        {DNNL_ARG_DIFF_BIAS, view(bias(), to.bias)},
    });
    dnnl::lstm_backward(backward).execute(stream_, arguments);
    reorder(dw_input, view(weights(I_), to.w_input));
    reorder(dw_hidden, view(weights(H_), to.w_hidden));
    stream_.wait();
  }

  Array empty_like_sequence(std::int64_t width) const { return Array::empty({T_, B_, width}); }

  memory::desc sequence(std::int64_t width) const { return {{T_, B_, width}, kFloat, Tag::tnc}; }
  memory::desc state() const { return {{1, 1, B_, H_}, kFloat, Tag::ldnc}; }
  memory::desc bias() const { return {{1, 1, 4, H_}, kFloat, Tag::ldgo}; }
  /// [4 H, width] row major, as oneDNN names its dims: layer, direction, input, gate, output.
  memory::desc weights(std::int64_t width) const { return {{1, 1, width, 4, H_}, kFloat, Tag::ldgoi}; }
  memory::desc any(std::int64_t width) const { return {{1, 1, width, 4, H_}, kFloat, Tag::any}; }

  memory view(const memory::desc& desc, const Array& array) const {
    return memory(desc, engine_, const_cast<float*>(array.data<float>()));
  }
  memory zeros(const memory::desc& desc) const {
    memory m(desc, engine_);
    std::memset(m.get_data_handle(), 0, desc.get_size());
    return m;
  }
  memory packed(const Array& w, const memory::desc& wanted) {
    memory m(wanted, engine_);
    reorder(view(weights(w.shape(1)), w), m);
    return m;
  }
  void reorder(memory from, memory to) { dnnl::reorder(from, to).execute(stream_, from, to); }

  const LstmProblem& p_;
  std::int64_t T_, B_, I_, H_;
  dnnl::rnn_direction direction_;
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
};

}  // namespace

LstmJudgement onednn_lstm(const LstmProblem& problem, const LstmOutput& d) { return Layer(problem).run(d); }

}  // namespace tandem::testing
