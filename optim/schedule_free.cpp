// Schedule-free at work: the weights are y, z and x are state. See schedule_free.h.
#include <tandem/optim/schedule_free.h>

#include <algorithm>
#include <vector>

#include <tandem/optim/combinator.h>
#include <tandem/optim/engine/register.h>
#include <tandem/optim/engine/update_transform.h>

namespace tandem {
namespace {

template <class T>
T between(const T& z, const T& x, const T& beta) {
  return z + beta * (x - z);  // exactly z where x is z
}

template <class T>
struct Sequences {
  static constexpr const char* kName = "schedule_free";
  static constexpr std::array kNames = {"w", "before"};
  static constexpr std::array kState = {State{"z"}, State{"x"}};
  T beta, c;
  void operator()(T& w, T before, T& z, T& x) const {
    z += w - before;
    x += c * (z - x);
    w = between(z, x, beta);
  }
};

/// s_t^2.
double weight_of(std::int64_t t, std::int64_t warmup) {
  const double s = t < warmup ? static_cast<double>(t) / static_cast<double>(warmup) : 1;
  return s * s;
}

template <class T>
class RunningScheduleFree : public UpdateTransform<T> {
 public:
  RunningScheduleFree(const ScheduleFreeOptions& options, std::unique_ptr<Running<T>> inner, const Frame& frame)
      : UpdateTransform<T>(std::move(inner), frame, {}),
        options_(options),
        z_(frame),
        x_(frame),
        anchored_(frame),
        is_anchored_(detail::block_number(frame.size + kBlock - 1)),
        sum_(Array::zeros({}, DType::f64)),
        beta_(options.beta.at(0)) {}

  void begin(std::int64_t index) override {
    beta_ = options_.beta.at(index);
    std::fill(is_anchored_.begin(), is_anchored_.end(), 0);
    ++count_;
    weight_ = weight_of(count_, whole(options_.warmup.at(index)));
    c_ = weight_ / (sum() + weight_);
    UpdateTransform<T>::begin(index);
  }
  void end() override {
    sum() += weight_;
    UpdateTransform<T>::end();
  }
  void clear(std::int64_t begin, std::int64_t end) override {
    std::copy(z_.at(begin), z_.at(end), x_.at(begin));
    UpdateTransform<T>::clear(begin, end);
  }
  void restart_count() override {
    count_ = 0;
    sum() = 0;
    UpdateTransform<T>::restart_count();
  }
  /// Somebody else has moved y: z and x move as far, or begin there. Loops of a nest may do it one after the other in a
  /// step; what the last one left is remembered, for y from z and x differs from it by rounding.
  void anchor(const T* weight, std::int64_t begin, std::int64_t end) override {
    const T beta = static_cast<T>(beta_);
    T *const z = z_.at(begin), *const x = x_.at(begin), *const anchored = anchored_.at(begin);
    char& is_anchored = is_anchored_[detail::block_number(begin)];
    for (std::int64_t i = 0; i < end - begin; ++i) {
      const T y = is_anchored != 0 ? anchored[i] : between(z[i], x[i], beta), moved = weight[i] - y;
      anchored[i] = weight[i];
      if (weight[i] == y) continue;
      const bool begins = count_ == 0 || x[i] == z[i];
      z[i] = begins ? weight[i] : z[i] + moved;
      x[i] = begins ? weight[i] : x[i] + moved;
    }
    is_anchored = 1;
    UpdateTransform<T>::anchor(weight, begin, end);
  }
  /// Weights that somebody loaded begin a new average.
  void restart_averages() override {
    count_ = 0;
    sum() = 0;
    for_blocks<T>(this->frame().size, [&](std::int64_t begin, std::int64_t end, T*) {
      for (std::int64_t i = 0; i < end - begin; ++i) {
        T &z = z_.at(begin)[i], &x = x_.at(begin)[i];
        x = z = between(z, x, static_cast<T>(beta_));
      }
    });
    UpdateTransform<T>::restart_averages();
  }
  void state(const std::string& path, StateVisitor<T>& visitor) override {
    visitor.buffer(path + "z", z_);
    visitor.buffer(path + "x", x_);
    visitor.counter(path + "step", count_);
    visitor.array(path + "weight_sum", sum_);
    UpdateTransform<T>::state(path, visitor);
  }
  T* evaluation_weights() override { return x_.at(0); }
  bool is_at_sync() const override { return count_ == 0; }

 protected:
  void propose(const typename UpdateTransform<T>::Piece& piece) override {
    const Sequences<T> sequences{coefficient<T>("beta", beta_), coefficient<T>("c", c_)};
    T* const state[] = {z_.at(piece.begin), x_.at(piece.begin)};
    detail::formula_pass<T>(sequences, piece.after, piece.before, state, piece.size);
  }

 private:
  double& sum() { return *sum_.data<double>(); }

  const ScheduleFreeOptions& options_;
  Numbers<T> z_, x_, anchored_;
  std::vector<char> is_anchored_;  // of each block, since the last begin()
  Array sum_;                      // f64 []: of s^2 in the steps so far
  std::int64_t count_ = 0;
  double beta_ = 0, c_ = 1, weight_ = 1;
};

struct ScheduleFreeNode : Combinator<ScheduleFreeNode, ScheduleFreeOptions, RunningScheduleFree> {
  static constexpr const char* kName = "schedule_free";
  using Combinator::Combinator;
};

}  // namespace

Rule schedule_free(const Rule& inner, const ScheduleFreeOptions& options) {
  return combine<ScheduleFreeNode>(options, inner);
}

void detail::register_schedule_free() { register_combinator<ScheduleFreeNode>(); }

}  // namespace tandem
