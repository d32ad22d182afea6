// CIFAR-10 and CIFAR-100 (Krizhevsky 2009, "Learning multiple layers of features from tiny images") in their binary
// version: records of 1 (CIFAR-100: 2) label bytes and 3072 bytes of red, green and blue planes, 32x32 each.
// Not here: the download (examples/get_data.sh).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <tandem/data/dataset.h>

namespace tandem {

struct Cifar10Options {
  /// The folder with the .bin files, or the one above it; default: cifar-10-batches-bin in data_home().
  std::filesystem::path folder = {};
};

struct Cifar100Options {
  /// The folder with the .bin files, or the one above it; default: cifar-100-binary in data_home().
  std::filesystem::path folder = {};
  /// Labels are the 20 superclasses instead of the 100 classes.
  bool coarse = false;
};

/// 50,000 + 10,000 pictures 3x32x32 in 10 classes. Of the official training set the statistics are
/// mean 0.4914, 0.4822, 0.4465 and deviation 0.2470, 0.2435, 0.2616.
/// Files may hold any whole number of records; one warning a set where it is not the official number.
/// Throws Error for a missing folder or file (with the command that gets it), a file that is not whole records (file,
/// expected and found size), a label out of range (file, record, value).
TrainTest cifar10(const Cifar10Options& options = {});

/// The same for CIFAR-100, with its own statistics.
TrainTest cifar100(const Cifar100Options& options = {});

/// True when cifar10(options) finds all its files.
bool has_cifar10(const Cifar10Options& options = {});
bool has_cifar100(const Cifar100Options& options = {});

const std::vector<std::string>& cifar10_classes();
const std::vector<std::string>& cifar100_classes();
const std::vector<std::string>& cifar100_superclasses();

}  // namespace tandem
