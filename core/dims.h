// Dims: which dims a reduction goes over. `all` of them, or a list, in which an empty one is no dim: what a program
// computes is never taken for everything. Not here: the reductions (kernels/reduce/reduce.h).
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <tandem/core/shape.h>

namespace tandem {

struct All {};
/// All dims of an array, or the whole of one dim; given by its name, as std::endl is: sum(x, all, true), x(all, 0).
constexpr All all() { return {}; }

/// sum(x, all), sum(x, {0, -1}); sum(x, {}) reduces nothing and has the values of x, as numpy's axis=().
class Dims {
 public:
  template <std::same_as<All (*)()> Whole>
  Dims(Whole) : are_all_(true) {}
  Dims(std::initializer_list<int> list) : list_(list) {}
  Dims(std::vector<int> list) : list_(std::move(list)) {}

  /// x with size 1 at these dims. Throws Error naming `where` for a dim that x has not or that is given twice.
  Shape kept(const char* where, const Shape& x) const;
  /// kept(x) without these dims.
  Shape without(const Shape& kept) const;
  /// "all", "none", or "0, -1".
  std::string to_string() const;

  bool are_all() const { return are_all_; }
  /// Empty for all.
  const std::vector<int>& list() const { return list_; }

 private:
  std::vector<int> list_;
  bool are_all_ = false;
};

}  // namespace tandem
