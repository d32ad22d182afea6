// Small texts with something to learn: sentences of a few words in a fixed pattern, drawn from a seed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <tandem/core/generator.h>
#include <tandem/core/io/file.h>

namespace tandem::test {

/// `lines` lines "the cat sees a dog", with other animals and verbs.
inline std::string tiny_text(int lines, std::uint64_t seed) {
  const std::string animals[] = {"cat", "dog", "cow", "hen"}, verbs[] = {"sees", "hears", "likes"};
  Generator random(seed);
  std::string text;
  for (int i = 0; i < lines; ++i) {
    text += "the " + animals[random.below(4)] + " " + verbs[random.below(3)];
    text += " a " + animals[random.below(4)] + "\n";
  }
  return text;
}

/// Penn Treebank's three files with few lines.
inline void write_tiny_ptb(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  write_file(folder / "ptb.train.txt", tiny_text(60, 1));
  write_file(folder / "ptb.valid.txt", tiny_text(12, 2));
  write_file(folder / "ptb.test.txt", tiny_text(12, 3));
}

}  // namespace tandem::test
