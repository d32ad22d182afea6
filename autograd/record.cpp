// The door into the graph: recording an op. See record.h; what a recorded op does is in node.cpp.
#include <tandem/autograd/record.h>

#include <fmt/format.h>

#include <tandem/autograd/checkpoint_frame.h>
#include <tandem/autograd/node.h>
#include <tandem/autograd/remade.h>
#include <tandem/core/capture.h>
#include <tandem/core/error.h>
#include <tandem/core/pooled.h>
#include <tandem/core/profile.h>

namespace tandem {

namespace {

thread_local bool recording = true;

/// What is kept of one Save; undefined when no needed gradient uses it.
Tensor kept(const Save& save, std::uint64_t needed, const Array& y) {
  if ((save.for_inputs & needed) == 0) return {};
  return save.kind == Save::Kind::output ? Tensor(y) : save.tensor;
}

/// Whether a needed gradient uses a Tensor whose value can be made again, if it is that value still.
bool is_remade(const Save& save, std::uint64_t needed) {
  if ((save.for_inputs & needed) == 0 || save.kind != Save::Kind::tensor || !save.tensor.defined()) return false;
  Remade* const remade = save.tensor.state()->remade.get();
  return remade != nullptr && remade->is_of(save.tensor.value());
}

/// The place of `input` among the saved Tensors; -1 when it is not there.
int place_of(const Tensor& input, std::span<const Save> saved) {
  for (std::size_t i = 0; i < saved.size(); ++i) {
    if (saved[i].kind == Save::Kind::tensor && saved[i].tensor.state() == input.state()) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace

Save Save::output(std::uint64_t uses) {
  Save save(Kind::output);
  save.for_inputs = uses;
  return save;
}

void Saved::fail_index(std::size_t i) const {
  fail(fmt::format("backward of {}", op_), fmt::format("saved[{}] is asked for", i),
       fmt::format("{} are saved", tensors_.size()), "name it in the list of saved values that record is given");
}

bool is_recording() { return recording; }

RecordingScope::RecordingScope(bool on) : before_(recording) { recording = on; }

RecordingScope::~RecordingScope() { recording = before_; }

namespace detail {

bool is_recorded(const InputList& inputs) {
  if (!recording) return false;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].requires_grad()) return true;
  }
  return false;
}

namespace {
void check_anomalies(const char* op, const Array& y, const InputList& inputs) {
  if (!is_detecting_anomalies()) return;
  std::vector<Tensor> all;
  for (std::size_t i = 0; i < inputs.size(); ++i) all.push_back(inputs[i]);
  check_forward(op, y, all);
}
}  // namespace

Tensor plain_result(const char* op, Array y, const InputList& inputs) {
  profile::label(op);
  capture::check_output(op, y);
  check_anomalies(op, y, inputs);
  return Tensor(std::move(y));
}

Tensor recorded_result(const char* op, Array y, const InputList& inputs, std::span<const Save> saved, Backward backward,
                       const RecordOptions* options) {
  profile::label(op);
  capture::check_output(op, y);
  check_anomalies(op, y, inputs);
  const bool has_definition = options != nullptr && options->definition;
  auto node = std::allocate_shared<Node>(Pooled<Node>{}, op, std::move(backward), options);
  std::uint64_t needed = has_definition ? ~std::uint64_t{0} : 0;  // a definition reads all that is saved
  node->reserve(inputs.size(), saved.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& input = inputs[i];
    Edge& edge = node->add_edge();
    if (has_definition && input.defined()) edge.saved = place_of(input, saved);
    if (!input.requires_grad()) continue;
    needed |= i < 64 ? std::uint64_t{1} << i : ~std::uint64_t{0};
    edge.shape = input.shape();
    edge.dtype = input.dtype();
    if (input.is_leaf()) {
      edge.leaf = input.handle();
    } else {
      edge.node = input.state()->node;
    }
  }
  for (const Save& save : saved) {
    if (is_remade(save, needed))
      node->save_remade(save.tensor);
    else
      node->save(kept(save, needed, y), save.kind);
  }
  const std::shared_ptr<CheckpointFrame>& frame = CheckpointFrame::current();
  const std::size_t place = frame ? frame->enter(op, inputs, *node) : CheckpointFrame::kNowhere;
  if (place != CheckpointFrame::kNowhere) node->set_frame(frame, place);
  node->profiled_layer = profile::current_layer();
  if (is_detecting_anomalies()) node->layers = std::make_unique<const LayerNames>(current_layers());
  Tensor result(std::move(y));
  result.state()->node = std::move(node);
  result.state()->requires_grad = true;
  return result;
}

}  // namespace detail

}  // namespace tandem
