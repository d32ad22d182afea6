// SmallList: elements inside the object and beyond, moves, and that each is destroyed once.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include <tandem/autograd/record.h>
#include <tandem/autograd/small_list.h>

using namespace tandem;

namespace {

using Counted = std::shared_ptr<int>;

std::vector<int> values(const SmallList<Counted, 2>& list) {
  std::vector<int> all;
  for (const Counted& c : list) all.push_back(*c);
  return all;
}

}  // namespace

TEST_CASE("a small list keeps its elements while it grows, moves and shrinks") {
  const Counted one = std::make_shared<int>(1), two = std::make_shared<int>(2);
  for (std::size_t size : {0, 1, 2, 3, 9}) {
    CAPTURE(size);
    std::vector<int> expected;
    SmallList<Counted, 2> list;
    for (std::size_t i = 0; i < size; ++i) {
      list.push_back(i % 2 == 0 ? one : two);
      expected.push_back(i % 2 == 0 ? 1 : 2);
    }
    CHECK(values(list) == expected);
    SmallList<Counted, 2> moved(std::move(list));
    CHECK(values(moved) == expected);
    SmallList<Counted, 2> assigned(3);
    assigned[0] = one;
    assigned = std::move(moved);
    CHECK(values(assigned) == expected);
    CHECK(one.use_count() + two.use_count() == 2 + static_cast<long>(size));
    assigned.append({two, one});
    expected.insert(expected.end(), {2, 1});
    CHECK(values(assigned) == expected);
    assigned.resize(1);
    CHECK(assigned.size() == 1);
    assigned.clear();
    CHECK(assigned.empty());
    CHECK(one.use_count() == 1);
    CHECK(two.use_count() == 1);
  }
}

TEST_CASE("gradients are listed in braces or by their number") {
  const Tensor x({1, 2}, {2});
  const Grads listed{x, Tensor{}};
  REQUIRE(listed.size() == 2);
  CHECK(listed[0].state() == x.state());
  CHECK_FALSE(listed[1].defined());
  Grads counted(6);
  REQUIRE(counted.size() == 6);
  counted[5] = x;
  CHECK_FALSE(counted[0].defined());
  CHECK(counted[5].state() == x.state());
}
