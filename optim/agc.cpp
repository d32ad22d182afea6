// The factors of all rows, before the sweep that applies them. See agc.h.
#include <tandem/optim/agc.h>

#include <cmath>

#include <tandem/optim/combinator.h>
#include <tandem/optim/engine/prepared_transform.h>
#include <tandem/optim/engine/register.h>
#include <tandem/optim/engine/unit_row.h>

namespace tandem {
namespace {

template <class T>
struct ClipUnit {
  static constexpr const char* kName = "agc";
  static constexpr std::array kNames = {"g", "g"};
  static constexpr std::array kState = {State{"factor"}};
  void operator()(T& clipped, T g, T& factor) const { clipped = factor * g; }
};

template <class T>
class RunningAgc : public PreparedTransform<T, ClipUnit<T>> {
 public:
  using Base = PreparedTransform<T, ClipUnit<T>>;
  RunningAgc(const AgcOptions& options, std::unique_ptr<Running<T>> inner, const Frame& frame)
      : Base(std::move(inner), frame), options_(options), rows_(rows_of(frame, 0)) {}

  void begin(std::int64_t index) override {
    clip_ = options_.clip.at(index), eps_ = options_.eps.at(index);
    Base::begin(index);
  }

 protected:
  bool prepare(const Look<T>& look) override {
    T* const x = this->numbers();
    copy_gradients(this->frame(), look.gradients, x);
    for_arrived_rows(this->frame(), rows_, [&](const UnitRow& row) {
      const auto norm = [&](const T* of) { return std::sqrt(row_sum(row, of, [](double v) { return v * v; })); };
      const double limit = clip_ * std::max(norm(look.weight), eps_), of_gradient = norm(x);
      fill_row(row, x, static_cast<T>(of_gradient > limit ? limit / of_gradient : 1));
    });
    return false;
  }

 private:
  const AgcOptions& options_;
  std::vector<UnitRow> rows_;
  double clip_ = 0, eps_ = 0;
};

struct AgcNode : Combinator<AgcNode, AgcOptions, RunningAgc> {
  static constexpr const char* kName = "agc";
  using Combinator::Combinator;
};

}  // namespace

Rule agc(const Rule& inner, const AgcOptions& options) { return combine<AgcNode>(options, inner); }

void detail::register_agc() { register_combinator<AgcNode>(); }

}  // namespace tandem
