// A made-up language of six words and its translation: data small enough to be learned in a test.
#pragma once

#include <string>
#include <vector>

#include <tandem/core/generator.h>
#include <tandem/core/io/file.h>
#include "core/temporary_folder.h"

namespace tandem::test {

/// `count` pairs of a language whose words are translated one by one.
inline void write_pairs(const TemporaryFolder& folder, int count) {
  const char* const from[] = {"eins", "zwei", "drei", "vier", "rot", "gross"};
  const char* const to[] = {"one", "two", "three", "four", "red", "big"};
  Generator random(1);
  std::string source, target;
  for (int i = 0; i < count; ++i) {
    const std::int64_t words = 2 + random.below(4);
    for (std::int64_t j = 0; j < words; ++j) {
      const auto word = static_cast<std::size_t>(random.below(6));
      source += std::string(j == 0 ? "" : " ") + from[word];
      target += std::string(j == 0 ? "" : " ") + to[word];
    }
    source += ".\n";
    target += ".\n";
  }
  write_file(folder / "a.de", source);
  write_file(folder / "a.en", target);
}

inline std::string source_of(const TemporaryFolder& folder) { return (folder / "a.de").string(); }

inline std::vector<std::string> data_of(const TemporaryFolder& folder) {
  return {"--source", source_of(folder), "--target", (folder / "a.en").string()};
}

inline std::vector<std::string> command(const TemporaryFolder& folder, const std::string& out,
                                        const std::string& epochs) {
  std::vector<std::string> all = data_of(folder);
  all.insert(all.end(), {"--model", "transformer-tiny", "--out", (folder / out).string(), "--epochs", epochs,
                         "--tokens", "128", "--merges", "60", "--dropout", "0", "--threads", "1"});
  return all;
}

}  // namespace tandem::test
