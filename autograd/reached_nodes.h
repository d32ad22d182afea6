// What a traversal knows of the nodes that a gradient has reached. Private to autograd. Read next: backward.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <utility>

#include <tandem/autograd/node.h>
#include <tandem/core/pooled.h>

namespace tandem {

/// A node that a gradient has reached, and the sum of those that did.
struct Reached {
  std::shared_ptr<Node> node;
  Tensor gradient;
};

/// Nodes in the order of their sequence numbers. The last lies apart: in a chain, where there is one at a time, nothing
/// is sorted.
class ReachedNodes {
 public:
  bool empty() const { return last_.node == nullptr; }

  /// The gradient that is to be added to; undefined where the node was not reached before.
  Tensor& gradient_of(const std::shared_ptr<Node>& node) {
    if (last_.node == node) return last_.gradient;
    if (last_.node == nullptr) {
      last_.node = node;
      return last_.gradient;
    }
    if (last_.node->sequence() > node->sequence()) {
      Reached& reached = others_[node->sequence()];
      reached.node = node;
      return reached.gradient;
    }
    others_.emplace(last_.node->sequence(), std::move(last_));
    last_ = {node, {}};
    return last_.gradient;
  }

  Reached take_last() {
    Reached taken = std::move(last_);
    last_ = {};
    if (others_.empty()) return taken;
    const auto next = std::prev(others_.end());
    last_ = std::move(next->second);
    others_.erase(next);
    return taken;
  }

 private:
  using Entry = std::pair<const std::uint64_t, Reached>;
  Reached last_;
  std::map<std::uint64_t, Reached, std::less<>, Pooled<Entry>> others_;
};

}  // namespace tandem
