// A folder that looks like CIFAR-10 with few records: pictures whose colour tells the class, plus noise.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <tandem/core/generator.h>
#include <tandem/core/io/file.h>

namespace tandem::test {

inline constexpr int kCifarRecord = 3073;

/// `count` records, labels 0, 1, ... 9, 0, ...
inline std::string tiny_cifar_records(int count, std::uint64_t seed) {
  Generator random(seed);
  std::string bytes;
  for (int i = 0; i < count; ++i) {
    const int label = i % 10;
    bytes.push_back(static_cast<char>(label));
    for (int channel = 0; channel < 3; ++channel)
      for (int pixel = 0; pixel < 1024; ++pixel)
        bytes.push_back(static_cast<char>((label * (channel + 1) * 25) % 200 + random.below(56)));
  }
  return bytes;
}

/// Five training files of 24 records and a test file of 40.
inline void write_tiny_cifar10(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  for (int file = 1; file <= 5; ++file)
    write_file(folder / ("data_batch_" + std::to_string(file) + ".bin"),
               tiny_cifar_records(24, static_cast<std::uint64_t>(file)));
  write_file(folder / "test_batch.bin", tiny_cifar_records(40, 9));
}

}  // namespace tandem::test
