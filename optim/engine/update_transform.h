// UpdateTransform: a level that changes what the inner rule has done to the weights: cautious.h, clip_update.h. It
// keeps the weights before the step, and where wanted the gradient; the inner rule moves the weights; then
//
//   measure(...)     part of a number of a parameter, added up; seen() has the sum (optional)
//   propose(piece)   writes the weights that it wants over piece.after
//
// on pieces of the parameters with a gradient in this step. Loops inside it do not learn of the change: put it inside
// of them.
#pragma once

#include <vector>

#include <tandem/optim/engine/pass.h>
#include <tandem/optim/engine/watch.h>
#include <tandem/optim/engine/wrapper.h>

namespace tandem {

template <class T>
class UpdateTransform : public Follower<T> {
 public:
  struct Needs {
    bool gradient = false;  ///< else it is null
    bool sums = false;      ///< measure() and seen() are called: one more sweep
  };
  /// `size` elements of parameter number `tensor`, from `begin` of the arena on.
  struct Piece {
    std::size_t tensor;
    std::int64_t begin, size;
    T* before;  ///< to element `begin`, like the others
    const T* gradient;
    T* after;
  };

  UpdateTransform(std::unique_ptr<Running<T>> inner, const Frame& frame, Needs needs)
      : Follower<T>(std::move(inner)), frame_(frame), needs_(needs), before_(frame) {
    if (needs.gradient) gradient_ = std::make_unique<Numbers<T>>(frame);
    if (needs.sums) {
      sums_.resize(static_cast<std::size_t>((frame.size + kBlock - 1) / kBlock) + frame.tensors.size());
    }
  }

  void begin(std::int64_t index) override {
    this->inner().begin(index);
    this->plan(true, needs_.sums);
  }
  void update(const Block<T>& block) override {
    std::copy(block.weight, block.weight + block.size(), before_.at(block.begin));
    if (gradient_) std::copy(block.gradient, block.gradient + block.size(), gradient_->at(block.begin));
    Follower<T>::update(block);
  }
  void act(const Block<T>& block) override {
    for_pieces(block.begin, block.end, [&](std::size_t t, std::int64_t begin, std::int64_t end) {
      propose({t, begin, end - begin, before_.at(begin), gradient_at(begin), block.weight + (begin - block.begin)});
    });
  }
  /// Sums of the pieces of a parameter, added in order: the same for every number of threads.
  bool look_before_act(const Look<T>& look) override {
    if (!needs_.sums) return false;
    for_blocks<T>(frame_.size, [&](std::int64_t block, std::int64_t block_end, T*) {
      for_pieces(block, block_end, [&](std::size_t t, std::int64_t begin, std::int64_t end) {
        sums_[detail::block_number(begin) + t] =  // a place for each piece
            measure(before_.at(begin), look.weight + begin, gradient_at(begin), end - begin);
      });
    });
    for (std::size_t t = 0; t < frame_.tensors.size(); ++t) {
      if (frame_.has_gradient[t] == 0) continue;
      double sum = 0;
      const Interval& tensor = frame_.tensors[t];
      for (std::int64_t b = tensor.begin; b < tensor.end; b = (b / kBlock + 1) * kBlock) {
        sum += sums_[detail::block_number(b) + t];
      }
      seen(t, sum, static_cast<double>(tensor.end - tensor.begin));
    }
    return false;
  }
  bool is_at_sync() const override { return false; }
  void join(Roll<T>& roll) override {
    roll.changes_updates = true;
    Follower<T>::join(roll);
  }

 protected:
  virtual void propose(const Piece& piece) = 0;
  virtual double measure(const T* before, const T* after, const T* gradient, std::int64_t n) const {
    return (void)before, (void)after, (void)gradient, (void)n, 0;
  }
  virtual void seen(std::size_t t, double sum, double size) { (void)t, (void)sum, (void)size; }
  const Frame& frame() const { return frame_; }

 private:
  const T* gradient_at(std::int64_t begin) const { return gradient_ ? gradient_->at(begin) : nullptr; }
  /// f(t, begin, end) on the parameters with a gradient inside [begin, end).
  template <class F>
  void for_pieces(std::int64_t begin, std::int64_t end, F&& f) const {
    const std::vector<Interval>& tensors = frame_.tensors;
    auto tensor = std::lower_bound(tensors.begin(), tensors.end(), begin,
                                   [](const Interval& r, std::int64_t element) { return r.end <= element; });
    for (; tensor != tensors.end() && tensor->begin < end; ++tensor) {
      const auto t = static_cast<std::size_t>(tensor - tensors.begin());
      if (frame_.has_gradient[t] != 0) f(t, std::max(begin, tensor->begin), std::min(end, tensor->end));
    }
  }

  const Frame& frame_;
  const Needs needs_;
  Numbers<T> before_;
  std::unique_ptr<Numbers<T>> gradient_;
  std::vector<double> sums_;
};

}  // namespace tandem
