// SAM at work: the norm, the point, the gradient there. See sam.h.
#include <tandem/optim/sam.h>

#include <tandem/optim/combinator.h>
#include <tandem/optim/engine/norm_of_gradients.h>
#include <tandem/optim/engine/prepared_transform.h>
#include <tandem/optim/engine/register.h>

namespace tandem {
namespace {

/// The other gradient in place of the one that arrived.
template <class T>
struct Elsewhere {
  static constexpr const char* kName = "sam";
  static constexpr std::array kNames = {"g", "g"};
  static constexpr std::array kState = {State{"g_elsewhere"}};
  void operator()(T& changed, T, T& elsewhere) const { changed = elsewhere; }
};

/// The point, which starts as the weights, climbs.
template <class T>
struct Climb {
  static constexpr const char* kName = "sam";
  static constexpr std::array kNames = {"point", "g"};
  static constexpr auto kState = kNoState;
  T scale;
  void operator()(T& point, T g) const { point += scale * g; }
};

template <class T>
class RunningSam : public PreparedTransform<T, Elsewhere<T>> {
 public:
  using Base = PreparedTransform<T, Elsewhere<T>>;
  RunningSam(const SamOptions& options, std::unique_ptr<Running<T>> inner, const Frame& frame)
      : Base(std::move(inner), frame), options_(options), norm_(frame) {}

  void begin(std::int64_t index) override {
    rho_ = options_.rho.at(index);
    norm_.begin();
    has_asked_ = false;
    Base::begin(index);
  }
  bool needs_closure() const override { return true; }
  void measured(const std::string& path, MeasuredVisitor<T>& visitor) override {
    visitor.number(path + "norm", norm_.value());
    Base::measured(path, visitor);
  }
  void join(Roll<T>& roll) override {
    norm_.join("sam", roll);
    Base::join(roll);
  }

 protected:
  bool prepare(const Look<T>& look) override {
    if (has_asked_) {
      const T* const there = static_cast<const T*>(look.seat.gradients());
      for_blocks<T>(this->frame().size, [&](std::int64_t begin, std::int64_t end, T*) {
        std::copy(there + begin, there + end, this->numbers() + begin);
      });
      return false;
    }
    if (!norm_.look(look)) return true;
    const Climb<T> climb{static_cast<T>(norm_.value() == 0 ? 0 : rho_ / norm_.value())};
    for_blocks<T>(this->frame().size, [&](std::int64_t begin, std::int64_t end, T* scratch) {
      T* const point = this->numbers() + begin;
      std::copy(look.weight + begin, look.weight + end, point);
      const T* const gradient = look.gradients.read(begin, end, scratch);
      for_runs(look.gradients.runs(), begin, end, [&](std::int64_t from, std::int64_t to, bool) {
        detail::formula_pass<T>(climb, point + (from - begin), gradient + (from - begin), nullptr, to - from);
      });
    });
    look.seat.ask(this->numbers());
    has_asked_ = true;
    return true;
  }

 private:
  const SamOptions& options_;
  NormOfGradients<T> norm_;
  double rho_ = 0;
  bool has_asked_ = false;
};

struct SamNode : Combinator<SamNode, SamOptions, RunningSam> {
  static constexpr const char* kName = "sam";
  using Combinator::Combinator;
};

}  // namespace

Rule sam(const Rule& inner, const SamOptions& options) { return combine<SamNode>(options, inner); }

void detail::register_sam() { register_combinator<SamNode>(); }

}  // namespace tandem
