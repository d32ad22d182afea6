// The RMS of an update, and the weights nearer by. See clip_update.h.
#include <tandem/optim/clip_update.h>

#include <cmath>

#include <tandem/optim/combinator.h>
#include <tandem/optim/engine/register.h>
#include <tandem/optim/engine/update_transform.h>

namespace tandem {
namespace {

struct ClipUpdateOptions {
  Schedule max = 1;
  void fields(Fields& f) { f("max", max, {.is_low_open = true}, kAlways); }
};

template <class T>
struct Shorten {
  static constexpr const char* kName = "clip_update";
  static constexpr std::array kNames = {"w", "before"};
  static constexpr auto kState = kNoState;
  T factor;
  void operator()(T& w, T before) const { w = before + factor * (w - before); }
};

template <class T>
class RunningClipUpdate : public UpdateTransform<T> {
 public:
  RunningClipUpdate(const ClipUpdateOptions& options, std::unique_ptr<Running<T>> inner, const Frame& frame)
      : UpdateTransform<T>(std::move(inner), frame, {.sums = true}), options_(options), factor_(frame.tensors.size()) {}

  void begin(std::int64_t index) override {
    max_ = options_.max.at(index);
    UpdateTransform<T>::begin(index);
  }
  void measured(const std::string& path, MeasuredVisitor<T>& visitor) override {
    visitor.numbers(path + "factor", factor_);
    UpdateTransform<T>::measured(path, visitor);
  }

 protected:
  double measure(const T* before, const T* after, const T*, std::int64_t n) const override {
    double sum = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      const double update = static_cast<double>(after[i]) - static_cast<double>(before[i]);
      sum += update * update;
    }
    return sum;
  }
  void seen(std::size_t t, double sum, double size) override {
    const double rms = std::sqrt(sum / size);
    factor_[t] = rms > max_ ? max_ / rms : 1;
  }
  void propose(const typename UpdateTransform<T>::Piece& piece) override {
    const double factor = factor_[piece.tensor];
    if (factor == 1) return;  // before + (after - before) is not after in floating point
    const Shorten<T> shorten{coefficient<T>("max / rms", factor)};
    detail::formula_pass<T>(shorten, piece.after, piece.before, nullptr, piece.size);
  }

 private:
  const ClipUpdateOptions& options_;
  std::vector<double> factor_;
  double max_ = 0;
};

struct ClipUpdateNode : Combinator<ClipUpdateNode, ClipUpdateOptions, RunningClipUpdate> {
  static constexpr const char* kName = "clip_update";
  using Combinator::Combinator;
};

}  // namespace

Rule clip_update(const Rule& inner, const Schedule& max) { return combine<ClipUpdateNode>({max}, inner); }

void detail::register_clip_update() { register_combinator<ClipUpdateNode>(); }

}  // namespace tandem
