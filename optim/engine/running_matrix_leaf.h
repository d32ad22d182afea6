// A leaf whose formula sees a whole tensor: muon.h, shampoo.h, soap.h, adafactor.h, sm3.h. The formula works out the
// update of every tensor before the sweep (look), and the sweep applies it, element by element, so that a pull of
// Lookahead stays in the same pass. The formula is a WholeTensorFormula; beside Options, kName and a constructor as in
// leaf.h it has
//
//   static constexpr std::array kBuffers = {State{"momentum_buffer", Role::first_moment}};  // a number a weight
//   void look(const WholeTensor<T>& x) const;                     // x.update: the gradient, to become the update
//   void operator()(T& w, T update) const { w -= lr * update; }   // the sweep
//
// and where it needs them
//
//   static std::vector<StateArray> arrays(const Options&, const Shape&);   // arrays of any shape that a tensor keeps
//   static std::int64_t scratch(const Options&, std::int64_t rows, std::int64_t columns);  // numbers for use in look()
//   static std::int64_t doubles(const Options&, std::int64_t rows, std::int64_t columns);  // the same, in double
//   static constexpr int kLeastRank = 2;                                   // tensors of lower rank are refused
#pragma once

#include <tandem/core/error.h>
#include <tandem/optim/engine/matrix.h>
#include <tandem/optim/engine/running_leaf.h>

namespace tandem {

/// What a leaf keeps of one tensor, zero at the start.
struct StateArray {
  const char* name;
  Shape shape;
  bool is_kept = true;  ///< false: this tensor has none, WholeTensor::arrays is null there
};

/// A tensor in logical order, whatever its strides: [d0, d1 d2 ...], a vector [n, 1], a scalar [1, 1].
template <class T>
struct WholeTensor {
  const Shape& shape;
  std::int64_t rows, columns;
  const T* weight;
  T* update;          ///< the gradient, to become the update
  T* const* buffers;  ///< as kBuffers
  T* const* arrays;   ///< as arrays(); null where not kept
  T* scratch;
  double* doubles;

  std::int64_t size() const { return rows * columns; }
  Matrix<T> matrix() const { return {update, rows, columns}; }
};

/// What the sweep of such a formula reads: the update, and no state.
struct WholeTensorFormula {
  static constexpr std::array kNames = {"w", "update"};
  static constexpr auto kState = kNoState;
};

template <class Formula, class T>
class RunningMatrixLeaf : public RunningLeaf<Formula, T> {
 public:
  using Base = RunningLeaf<Formula, T>;
  static constexpr std::size_t kBuffers = Formula::kBuffers.size();

  RunningMatrixLeaf(typename Base::Options& options, const Frame& frame) : Base(options, frame), update_(frame) {
    for (auto& buffer : buffers_) buffer = std::make_unique<Numbers<T>>(frame);
    std::int64_t most = 0, most_doubles = 0, most_strided = 0;
    for (std::size_t t = 0; t < frame.parameters.size(); ++t) {
      const ParameterInfo& info = frame.parameters[t];
      check_rank(info);
      Place place{rows_of(info.shape), 0, {}, {}, {}};
      place.columns = place.rows == 0 ? 0 : info.shape.count() / place.rows;
      if constexpr (!std::is_same_v<T, Traced>) {  // explanations read the update
        place.order = order(info);
        if (!place.order.empty()) most_strided = std::max(most_strided, info.shape.count());
        if constexpr (requires { Formula::arrays; }) {
          for (const StateArray& a : Formula::arrays(options, info.shape)) {
            place.arrays.push_back(a.is_kept ? Array::zeros(a.shape, frame.dtype) : Array());
            place.data.push_back(a.is_kept ? place.arrays.back().template data<T>() : nullptr);
            if (t == 0) names_.push_back(a.name);
          }
        }
        if constexpr (requires { Formula::scratch; }) {
          most = std::max(most, Formula::scratch(options, place.rows, place.columns));
        }
        if constexpr (requires { Formula::doubles; }) {
          most_doubles = std::max(most_doubles, Formula::doubles(options, place.rows, place.columns));
        }
      }
      places_.push_back(std::move(place));
    }
    scratch_.resize(static_cast<std::size_t>(most));
    doubles_.resize(static_cast<std::size_t>(most_doubles));
    for (auto& dense : dense_) dense.resize(static_cast<std::size_t>(most_strided));
  }

  bool looks() const override { return true; }

  /// Gradients come block by block as levels outside change them; then tensor by tensor, in parallel inside.
  bool look(const Look<T>& look) override {
    if constexpr (!std::is_same_v<T, Traced>) {
      for_blocks<T>(this->frame().size, [&](std::int64_t begin, std::int64_t end, T* scratch) {
        const T* const gradient = look.gradients.read(begin, end, scratch);
        std::copy(gradient, gradient + (end - begin), update_.at(begin));
      });
      for (std::size_t t = 0; t < places_.size(); ++t) {
        if (this->frame().has_gradient[t] != 0) look_at(t, look.weight + this->frame().tensors[t].begin);
      }
    }
    return false;
  }

  void update(const Block<T>& block) override {
    Block<T> moved = block;
    moved.gradient = update_.at(block.begin);
    Base::update(moved);
  }

  void clear(std::int64_t begin, std::int64_t end) override {
    for (const auto& buffer : buffers_) std::fill(buffer->at(begin), buffer->at(end), T(0));
  }
  void restart_count() override {
    Base::restart_count();
    for (Place& place : places_) {
      for (std::size_t k = 0; k < place.arrays.size(); ++k) {
        if (place.data[k] != nullptr) std::fill_n(place.data[k], place.arrays[k].size(), T(0));
      }
    }
  }
  void first_moments(const std::string& path, std::vector<Moment<T>>& moments) override {
    for (std::size_t i = 0; i < kBuffers; ++i) {
      const State& s = Formula::kBuffers[i];
      if (s.role == Role::first_moment) moments.push_back({path + s.name, buffers_[i]->at(0)});
    }
  }
  void state(const std::string& path, StateVisitor<T>& visitor) override {
    for (std::size_t i = 0; i < kBuffers; ++i) visitor.buffer(path + Formula::kBuffers[i].name, *buffers_[i]);
    Base::state(path, visitor);
    for (std::size_t t = 0; t < places_.size(); ++t) {
      for (std::size_t k = 0; k < places_[t].arrays.size(); ++k) {
        Array& array = places_[t].arrays[k];
        if (array.defined()) visitor.array(path + names_[k] + "/" + this->frame().parameters[t].name, array);
      }
    }
  }
  void measured(const std::string& path, MeasuredVisitor<T>& visitor) override {
    visitor.buffer(path + "update", update_);
  }
  /// The sweep reads updates where others read gradients.
  void join(Roll<T>& roll) override { roll.changes_gradients = true; }

 private:
  /// Where a tensor's state lies.
  struct Place {
    std::int64_t rows, columns;
    std::vector<std::int64_t> order;  // element i of the logical order in the arena; empty: the orders are the same
    std::vector<Array> arrays;
    std::vector<T*> data;  // of arrays
  };

  static std::int64_t rows_of(const Shape& shape) { return shape.rank() == 0 ? 1 : shape[0]; }

  static void check_rank(const ParameterInfo& info) {
    if constexpr (requires { Formula::kLeastRank; }) {
      if (info.shape.rank() >= Formula::kLeastRank) return;
      fail_usage(Formula::kName, "\"" + info.name + "\" is no matrix", info.shape.to_string(),
                 std::string("use groups(matrices: ") + Formula::kName + "(...); *: adamw(...))");
    }
  }

  static std::vector<std::int64_t> order(const ParameterInfo& info) {
    std::vector<std::int64_t> places(static_cast<std::size_t>(info.shape.count()));
    bool is_same = true;
    for (std::size_t i = 0; i < places.size(); ++i) {
      auto rest = static_cast<std::int64_t>(i);
      for (int d = info.shape.rank() - 1; d >= 0; --d) {
        places[i] += rest % info.shape[d] * info.strides[d];
        rest /= info.shape[d];
      }
      is_same = is_same && places[i] == static_cast<std::int64_t>(i);
    }
    if (is_same) places.clear();
    return places;
  }

  void look_at(std::size_t t, const T* weight) {
    const Place& place = places_[t];
    const std::int64_t begin = this->frame().tensors[t].begin;
    T* update = update_.at(begin);
    std::array<T*, kBuffers + 1> buffers{};
    for (std::size_t i = 0; i < kBuffers; ++i) buffers[i] = buffers_[i]->at(begin);
    const auto see = [&] {
      this->formula_of(t).look({this->frame().parameters[t].shape, place.rows, place.columns, weight, update,
                                buffers.data(), place.data.data(), scratch_.data(), doubles_.data()});
    };
    if (place.order.empty()) return see();

    const auto gather = [&](std::vector<T>& to, const T* from) {
      for (std::size_t i = 0; i < place.order.size(); ++i) to[i] = from[place.order[i]];
      return to.data();
    };
    const auto scatter = [&](T* to, const std::vector<T>& from) {
      for (std::size_t i = 0; i < place.order.size(); ++i) to[place.order[i]] = from[i];
    };
    weight = gather(dense_[kBuffers], weight);
    update = gather(dense_[kBuffers + 1], update);
    for (std::size_t i = 0; i < kBuffers; ++i) buffers[i] = gather(dense_[i], buffers[i]);
    see();
    scatter(update_.at(begin), dense_[kBuffers + 1]);
    for (std::size_t i = 0; i < kBuffers; ++i) scatter(buffers_[i]->at(begin), dense_[i]);
  }

  Numbers<T> update_;  // the gradient during a look, then the update
  std::array<std::unique_ptr<Numbers<T>>, kBuffers> buffers_;
  std::vector<const char*> names_;  // of the arrays
  std::vector<Place> places_;       // of each tensor
  std::vector<T> scratch_;
  std::vector<double> doubles_;
  std::array<std::vector<T>, kBuffers + 2> dense_;  // buffers, weight, update of a tensor of other strides
};

}  // namespace tandem
