// Checkpoints and trees: round trips, the predecessor, what must be refused, and a disk that is full.
#include <doctest/doctest.h>

#include <sys/resource.h>

#include <cerrno>
#include <csignal>
#include <limits>
#include <string>

#include <tandem/core/error.h>
#include <tandem/core/generator.h>
#include <tandem/core/io/checkpoint.h>
#include <tandem/core/io/file.h>
#include <tandem/core/io/keep_previous.h>

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

TEST_CASE("a checkpoint that cannot be read is replaced by the one before it, with a warning") {
  const test::TemporaryFolder folder;
  const auto path = folder / "checkpoint.safetensors", previous = previous_checkpoint(path);
  save_checkpoint(path, sample(1));
  save_checkpoint(path, sample(2));
  const LoadedCheckpoint good = load_checkpoint_or_previous(path);
  CHECK(good.checkpoint.number("step") == 2);
  CHECK(good.warning.empty());

  write_file(path, read_file(path).substr(0, 100));
  const LoadedCheckpoint damaged = load_checkpoint_or_previous(path);
  CHECK(damaged.checkpoint.number("step") == 1);
  CHECK(damaged.warning == error_of([&] { load_checkpoint(path); }) + "; " + previous.string() + " was read instead");

  std::filesystem::remove(path);
  const LoadedCheckpoint missing = load_checkpoint_or_previous(path);
  CHECK(missing.checkpoint.number("step") == 1);
  CHECK(missing.warning == path.string() + ": the file cannot be read: No such file or directory; " +
                               previous.string() + " was read instead");

  write_file(previous, "no");
  CHECK(error_of([&] { load_checkpoint_or_previous(path); }) ==
        "load_checkpoint: neither the checkpoint nor the one before it can be read: " + path.string() +
            ": the file cannot be read: No such file or directory | " + previous.string() +
            ": not a safetensors file: 2 bytes, at least 8 are needed");
}

TEST_CASE("where the file system has no second names, the one before is kept by a rename") {
  const test::TemporaryFolder folder;
  const auto path = folder / "a", previous = folder / "b";
  write_file(path, "new");
  write_file(previous, "old");
  const LinkFunction full = [](const char*, const char*) { return errno = ENOSPC, -1; };
  CHECK(error_of([&] { keep_previous(path, previous, full); }) ==
        "save_checkpoint: " + path.string() + ": the one before cannot be kept: No space left on device");
  CHECK(read_file(previous) == "old");
  const LinkFunction links[] = {[](const char*, const char*) { return errno = EPERM, -1; },
                                [](const char*, const char*) { return errno = EOPNOTSUPP, -1; },
                                [](const char*, const char*) { return errno = ENOSYS, -1; },
                                [](const char*, const char*) { return errno = EMLINK, -1; }};
  for (const LinkFunction link : links) {
    write_file(path, "new");
    write_file(previous, "old");
    CHECK(keep_previous(path, previous, link));
    CHECK(read_file(previous) == "new");
    CHECK(folder.count() == 1);
    CHECK_FALSE(keep_previous(path, previous, link));  // nothing to keep
    CHECK(read_file(previous) == "new");
  }
}

TEST_CASE("a checkpoint keeps links and modes, and replaces no device") {
  const test::TemporaryFolder folder;
  std::filesystem::create_directory(folder / "disk");
  std::filesystem::create_symlink("disk/c.safetensors", folder / "c.safetensors");
  const auto path = folder / "c.safetensors", target = folder / "disk/c.safetensors";
  save_checkpoint(path, sample(1));
  std::filesystem::permissions(target, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  save_checkpoint(path, sample(2));
  CHECK(std::filesystem::is_symlink(path));
  CHECK(load_checkpoint(target).number("step") == 2);
  CHECK(load_checkpoint(previous_checkpoint(target)).number("step") == 1);
  CHECK(std::filesystem::status(target).permissions() ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  CHECK(folder.count() == 4);
  write_file(target, "no");
  CHECK(load_checkpoint_or_previous(path).checkpoint.number("step") == 1);
  CHECK(error_of([&] { save_checkpoint("/dev/null", sample(1)); }) ==
        "save_checkpoint: /dev/null: not a regular file; a checkpoint replaces the one before it");
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
  const NamedArrays copy = clone(a);
  CHECK(to_string(compare_trees(a, copy)) == "equal");
  Array(copy[0].array).fill(7);
  CHECK(a[0].array.at({0, 0}) == 1);
  CHECK_FALSE(clone({{"none", Array()}})[0].array.defined());
  CHECK(subtree({{"a/b", a[0].array}, {"c/b", a[1].array}}, "a/").size() == 1);
}
