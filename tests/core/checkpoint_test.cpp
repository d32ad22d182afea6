// Checkpoints and trees: round trips, the predecessor, what must be refused, and a disk that is full.
#include <doctest/doctest.h>

#include <sys/resource.h>

#include <csignal>
#include <limits>
#include <string>

#include <tandem/core/checkpoint.h>
#include <tandem/core/error.h>
#include <tandem/core/file.h>
#include <tandem/core/generator.h>

#include "core/temporary_folder.h"

using namespace tandem;

namespace {

std::string error_of(auto&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

Checkpoint sample(double value) {
  Array images = Array::empty({2, 3, 4, 5}, DType::f32, Layout::channels_last);
  Generator(static_cast<std::uint64_t>(value)).fill_normal(images);
  return {
      {{"model/w", images}, {"optimizer/counter", Array::scalar(value, DType::i64)}},
      {{"step", std::to_string(static_cast<int>(value))}, {"optimizer", "lookahead(adam(lr=0.001), k=5, alpha=0.5)"}}};
}

}  // namespace

TEST_CASE("a checkpoint comes back as it was, and the one before is kept") {
  const test::TemporaryFolder folder;
  const auto path = folder / "checkpoint.safetensors";
  save_checkpoint(path, sample(1));
  CHECK(folder.count() == 1);
  save_checkpoint(path, sample(2));
  save_checkpoint(path, sample(3));
  CHECK(folder.count() == 2);
  const Checkpoint now = load_checkpoint(path), before = load_checkpoint(folder / "checkpoint.previous.safetensors");
  CHECK(to_string(compare_trees(now.arrays, sample(3).arrays)) == "equal");
  CHECK(to_string(compare_trees(before.arrays, sample(2).arrays)) == "equal");
  CHECK(now.metadata == sample(3).metadata);
  CHECK(now.number("step") == 3);
  CHECK(error_of([&] { now.number("optimizer"); }) ==
        "checkpoint: optimizer is not a whole number: lookahead(adam(lr=0.001), k=5, alpha=0.5)");
  CHECK(error_of([&] { now.text("epoch"); }) == "checkpoint: the metadata have no entry: epoch");
}

TEST_CASE("state that is not finite is never saved over a good checkpoint") {
  const test::TemporaryFolder folder;
  const auto path = folder / "checkpoint.safetensors";
  save_checkpoint(path, sample(1));
  Checkpoint bad = sample(2);
  bad.arrays[0].array.set({1, 2, 3, 4}, std::numeric_limits<double>::infinity());
  CHECK(error_of([&] { save_checkpoint(path, bad); }) ==
        "save_checkpoint: " + path.string() +
            ": \"model/w\" is not finite; nothing was written; the checkpoint before stays");
  CHECK(load_checkpoint(path).number("step") == 1);
  CHECK(folder.count() == 1);
}

TEST_CASE("truncated, flipped and foreign files are refused") {
  const test::TemporaryFolder folder;
  const auto path = folder / "checkpoint.safetensors";
  save_checkpoint(path, sample(7));
  const std::string good = read_file(path);
  for (std::size_t length = 0; length < good.size(); length += 13) {
    write_file(path, good.substr(0, length));
    CHECK_THROWS_AS(load_checkpoint(path), Error);
  }
  for (std::size_t bit = 0; bit < good.size() * 8; bit += 3) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    write_file(path, bad);
    CHECK_THROWS_AS(load_checkpoint(path), Error);
  }
  save_safetensors(path, sample(1).arrays);
  CHECK(error_of([&] { load_checkpoint(path); }) ==
        "load_checkpoint: " + path.string() +
            ": not a checkpoint: a safetensors file without the mark of one; a run's weights are model.safetensors");
}

TEST_CASE("a full disk is a clear error, and the checkpoint before is whole") {
  const test::TemporaryFolder folder;
  const auto path = folder / "checkpoint.safetensors";
  save_checkpoint(path, sample(1));
  // No file of this process may grow beyond 300 bytes: writing fails as on a full disk.
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{300, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const std::string message = error_of([&] { save_checkpoint(path, sample(2)); });
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old_handler);
  CHECK(message.find(path.string()) != std::string::npos);
  CHECK(message.find("File too large") != std::string::npos);
  CHECK(load_checkpoint(path).number("step") == 1);
  CHECK(folder.count() == 1);
}

TEST_CASE("the difference of two trees names what differs and where") {
  const NamedArrays a = {
      {"x", Array::from({1, 2, 3, 4}, {2, 2})}, {"only", Array::scalar(1)}, {"s", Array::zeros({2})}};
  const NamedArrays b = {
      {"s", Array::zeros({3})}, {"x", Array::from({1, 2, 3.5, 4.25}, {2, 2})}, {"new", Array::scalar(1)}};
  CHECK(to_string(compare_trees(a, b)) ==
        "x: 2 of 4 values differ, most at [1, 0]: 3 and 3.5\n"
        "only: only in the first\n"
        "s: [2] f32 and [3] f32\n"
        "new: only in the second");
  CHECK(compare_trees(a, b, 0.3)[0].count == 1);
  CHECK(to_string(compare_trees(a, a)) == "equal");
  CHECK(subtree({{"a/b", a[0].array}, {"c/b", a[1].array}}, "a/").size() == 1);
}
