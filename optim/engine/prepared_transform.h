// PreparedTransform: a GradientTransform that needs a number for each weight, found by looking at all elements before
// any moves: the mean of its row (centralize.h), a gradient elsewhere (sam.h). The formula gets it as its one state,
// and explanations show it under that name:
//
//   static constexpr std::array kState = {State{"mean"}};
//   void operator()(T& changed, T g, T& mean) const { changed = g - mean; }
#pragma once

#include <tandem/optim/engine/pass.h>
#include <tandem/optim/engine/wrapper.h>

namespace tandem {

template <class T, class Formula>
class PreparedTransform : public GradientTransform<T> {
 public:
  PreparedTransform(std::unique_ptr<Running<T>> inner, const Frame& frame)
      : GradientTransform<T>(std::move(inner)), frame_(frame), numbers_(frame) {}

  void begin(std::int64_t index) override {
    is_prepared_ = false;
    this->inner().begin(index);
  }
  bool looks() const override { return true; }
  bool look(const Look<T>& look) override {
    if (!is_prepared_ && prepare(look)) return true;
    is_prepared_ = true;
    return GradientTransform<T>::look(look);
  }
  void measured(const std::string& path, MeasuredVisitor<T>& visitor) override {
    visitor.buffer(path + Formula::kState[0].name, numbers_);
    GradientTransform<T>::measured(path, visitor);
  }

 protected:
  /// Finds the numbers of all weights with a gradient in this step. True: once more (Running::look).
  virtual bool prepare(const Look<T>& look) = 0;

  const T* transform(const T* gradient, std::int64_t begin, std::int64_t end, T* scratch) const override {
    T* const state[] = {numbers_.at(begin)};
    detail::formula_pass<T>(Formula{}, scratch, gradient, state, end - begin);
    return scratch;
  }
  T* numbers() const { return numbers_.at(0); }
  const Frame& frame() const { return frame_; }

 private:
  const Frame& frame_;
  Numbers<T> numbers_;
  bool is_prepared_ = false;
};

}  // namespace tandem
