// The door into the graph: recording an op. See record.h; what a recorded op does is in node.cpp.
#include <tandem/autograd/record.h>

#include <algorithm>

#include <fmt/format.h>

#include <tandem/autograd/checkpoint_frame.h>
#include <tandem/autograd/node.h>
#include <tandem/autograd/remade.h>
#include <tandem/core/error.h>

namespace tandem {

namespace {

thread_local bool recording = true;

/// What is kept of one Save; undefined when no needed gradient uses it.
SavedValue kept(const Save& save, std::uint64_t needed, const Tensor& result) {
  SavedValue saved;
  if ((save.for_inputs & needed) == 0) return saved;
  saved.is_output = save.kind == Save::Kind::output;
  if (saved.is_output) {
    saved.array = result.value();
  } else if (save.kind == Save::Kind::array) {
    saved.array = save.array_value;
  } else if (const Tensor& x = save.tensor; x.defined() && x.state()->remade && x.state()->remade->is_of(x.value())) {
    saved.remade = save.tensor.state()->remade;
    saved.history = save.tensor.state()->node;
  } else {
    saved.tensor = save.tensor.handle();
  }
  if (saved.value().defined()) {
    saved.storage = saved.value().storage()->id();
    saved.version = saved.value().version();
  }
  return saved;
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
       fmt::format("{} are saved", tensors_->size()), "name it in the list of saved values that record is given");
}

bool is_recording() { return recording; }

RecordingScope::RecordingScope(bool on) : before_(recording) { recording = on; }

RecordingScope::~RecordingScope() { recording = before_; }

namespace detail {

bool is_recorded(std::span<const Tensor> inputs) {
  return recording && std::any_of(inputs.begin(), inputs.end(), [](const Tensor& x) { return x.requires_grad(); });
}

Tensor plain_result(const char* op, Array y, std::span<const Tensor> inputs) {
  if (is_detecting_anomalies()) check_forward(op, y, inputs);
  return Tensor(std::move(y));
}

Tensor recorded_result(const char* op, Array y, std::span<const Tensor> inputs, std::span<const Save> saved,
                       Backward backward, const RecordOptions& options) {
  if (is_detecting_anomalies()) check_forward(op, y, inputs);
  Tensor result(std::move(y));
  std::uint64_t needed = 0;
  std::vector<Edge> edges(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& input = inputs[i];
    if (options.definition && input.defined()) edges[i].saved = place_of(input, saved);
    if (!input.requires_grad()) continue;
    needed |= i < 64 ? std::uint64_t{1} << i : ~std::uint64_t{0};
    edges[i].shape = input.shape();
    edges[i].dtype = input.dtype();
    if (input.is_leaf()) {
      edges[i].leaf = input.handle();
    } else {
      edges[i].node = input.state()->node;
    }
  }
  std::vector<SavedValue> values;
  values.reserve(saved.size());
  if (options.definition) needed = ~std::uint64_t{0};  // which reads all of them
  for (const Save& save : saved) values.push_back(kept(save, needed, result));
  const std::shared_ptr<CheckpointFrame>& frame = CheckpointFrame::current();
  const std::size_t place = frame ? frame->enter(op, inputs, values) : CheckpointFrame::kNowhere;
  auto node = std::make_shared<Node>(op, std::move(edges), std::move(values), std::move(backward), options);
  if (place != CheckpointFrame::kNowhere) node->set_frame(frame, place);
  if (is_detecting_anomalies()) node->layers = std::make_unique<const LayerNames>(current_layers());
  result.state()->node = std::move(node);
  result.state()->requires_grad = true;
  return result;
}

}  // namespace detail

}  // namespace tandem
