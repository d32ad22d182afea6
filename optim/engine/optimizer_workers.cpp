// An Optimizer among others: what they agree on, and when gradients become their mean (gradient_mean.h).
#include <bit>
#include <cstring>

#include <fmt/format.h>

#include <tandem/optim/engine/optimizer_impl.h>

namespace tandem {
namespace {

/// FNV-1a over words of eight bytes: equal bits give equal texts, others hardly ever.
class Fingerprint {
 public:
  void add(const void* data, std::size_t bytes) {
    const auto* at = static_cast<const std::byte*>(data);
    for (std::size_t i = 0; i < bytes; i += sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, at + i, std::min(sizeof(word), bytes - i));
      hash_ = std::rotl((hash_ ^ word) * 0x100000001b3U, 29);
    }
  }
  std::string text() const { return fmt::format("{:016x}", hash_); }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325U;
};

}  // namespace

void Optimizer::Impl::average_over(std::shared_ptr<Workers> workers) {
  require_no_scope("average_over");
  workers_ = std::move(workers);
  join_workers();
}

/// Again when a group has come.
void Optimizer::Impl::join_workers() {
  if (!workers_) return;
  gradient_mean_.reset();
  for (const auto& group : groups) group->arena.set_workers(workers_.get());
  if (workers_->size() == 1) return;
  std::string parameters;
  Fingerprint weights;
  std::int64_t count = 0;
  for (const auto& group : groups) {
    for (const Slot& slot : group->arena.slots()) {
      parameters += slot.name + slot.tensor.shape().to_string();
      count += slot.tensor.size();
    }
    const Array all = group->arena.weights_array();
    weights.add(all.bytes(), static_cast<std::size_t>(all.size()) * size_of(all.dtype()));
  }
  Fingerprint names;
  names.add(parameters.data(), parameters.size());
  workers_->require_same("rule", hyper_parameters.describe(), "give all the same --optimizer");
  workers_->require_same("list of parameters", fmt::format("{} numbers, names and shapes {}", count, names.text()),
                         "make the same model on all");
  workers_->require_same("set of weights", "fingerprint " + weights.text(), "make the model from the same seed on all");
  auto mean = std::make_unique<GradientMean>(workers_, groups);
  if (!mean->is_empty()) gradient_mean_ = std::move(mean);
}

std::unique_ptr<Arrivals> Optimizer::Impl::overlap() {
  if (!gradient_mean_) return nullptr;
  return std::make_unique<Arrivals>([this](const TensorState* leaf) { gradient_mean_->arrived(leaf); });
}

double Optimizer::Impl::mean_over_workers(double loss) {
  if (!gradient_mean_) return loss;
  gradient_mean_->finish();
  workers_->sum(&loss, 1);
  return loss / workers_->size();
}

void Optimizer::average_over(std::shared_ptr<Workers> workers) { impl_->average_over(std::move(workers)); }
bool Optimizer::averages_gradients() const { return impl_->averages_gradients(); }
std::unique_ptr<Arrivals> Optimizer::overlap() { return impl_->overlap(); }

}  // namespace tandem
