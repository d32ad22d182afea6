// The means of all rows, before the sweep that subtracts them. See centralize.h.
#include <tandem/optim/centralize.h>

#include <tandem/optim/combinator.h>
#include <tandem/optim/engine/prepared_transform.h>
#include <tandem/optim/engine/register.h>
#include <tandem/optim/engine/unit_row.h>

namespace tandem {
namespace {

struct CentralizeOptions {
  void fields(Fields&) {}
};

template <class T>
struct Centralize {
  static constexpr const char* kName = "centralize";
  static constexpr std::array kNames = {"g", "g"};
  static constexpr std::array kState = {State{"mean"}};
  void operator()(T& centralized, T g, T& mean) const { centralized = g - mean; }
};

template <class T>
class RunningCentralize : public PreparedTransform<T, Centralize<T>> {
 public:
  RunningCentralize(const CentralizeOptions&, std::unique_ptr<Running<T>> inner, const Frame& frame)
      : PreparedTransform<T, Centralize<T>>(std::move(inner), frame), rows_(rows_of(frame, 2)) {}

 protected:
  bool prepare(const Look<T>& look) override {
    T* const x = this->numbers();
    copy_gradients(this->frame(), look.gradients, x);
    for (std::size_t t = 0; t < this->frame().tensors.size(); ++t) {
      const Interval& tensor = this->frame().tensors[t];
      if (this->frame().parameters[t].shape.rank() < 2) std::fill(x + tensor.begin, x + tensor.end, T(0));
    }
    for_arrived_rows(this->frame(), rows_, [&](const UnitRow& row) {
      const double sum = row_sum(row, x, [](double g) { return g; });
      fill_row(row, x, static_cast<T>(sum / static_cast<double>(row.size())));
    });
    return false;
  }

 private:
  std::vector<UnitRow> rows_;
};

struct CentralizeNode : Combinator<CentralizeNode, CentralizeOptions, RunningCentralize> {
  static constexpr const char* kName = "centralize";
  using Combinator::Combinator;
};

}  // namespace

Rule centralize(const Rule& inner) { return combine<CentralizeNode>({}, inner); }

void detail::register_centralize() { register_combinator<CentralizeNode>(); }

}  // namespace tandem
