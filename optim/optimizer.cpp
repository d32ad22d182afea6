// The Optimizer as users see it; its work: engine/optimizer_impl.cpp, engine/stepper.cpp; snapshots and explanations:
// study/.
#include <tandem/optim/optimizer.h>

#include <tandem/optim/engine/optimizer_impl.h>
#include <tandem/optim/groups.h>

namespace tandem {

Optimizer::Optimizer(const NamedTensors& parameters, const Rule& rule) : Optimizer(groups_of(parameters, rule)) {}
Optimizer::Optimizer(const std::vector<Group>& groups) : impl_(std::make_shared<Impl>(groups)) {}
Optimizer::~Optimizer() = default;
Optimizer::Optimizer(Optimizer&&) noexcept = default;
Optimizer& Optimizer::operator=(Optimizer&&) noexcept = default;

void Optimizer::add_group(const Group& group) { impl_->add_group(group); }
void Optimizer::zero_grad() { impl_->zero_grad(); }
void Optimizer::step() { impl_->step(); }
Tensor Optimizer::step(const std::function<Tensor()>& closure) { return impl_->step(closure); }
std::int64_t Optimizer::copy() const { return impl_->stepper.copy(); }
std::int64_t Optimizer::copies() const { return impl_->copies(); }
bool Optimizer::needs_closure() const { return impl_->needs_closure(); }
void Optimizer::watch_steps(bool on) { impl_->watch_steps(on); }
const StepReport& Optimizer::last_step() const { return impl_->stepper.last(); }
void Optimizer::on_sync(std::function<void(const SyncEvent&)> callback) { impl_->on_sync(std::move(callback)); }
Array Optimizer::slow(std::string_view parameter, std::size_t level) const { return impl_->slow(parameter, level); }
Array Optimizer::fast(std::string_view parameter, std::size_t level) const { return impl_->fast(parameter, level); }
bool Optimizer::is_evaluating() const { return impl_->is_evaluating(); }
void Optimizer::report(double metric, bool larger_is_better) {
  impl_->hyper_parameters.report(metric, larger_is_better);
}
std::int64_t Optimizer::step_count() const { return impl_->steps; }
std::string Optimizer::describe() const { return impl_->hyper_parameters.describe(); }
void Optimizer::set(std::string_view name, const Schedule& value) { impl_->hyper_parameters.set(name, value); }
double Optimizer::peek(std::string_view name) const { return impl_->hyper_parameters.peek(name, impl_->steps); }
NamedArrays Optimizer::state_tree() const { return impl_->state_tree(); }
void Optimizer::load_state_tree(const NamedArrays& tree) { impl_->load_state_tree(tree); }

std::vector<std::string> Optimizer::hyper_parameters() const {
  std::vector<std::string> names;
  for (const NamedField& f : impl_->hyper_parameters.fields()) names.push_back(f.path);
  return names;
}

EvaluationWeights Optimizer::evaluation_weights() {
  impl_->open_scope();
  return EvaluationWeights(impl_);
}

EvaluationWeights::~EvaluationWeights() {
  if (const auto optimizer = optimizer_.lock()) optimizer->close_scope();
}

}  // namespace tandem
