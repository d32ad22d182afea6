// Graphs and threads: graphs of one thread each over weights that all read, graphs that another thread frees, graphs
// that threads share. The suite runs these under ThreadSanitizer as well, which sees what results do not show.
#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <tandem/autograd/backward.h>
#include <tandem/autograd/checkpoint.h>
#include <tandem/autograd/ops.h>
#include <tandem/autograd/record.h>
#include <tandem/core/error.h>

using namespace tandem;

namespace {

constexpr int kRounds = 20;
constexpr std::int64_t kMany = 20000;

Tensor leaf(std::initializer_list<double> values, const Shape& shape, DType dtype = DType::f64) {
  return Tensor(values, shape, dtype).set_requires_grad(true);
}

/// Numbers of a generator's stream, as an f32 leaf.
Tensor drawn(std::uint64_t stream, const Shape& shape) {
  Array x = Array::empty(shape);
  Generator(7, stream).fill_normal(x, 0, 0.3);
  return Tensor(x, true);
}

/// What all threads read: a small network of convolution, batch norm, ReLU and a linear map.
struct Weights {
  Tensor conv = drawn(1, {8, 3, 3, 3}), scale = drawn(2, {8}), shift = drawn(3, {8}), out = drawn(4, {5, 8}),
         bias = drawn(5, {5});

  std::vector<Tensor> all() const { return {conv, scale, shift, out, bias}; }
};

Tensor features(const Weights& w, const Tensor& x) {
  return batch_norm(conv2d(x, w.conv, {.padding = 1}), w.scale, w.shift, {.relu = true});
}

/// The loss of `images` of thread `t`; part of the graph is made again in backward.
Tensor loss_of(const Weights& w, int t, int round) {
  const Tensor x = drawn(static_cast<std::uint64_t>(100 + 10 * t + round % 3), {4, 3, 8, 8});
  const Tensor y = checkpoint([&w](const Tensor& in) { return features(w, in); }, x);
  const Array labels = Array::from(std::vector<std::int64_t>{0, 1, 2, (t + round) % 5}, {4});
  return cross_entropy(linear(global_average_pool2d(y), w.out, w.bias), Tensor(labels));
}

/// f(0), f(1), ... at once; the first exception is thrown again here.
void together(int threads, const std::function<void(int)>& f) {
  std::vector<std::exception_ptr> failures(static_cast<std::size_t>(threads));
  std::vector<std::thread> running;
  for (int t = 0; t < threads; ++t) {
    running.emplace_back([&, t] {
      try {
        f(t);
      } catch (...) {
        failures[static_cast<std::size_t>(t)] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : running) thread.join();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

/// Graphs on their way from those who make them to who frees them.
class Handover {
 public:
  void give(Tensor y) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(y));
    changed_.notify_one();
  }
  /// The next one; undefined where a maker has come to its end.
  Tensor take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !waiting_.empty(); });
    Tensor y = std::move(waiting_.front());
    waiting_.pop_front();
    return y;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Tensor> waiting_;
};

}  // namespace

TEST_CASE("two threads differentiate graphs of their own over weights that they share") {
  const Weights w;
  std::vector<std::vector<Array>> expected;  // by thread and round, one after the other
  for (int t = 0; t < 2; ++t) {
    std::vector<Array> found;
    for (int round = 0; round < kRounds; ++round) {
      for (const Tensor& g : grad({loss_of(w, t, round)}, w.all())) found.push_back(g.value());
    }
    expected.push_back(std::move(found));
  }
  std::vector<std::vector<Array>> found(2);
  together(2, [&](int t) {
    for (int round = 0; round < kRounds; ++round) {
      for (const Tensor& g : grad({loss_of(w, t, round)}, w.all()))
        found[static_cast<std::size_t>(t)].push_back(g.value());
    }
  });
  for (std::size_t t = 0; t < 2; ++t) {
    REQUIRE(found[t].size() == expected[t].size());
    for (std::size_t i = 0; i < found[t].size(); ++i) CHECK(identical(found[t][i], expected[t][i]));
  }
}

TEST_CASE("two threads add to the gradients of one set of weights while a third evaluates it without a graph") {
  const Weights w;
  const Tensor images = drawn(50, {2, 3, 8, 8});
  const Array before = features(w, images).value();
  std::atomic<int> differ{0};
  together(3, [&](int t) {
    for (int round = 0; round < kRounds; ++round) {
      if (t < 2) {
        loss_of(w, t, round).backward();
        continue;
      }
      const NoGradGuard guard;
      const Tensor y = features(w, images);
      differ += y.requires_grad() || !identical(y.value(), before) ? 1 : 0;
    }
  });
  CHECK(differ == 0);
  for (const Tensor& weight : w.all()) REQUIRE(weight.has_grad());
  std::vector<Array> once;
  for (const Tensor& weight : w.all()) {
    once.push_back(weight.grad());
    Tensor(weight).zero_grad();
  }
  for (int t = 0; t < 2; ++t) {
    for (int round = 0; round < kRounds; ++round) loss_of(w, t, round).backward();
  }
  for (std::size_t i = 0; i < once.size(); ++i) {  // sums in another order
    const std::vector<double> a = once[i].to_vector<double>(), b = w.all()[i].grad().to_vector<double>();
    for (std::size_t j = 0; j < a.size(); ++j) CHECK(a[j] == doctest::Approx(b[j]).epsilon(1e-4).scale(1));
  }
}

TEST_CASE("two threads add to one large gradient") {
  const Tensor x(Array::full({kMany}, 1), true);
  together(2, [&](int t) {
    for (int round = 0; round < kRounds; ++round) sum(x * (t + 1.0)).backward();
  });
  CHECK(identical(x.grad(), Array::full({kMany}, kRounds * (1 + 2))));
}

TEST_CASE("two threads make graphs, a third walks and frees them") {
  const Weights w;
  const auto before = graph_stats();
  Handover handover;
  int walked = 0;
  together(3, [&](int t) {
    if (t < 2) {
      for (int round = 0; round < kRounds; ++round) {
        const Tensor y = loss_of(w, t, round);
        handover.give(y * 2.0);
        handover.give(y * y);  // shares all but its last node with the other
      }
      return handover.give(Tensor());
    }
    for (int ends = 0, taken = 0; ends < 2; ++taken) {
      const Tensor y = handover.take();
      if (!y.defined())
        ++ends;
      else if (taken % 4 == 0)
        walked += grad({y}, {w.bias}, {.retain_graph = true})[0].size() == 5 ? 1 : 0;
    }
  });
  CHECK(walked > 0);
  CHECK(graph_stats().nodes == before.nodes);
  CHECK(graph_stats().saved_bytes == before.saved_bytes);
}

namespace {
// Destroyed when the process ends, after what belongs to the main thread: the graph of it must go then as well.
Tensor& last_result() {
  static Tensor last;
  return last;
}
}  // namespace

TEST_CASE("a graph may live until the process ends, or longer than its thread's other variables") {
  last_result() = sum(leaf({2}, {1}) * leaf({3}, {1}));
  const auto before = graph_stats();
  std::thread([] {
    thread_local Tensor held;  // made first, destroyed last
    held = leaf({1}, {1});
    for (int i = 0; i < 100; ++i) held = held * 2.0;
  }).join();
  CHECK(graph_stats().nodes == before.nodes);
}

TEST_CASE("threads walk graphs that share nodes: gradients add up, none is lost") {
  Tensor x = leaf({1, 2, 3}, {3}), w = leaf({4, 5, 6}, {3});
  Tensor shared = x * w;
  for (int i = 0; i < 50; ++i) shared = shared * 1.0 + 0.0;
  constexpr int kThreads = 4, kWalks = 50;
  const std::vector<double> expected{4, 5, 6};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const Tensor y = sum(shared * (t + 1.0));
      for (int i = 0; i < kWalks; ++i) {
        y.backward(/*retain_graph=*/true);
        const Tensor dx = grad({y}, {x}, {.retain_graph = true})[0];
        const std::vector<double> values = dx.value().to_vector<double>();
        for (std::size_t j = 0; j < values.size(); ++j) wrong += values[j] != (t + 1) * expected[j] ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  const double factor = kWalks * (1 + 2 + 3 + 4);
  CHECK(x.grad().to_vector<double>() == std::vector<double>{4 * factor, 5 * factor, 6 * factor});
  CHECK(w.grad().to_vector<double>() == std::vector<double>{1 * factor, 2 * factor, 3 * factor});
}

TEST_CASE("two threads free one graph: each gets gradients or the error that says so") {
  for (int round = 0; round < 50; ++round) {
    const Tensor x(Array::full({kMany}, 0.5), true);  // so many that both are inside a node at a time
    const Tensor shared = exp(x * x);
    const Tensor a = sum(shared * 1.0), b = sum(shared * 2.0);
    std::atomic<int> freed{0};
    const auto run = [&](const Tensor& y) {
      try {
        y.backward();
      } catch (const Error& error) {
        freed += std::string(error.what()).find("the graph was freed by an earlier backward") != std::string::npos;
      }
    };
    std::thread other([&] { run(a); });
    run(b);
    other.join();
    CHECK(freed <= 1);
  }
}
