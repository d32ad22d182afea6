// Clipping at work: a transform of the gradient, block by block, into scratch memory.
#include <tandem/optim/clip.h>

#include <cmath>

#include <tandem/optim/combinator.h>
#include <tandem/optim/engine/norm_of_gradients.h>
#include <tandem/optim/engine/register.h>

namespace tandem {
namespace {

struct ClipOptions {
  Schedule max = 1;
  void fields(Fields& f) { f("max", max, {.is_low_open = true}, kAlways); }
};

/// g <- clamp(g, -max, max).
template <class T>
struct Clamp {
  static constexpr const char* kName = "clip_value";
  static constexpr std::array kNames = {"g", "g"};
  static constexpr auto kState = kNoState;
  T max;
  void operator()(T& clipped, T g) const { clipped = g < -max ? -max : max < g ? max : g; }
};

/// g <- factor g.
template <class T>
struct Scale {
  static constexpr const char* kName = "clip_norm";
  static constexpr std::array kNames = {"g", "g"};
  static constexpr auto kState = kNoState;
  T factor;
  void operator()(T& clipped, T g) const { clipped = factor * g; }
};

template <class T>
class RunningClipValue : public GradientTransform<T> {
 public:
  RunningClipValue(const ClipOptions& options, std::unique_ptr<Running<T>> inner, const Frame&)
      : GradientTransform<T>(std::move(inner)), options_(options) {}
  void begin(std::int64_t index) override {
    max_ = options_.max.at(index);
    this->inner().begin(index);
  }

 protected:
  const T* transform(const T* gradient, std::int64_t begin, std::int64_t end, T* scratch) const override {
    detail::formula_pass<T>(Clamp<T>{coefficient<T>("max", max_)}, scratch, gradient, nullptr, end - begin);
    return scratch;
  }

 private:
  const ClipOptions& options_;
  double max_ = 0;
};

template <class T>
class RunningClipNorm : public GradientTransform<T> {
 public:
  RunningClipNorm(const ClipOptions& options, std::unique_ptr<Running<T>> inner, const Frame& frame)
      : GradientTransform<T>(std::move(inner)), options_(options), frame_(frame), norm_(frame) {}

  void begin(std::int64_t index) override {
    max_ = options_.max.at(index);
    norm_.begin();
    has_factor_ = false;
    this->inner().begin(index);
  }
  bool looks() const override { return true; }
  bool look(const Look<T>& look) override {
    if (!norm_.look(look)) return true;
    if (!has_factor_) {
      const double norm = norm_.value();
      factor_ = norm > max_ ? max_ / norm : std::isnan(norm) ? norm : 1;
      if (frame_.watch != nullptr && norm_.is_global())
        frame_.watch->clip_factor *= static_cast<double>(static_cast<T>(factor_));
      has_factor_ = true;
    }
    return GradientTransform<T>::look(look);
  }
  void measured(const std::string& path, MeasuredVisitor<T>& visitor) override {
    visitor.number(path + "norm", norm_.value());
    visitor.number(path + "factor", factor_);
    GradientTransform<T>::measured(path, visitor);
  }
  void join(Roll<T>& roll) override {
    norm_.join("clip_norm", roll);
    GradientTransform<T>::join(roll);
  }

 protected:
  const T* transform(const T* gradient, std::int64_t begin, std::int64_t end, T* scratch) const override {
    if (factor_ == 1) return gradient;
    detail::formula_pass<T>(Scale<T>{coefficient<T>("max / norm", factor_)}, scratch, gradient, nullptr, end - begin);
    return scratch;
  }

 private:
  const ClipOptions& options_;
  const Frame& frame_;
  NormOfGradients<T> norm_;
  double max_ = 0, factor_ = 1;
  bool has_factor_ = false;
};

struct ClipNormNode : Combinator<ClipNormNode, ClipOptions, RunningClipNorm> {
  static constexpr const char* kName = "clip_norm";
  using Combinator::Combinator;
};
struct ClipValueNode : Combinator<ClipValueNode, ClipOptions, RunningClipValue> {
  static constexpr const char* kName = "clip_value";
  using Combinator::Combinator;
};

}  // namespace

Rule clip_norm(const Rule& inner, const Schedule& max) { return combine<ClipNormNode>({max}, inner); }
Rule clip_value(const Rule& inner, const Schedule& max) { return combine<ClipValueNode>({max}, inner); }

void detail::register_clips() {
  register_combinator<ClipNormNode>();
  register_combinator<ClipValueNode>();
}

}  // namespace tandem
