// Reads CIFAR's binary files: planes in the file become channels-last bytes in memory. See cifar.h.
#include <cstdio>
#include <cstring>
#include <memory>
#include <system_error>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/threads.h>
#include <tandem/data/cifar.h>

namespace tandem {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSide = 32, kPixels = kSide * kSide, kImageBytes = 3 * kPixels;

// How a member of the family lies on disk.
struct Format {
  const char* name;                       // of the set, and for get_data.sh
  const char* folder;                     // in data_home()
  std::int64_t label_bytes, label_index;  // at the head of a record, and which of them is the label
  std::vector<std::string> train_files, test_files;
  std::int64_t train_records, test_records;  // official numbers
  const std::vector<std::string>* classes;

  std::int64_t record_bytes() const { return label_bytes + kImageBytes; }
};

Format cifar10_format() {
  return {"cifar10",
          "cifar-10-batches-bin",
          1,
          0,
          {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
          {"test_batch.bin"},
          50000,
          10000,
          &cifar10_classes()};
}

Format cifar100_format(bool coarse) {
  return {"cifar100",
          "cifar-100-binary",
          2,
          coarse ? 0 : 1,
          {"train.bin"},
          {"test.bin"},
          50000,
          10000,
          coarse ? &cifar100_superclasses() : &cifar100_classes()};
}

// The folder itself, or the official folder in it.
fs::path find_folder(const Format& format, const fs::path& given) {
  if (given.empty()) return data_home() / format.folder;
  std::error_code ignored;
  const fs::path below = given / format.folder;
  return !fs::exists(given / format.train_files[0], ignored) && fs::is_directory(below, ignored) ? below : given;
}

bool has_all_files(const Format& format, const fs::path& given) {
  const fs::path folder = find_folder(format, given);
  std::error_code ignored;
  for (const auto* files : {&format.train_files, &format.test_files}) {
    for (const auto& file : *files) {
      if (!fs::is_regular_file(folder / file, ignored)) return false;
    }
  }
  return true;
}

std::string remedy(const Format& format) {
  return fmt::format("get it with `examples/get_data.sh {}`, or name its folder with --data", format.name);
}

// The number of records of a file that exists and holds whole ones.
std::int64_t count_records(const Format& format, const fs::path& file, std::int64_t official) {
  std::error_code error;
  if (!fs::is_regular_file(file, error)) {
    fail(format.name, "file is missing", fmt::format("looked for {}", file.string()), remedy(format));
  }
  const auto bytes = static_cast<std::int64_t>(fs::file_size(file, error));
  if (error) fail(format.name, "file cannot be read", fmt::format("{}: {}", file.string(), error.message()));
  if (bytes == 0 || bytes % format.record_bytes() != 0) {
    fail(format.name, "file is truncated or not of this set",
         fmt::format("{}: expected {} bytes ({} records of {}) or another whole number of records, found {} bytes",
                     file.string(), official * format.record_bytes(), official, format.record_bytes(), bytes),
         remedy(format));
  }
  return bytes / format.record_bytes();
}

void read_file(const Format& format, const fs::path& file, std::vector<std::uint8_t>& bytes) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream(std::fopen(file.c_str(), "rb"), &std::fclose);
  const std::size_t found = stream ? std::fread(bytes.data(), 1, bytes.size(), stream.get()) : 0;
  if (found != bytes.size()) {
    fail(format.name, "file cannot be read",
         fmt::format("{}: expected {} bytes, read {}", file.string(), bytes.size(), found));
  }
}

// planes [3][1024] -> pixels [1024][3]
void interleave(const std::uint8_t* planes, std::uint8_t* pixels) {
  for (std::int64_t i = 0; i < kPixels; ++i) {
    pixels[3 * i] = planes[i];
    pixels[3 * i + 1] = planes[kPixels + i];
    pixels[3 * i + 2] = planes[2 * kPixels + i];
  }
}

void read_records(const Format& format, const fs::path& file, std::int64_t records, std::vector<std::uint8_t>& bytes,
                  std::uint8_t* images, std::int64_t* labels) {
  bytes.resize(static_cast<std::size_t>(records * format.record_bytes()));
  read_file(format, file, bytes);
  const auto classes = static_cast<std::int64_t>(format.classes->size());
  for (std::int64_t i = 0; i < records; ++i) {
    labels[i] = bytes[static_cast<std::size_t>(i * format.record_bytes() + format.label_index)];
    if (labels[i] >= classes) {
      fail(format.name, "label out of range",
           fmt::format("{}: record {} has label {}, must be below {}", file.string(), i, labels[i], classes));
    }
  }
  parallel_for(records, 512, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      interleave(bytes.data() + i * format.record_bytes() + format.label_bytes, images + i * kImageBytes);
    }
  });
}

Dataset read_set(const Format& format, const fs::path& folder, const char* split, const std::vector<std::string>& files,
                 std::int64_t official) {
  std::vector<std::int64_t> counts;
  std::int64_t total = 0;
  for (const auto& file : files) {
    counts.push_back(count_records(format, folder / file, official / static_cast<std::int64_t>(files.size())));
    total += counts.back();
  }
  if (total != official) {
    warn(fmt::format("{}: the {} set in {} has {} records, the official one {}", format.name, split, folder.string(),
                     total, official));
  }
  Dataset set;
  set.name = fmt::format("{} {}", format.name, split);
  set.images = Array::empty({total, 3, kSide, kSide}, DType::u8, Layout::channels_last);
  set.labels = Array::empty({total}, DType::i64);
  set.classes = *format.classes;
  std::int64_t done = 0;
  std::vector<std::uint8_t> bytes;  // of one file, used again for the next
  for (std::size_t i = 0; i < files.size(); ++i) {
    read_records(format, folder / files[i], counts[i], bytes, set.images.data<std::uint8_t>() + done * kImageBytes,
                 set.labels.data<std::int64_t>() + done);
    done += counts[i];
  }
  return set;
}

TrainTest read_both(const Format& format, const fs::path& given) {
  const fs::path folder = find_folder(format, given);
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    fail(format.name, "data set not found", fmt::format("looked for the folder {}", folder.string()), remedy(format));
  }
  TrainTest sets{read_set(format, folder, "train", format.train_files, format.train_records),
                 read_set(format, folder, "test", format.test_files, format.test_records)};
  sets.train.statistics = channel_statistics(sets.train.images);
  sets.test.statistics = sets.train.statistics;
  return sets;
}

}  // namespace

TrainTest cifar10(const Cifar10Options& options) { return read_both(cifar10_format(), options.folder); }

TrainTest cifar100(const Cifar100Options& options) {
  return read_both(cifar100_format(options.coarse), options.folder);
}

bool has_cifar10(const Cifar10Options& options) { return has_all_files(cifar10_format(), options.folder); }

bool has_cifar100(const Cifar100Options& options) {
  return has_all_files(cifar100_format(options.coarse), options.folder);
}

}  // namespace tandem
