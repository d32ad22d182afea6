// Look: what a level of a rule sees when it looks at all elements before they move (Running::look), and what it may ask
// for: norms over all groups, and the loss and its gradients at other weights.
#pragma once

#include <string>

#include <tandem/optim/engine/frame.h>
#include <tandem/optim/engine/squares.h>

namespace tandem {

/// Where a look reads gradients, as the levels outside pass them on.
template <class T>
class GradientSource {
 public:
  virtual ~GradientSource() = default;
  /// A pointer to element `begin`; the numbers up to `end` stand in place or were written to scratch.
  virtual const T* read(std::int64_t begin, std::int64_t end, T* scratch) const = 0;
  virtual const std::vector<Interval>& runs() const = 0;
};

/// Where the groups of an Optimizer meet between looks. Each group has a seat of its own.
class Seat {
 public:
  virtual ~Seat() = default;
  /// Gives this group's part of sum number `key` (Roll::sums); complete when all groups that have it gave theirs. Sums
  /// belong together where their levels have one name, the first with the first, the second with the second.
  virtual void add(int key, const Squares& part) = 0;
  virtual bool is_complete(int key) const = 0;
  /// All parts, added group by group: for norms, and for products of two vectors (of scale 1).
  virtual Squares sum(int key) const = 0;
  double norm(int key) const { return sum(key).norm(); }
  /// Asks for the loss and its gradients with the weights of this group exchanged for `point` (T*, element 0 of the
  /// arena; null: as they are). When no group can go on without, all points are exchanged together; they are back when
  /// the next look of this group begins. `copy`: whose weights the point is (copies.h; Optimizer::copy()).
  virtual void ask(void* point, std::int64_t copy = 0) = 0;
  /// What was asked for: gradients (T*, element 0; zero where none arrived), and the loss.
  virtual const void* gradients() const = 0;
  virtual double loss() const = 0;
  /// The loss of the step's own batch at the weights as they were; NaN in a step without a closure.
  virtual double step_loss() const = 0;
};

template <class T>
struct Look {
  T* weight;  ///< element 0 of the arena; written by a loop over workers alone, before its sync (worker_mean.h)
  const GradientSource<T>& gradients;
  Seat& seat;
};

/// Receives numbers that a step has measured.
template <class T>
class MeasuredVisitor {
 public:
  virtual ~MeasuredVisitor() = default;
  virtual void number(const std::string& path, double& value) = 0;
  /// One of each of Frame::parameters.
  virtual void numbers(const std::string& path, std::vector<double>& values) = 0;
  /// One of each weight.
  virtual void buffer(const std::string& path, Numbers<T>& values) = 0;
};

}  // namespace tandem
