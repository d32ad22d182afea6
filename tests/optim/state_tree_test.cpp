// The state tree: names, a round trip in mid-cycle bit for bit, also through a file, and refusals that change nothing.
#include <filesystem>

#include "support.h"

using namespace support;

namespace {

const char* const kRules[] = {
    "sgd(lr=0.1)",
    "momentum(lr=0.1, momentum=0.9, nesterov)",
    "adamw(lr=0.01 * cosine(warmup=3, total=20))",
    "lookahead(adam(lr=0.01), k=5, alpha=0.5, state=reset)",
    ("clip_norm(lookahead(lookahead(momentum(lr=0.1, momentum=0.9), k=2, alpha=0.5, state=interpolate), k=7, "
     "alpha=0.25, state=interpolate), max=1)"),
    "outer_loop(adam(lr=0.01), momentum(lr=0.7, momentum=0.9, nesterov), k=4)",
};

NamedTensors copies(const NamedTensors& parameters) {
  NamedTensors copy;
  for (const NamedTensor& p : parameters) copy.push_back({p.name, Tensor(p.tensor.value().clone(), true)});
  return copy;
}

}  // namespace

TEST_CASE("entries are named by role") {
  Tensor w(Array::zeros({2}), true), v(Array::zeros({3, 2}), true);
  const NamedTensors parameters = {{"a.bias", w}, {"a.weight", v}};
  Optimizer optimizer(parameters, parse_rule("lookahead(adam(lr=1), k=3, state=interpolate)"));
  std::vector<std::string> names;
  for (const NamedArray& e : optimizer.state_tree()) names.push_back(e.name);
  CHECK(names == std::vector<std::string>{"step", "groups/0/slow/a.weight", "groups/0/slow/a.bias", "groups/0/counter",
                                          "groups/0/last/inner/exp_avg/a.weight", "groups/0/last/inner/exp_avg/a.bias",
                                          "groups/0/inner/exp_avg/a.weight", "groups/0/inner/exp_avg/a.bias",
                                          "groups/0/inner/exp_avg_sq/a.weight", "groups/0/inner/exp_avg_sq/a.bias",
                                          "groups/0/inner/step"});
}

TEST_CASE("one level with maintain holds one more copy of the weights") {
  const auto bytes = [](const char* spec) {
    NamedTensors parameters = model(1);
    Optimizer optimizer(parameters, parse_rule(spec));
    std::int64_t sum = 0;
    for (const NamedArray& e : optimizer.state_tree()) sum += e.array.rank() > 0 ? e.array.size() : 0;
    return sum;
  };
  std::int64_t weights = 0;
  for (const NamedTensor& p : model(1)) weights += p.tensor.size();
  CHECK(bytes("lookahead(adam)") - bytes("adam") == weights);
}

TEST_CASE("save, load, step equals step, at every point of a cycle") {
  for (const char* spec : kRules) {
    CAPTURE(spec);
    const Rule rule = parse_rule(spec);
    for (int at = 0; at <= 8; ++at) {
      NamedTensors parameters = model(3);
      Optimizer optimizer(parameters, rule);
      train(optimizer, parameters, 0, at);
      const NamedArrays tree = cloned(optimizer.state_tree());
      const NamedTensors saved = copies(parameters);
      train(optimizer, parameters, at, at + 9);

      NamedTensors resumed = model(50);
      Optimizer other(resumed, rule);
      train(other, resumed, 0, 3);
      if (at % 2 == 0) other.load_state_tree(tree);  // weights after, or before
      for (std::size_t i = 0; i < saved.size(); ++i) {
        resumed[i].tensor.mutable_value().copy_from(saved[i].tensor.value());
      }
      if (at % 2 == 1) other.load_state_tree(tree);
      CHECK(other.step_count() == at);
      train(other, resumed, at, at + 9);
      CHECK(same(resumed, parameters));
    }
  }
}

TEST_CASE("a tree goes through a file") {
  const auto path = std::filesystem::temp_directory_path() / "tandem_state_tree_test.safetensors";
  NamedTensors parameters = model(3);
  Optimizer optimizer(parameters, parse_rule(kRules[4]));
  train(optimizer, parameters, 0, 6);
  save_safetensors(path, optimizer.state_tree());
  NamedTensors resumed = copies(parameters);
  Optimizer other(resumed, parse_rule(kRules[4]));
  other.load_state_tree(load_safetensors(path).arrays);
  std::filesystem::remove(path);
  train(optimizer, parameters, 6, 20);
  train(other, resumed, 6, 20);
  CHECK(same(resumed, parameters));
}

TEST_CASE("what does not fit is refused by name, and nothing changes") {
  NamedTensors parameters = model(3);
  Optimizer optimizer(parameters, lookahead(adam(), {.k = 5}));
  train(optimizer, parameters, 0, 3);
  const NamedArrays good = cloned(optimizer.state_tree());
  const auto load = [&](const NamedArrays& tree) { return message([&] { optimizer.load_state_tree(tree); }); };

  NamedArrays tree = good;
  tree.erase(tree.begin() + 1);
  CHECK(load(tree) == "optimizer: state \"groups/0/slow/conv.weight\" is missing: the tree has 14 entries");
  tree = good;
  tree.push_back({"groups/0/slow/other", Array::zeros({2})});
  CHECK(load(tree) ==
        "optimizer: state \"groups/0/slow/other\" is unexpected: in lookahead(adam(lr=0.001), k=5, alpha=0.5)");
  tree = good;
  tree[1].array = Array::zeros({4, 3});
  CHECK(load(tree) ==
        "optimizer: state \"groups/0/slow/conv.weight\" does not fit: f32 [4, 3], expected f32 [4, 3, 3, 3]");
  tree[1].array = Array::zeros({4, 3, 3, 3}, DType::f64);
  CHECK(load(tree) ==
        "optimizer: state \"groups/0/slow/conv.weight\" does not fit: f64 [4, 3, 3, 3], expected f32 [4, 3, 3, 3]");
  tree[1].array = Array();
  CHECK(load(tree) == "optimizer: state \"groups/0/slow/conv.weight\" does not fit: it is not defined");
  tree = good;
  tree.push_back(tree[1]);
  CHECK(load(tree) == "optimizer: state \"groups/0/slow/conv.weight\" appears twice");
  tree = good;
  tree[0].array = Array::scalar(-1, DType::i64);
  CHECK(load(tree) == "optimizer: state \"step\" is -1, must be at least 0");

  const NamedArrays now = optimizer.state_tree();
  for (std::size_t i = 0; i < good.size(); ++i) CHECK(identical(now[i].array, good[i].array));
  CHECK(load(good) == "no error");
}
