// The mask of an update. See cautious.h.
#include <tandem/optim/cautious.h>

#include <tandem/optim/combinator.h>
#include <tandem/optim/engine/register.h>
#include <tandem/optim/engine/update_transform.h>

namespace tandem {
namespace {

struct CautiousOptions {
  void fields(Fields&) {}
};

template <class T>
struct Mask {
  static constexpr const char* kName = "cautious";
  static constexpr std::array kNames = {"w", "g"};
  static constexpr std::array kState = {State{"before"}};
  T scale;
  void operator()(T& w, T g, T& before) const {
    const T update = w - before;
    w = update * g < T(0) ? before + scale * update : before;
  }
};

template <class T>
class RunningCautious : public UpdateTransform<T> {
 public:
  RunningCautious(const CautiousOptions&, std::unique_ptr<Running<T>> inner, const Frame& frame)
      : UpdateTransform<T>(std::move(inner), frame, {.gradient = true, .sums = true}), scale_(frame.tensors.size()) {}

  void measured(const std::string& path, MeasuredVisitor<T>& visitor) override {
    visitor.numbers(path + "scale", scale_);
    UpdateTransform<T>::measured(path, visitor);
  }

 protected:
  double measure(const T* before, const T* after, const T* gradient, std::int64_t n) const override {
    std::int64_t kept = 0;
    for (std::int64_t i = 0; i < n; ++i) kept += (after[i] - before[i]) * gradient[i] < T(0) ? 1 : 0;
    return static_cast<double>(kept);
  }
  void seen(std::size_t t, double kept, double size) override { scale_[t] = 1 / std::max(kept / size, 1e-3); }
  void propose(const typename UpdateTransform<T>::Piece& piece) override {
    const Mask<T> mask{coefficient<T>("scale", scale_[piece.tensor])};
    T* const state[] = {piece.before};
    detail::formula_pass<T>(mask, piece.after, piece.gradient, state, piece.size);
  }

 private:
  std::vector<double> scale_;
};

struct CautiousNode : Combinator<CautiousNode, CautiousOptions, RunningCautious> {
  static constexpr const char* kName = "cautious";
  using Combinator::Combinator;
};

}  // namespace

Rule cautious(const Rule& inner) { return combine<CautiousNode>({}, inner); }

void detail::register_cautious() { register_combinator<CautiousNode>(); }

}  // namespace tandem
