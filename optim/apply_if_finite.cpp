// The inner rule begins every step; where the gradients are bad, its counters are put back and nothing else is called.
// See apply_if_finite.h.
#include <tandem/optim/apply_if_finite.h>

#include <tandem/optim/combinator.h>
#include <tandem/optim/engine/register.h>
#include <tandem/optim/engine/watch.h>

namespace tandem {
namespace {

/// The counters of a rule, which is all that begin() changes, from before it.
template <class T>
class KeptCounters : public StateVisitor<T> {
 public:
  explicit KeptCounters(Running<T>& rule) { rule.state("", *this); }

  void keep() {
    for (auto& [counter, value] : counters_) value = *counter;
    for (auto& [list, values] : lists_) values = *list;
  }
  void put_back() const {
    for (const auto& [counter, value] : counters_) *counter = value;
    for (const auto& [list, values] : lists_) *list = values;
  }

  void buffer(const std::string&, Numbers<T>&) override {}
  void counter(const std::string&, std::int64_t& value) override { counters_.emplace_back(&value, value); }
  void counters(const std::string&, std::vector<std::int64_t>& values) override {
    lists_.emplace_back(&values, values);
  }
  void array(const std::string&, Array&) override {}

 private:
  std::vector<std::pair<std::int64_t*, std::int64_t>> counters_;
  std::vector<std::pair<std::vector<std::int64_t>*, std::vector<std::int64_t>>> lists_;
};

/// x - x is 0 but for NaN and infinities. Padding between parameters is never written.
template <class T>
std::int64_t count_not_finite(const T* x, std::int64_t n) {
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < n; ++i) count += x[i] - x[i] == T(0) ? 0 : 1;
  return count;
}

template <class T>
class RunningApplyIfFinite : public Wrapper<T> {
 public:
  RunningApplyIfFinite(const ApplyIfFiniteOptions& options, std::unique_ptr<Running<T>> inner, const Frame& frame)
      : Wrapper<T>(std::move(inner)),
        options_(options),
        frame_(frame),
        kept_(this->inner()),
        counts_(detail::block_number(frame.size + kBlock - 1)) {}

  void begin(std::int64_t index) override {
    kept_.keep();
    is_taken_ = 1;
    has_added_ = is_known_ = false;
    this->inner().begin(index);
  }
  bool looks() const override { return true; }
  bool look(const Look<T>& look) override {
    if (!is_known_) {
      if (!has_added_) {
        part_ = {static_cast<double>(not_finite(look.gradients)), 1};
        if (key_ >= 0) look.seat.add(key_, part_);
        has_added_ = true;
      }
      if (key_ >= 0 && !look.seat.is_complete(key_)) return true;
      const bool is_bad = (key_ >= 0 ? look.seat.norm(key_) : part_.norm()) > 0;
      is_taken_ = is_bad && rejected_ < options_.max_consecutive ? 0 : 1;
      conclude();
      is_known_ = true;
    }
    return is_taken_ != 0 && this->inner().look(look);
  }
  void recall() override {
    conclude();
    if (is_taken_ != 0) this->inner().recall();
  }
  void update(const Block<T>& block) override {
    if (is_taken_ != 0) this->inner().update(block);
  }
  bool waits() const override { return is_taken_ != 0 && this->inner().waits(); }
  void settle() override {
    if (is_taken_ != 0) this->inner().settle();
  }
  void end() override {
    if (is_taken_ != 0) this->inner().end();
  }
  bool moves_all() const override { return is_taken_ != 0 && this->inner().moves_all(); }
  int next_sync() const override { return is_taken_ != 0 ? this->inner().next_sync() : -1; }
  void restart_count() override {
    rejected_ = rejected_in_all_ = 0;
    this->inner().restart_count();
  }
  void state(const std::string& path, StateVisitor<T>& visitor) override {
    visitor.counter(path + "rejected", rejected_);
    visitor.counter(path + "rejected_in_all", rejected_in_all_);
    Wrapper<T>::state(path, visitor);
  }
  void measured(const std::string& path, MeasuredVisitor<T>& visitor) override {
    visitor.number(path + "is_taken", is_taken_);
    Wrapper<T>::measured(path, visitor);
  }
  void join(Roll<T>& roll) override {
    key_ = static_cast<int>(roll.sums.size());
    roll.sums.push_back("apply_if_finite");
    roll.changes_gradients = true;  // in a step left out the leaf sees none
    Wrapper<T>::join(roll);
  }

 private:
  void conclude() {
    if (is_taken_ != 0) {
      rejected_ = 0;
      return;
    }
    kept_.put_back();
    ++rejected_;
    ++rejected_in_all_;
  }
  std::int64_t not_finite(const GradientSource<T>& gradients) {
    for_blocks<T>(frame_.size, [&](std::int64_t begin, std::int64_t end, T* scratch) {
      const T* const gradient = gradients.read(begin, end, scratch);
      std::int64_t& count = counts_[detail::block_number(begin)];
      count = 0;
      for_runs(gradients.runs(), begin, end, [&](std::int64_t from, std::int64_t to, bool) {
        count += count_not_finite(gradient + (from - begin), to - from);
      });
    });
    std::int64_t all = 0;
    for (const std::int64_t count : counts_) all += count;
    return all;
  }

  const ApplyIfFiniteOptions& options_;
  const Frame& frame_;
  KeptCounters<T> kept_;
  std::vector<std::int64_t> counts_;  // one a block
  Squares part_;
  double is_taken_ = 1;  // a measured number: 0 or 1
  std::int64_t rejected_ = 0, rejected_in_all_ = 0;
  int key_ = -1;
  bool has_added_ = false, is_known_ = false;
};

struct ApplyIfFiniteNode : Combinator<ApplyIfFiniteNode, ApplyIfFiniteOptions, RunningApplyIfFinite> {
  static constexpr const char* kName = "apply_if_finite";
  using Combinator::Combinator;
};

}  // namespace

Rule apply_if_finite(const Rule& inner, const ApplyIfFiniteOptions& options) {
  return combine<ApplyIfFiniteNode>(options, inner);
}

void detail::register_apply_if_finite() { register_combinator<ApplyIfFiniteNode>(); }

}  // namespace tandem
