// The order in which a traversal takes the nodes that gradients have reached.
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include <tandem/autograd/reached_nodes.h>

using namespace tandem;

TEST_CASE("reached nodes are taken from the largest sequence number down, each once, in whatever order they came") {
  std::vector<std::shared_ptr<Node>> nodes;
  for (int i = 0; i < 5; ++i) nodes.push_back(std::make_shared<Node>("op", Backward{}, nullptr));
  std::vector<std::size_t> order{0, 1, 2, 3, 4};
  do {
    ReachedNodes reached;
    CHECK(reached.empty());
    for (const std::size_t i : order) {
      Tensor& first = reached.gradient_of(nodes[i]);
      CHECK_FALSE(first.defined());
      first = scalar(static_cast<double>(i));
    }
    for (const std::size_t i : order) CHECK(reached.gradient_of(nodes[i]).item() == static_cast<double>(i));
    for (std::size_t i = 5; i-- > 0;) {
      REQUIRE_FALSE(reached.empty());
      const Reached last = reached.take_last();
      CHECK(last.node == nodes[i]);
      CHECK(last.gradient.item() == static_cast<double>(i));
    }
    CHECK(reached.empty());
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("a node that is reached while others are taken finds its place") {
  std::vector<std::shared_ptr<Node>> nodes;
  for (int i = 0; i < 4; ++i) nodes.push_back(std::make_shared<Node>("op", Backward{}, nullptr));
  ReachedNodes reached;
  reached.gradient_of(nodes[3]);
  reached.gradient_of(nodes[0]);
  CHECK(reached.take_last().node == nodes[3]);
  reached.gradient_of(nodes[2]);
  reached.gradient_of(nodes[1]);
  CHECK(reached.take_last().node == nodes[2]);
  CHECK(reached.take_last().node == nodes[1]);
  CHECK(reached.take_last().node == nodes[0]);
  CHECK(reached.empty());
}
