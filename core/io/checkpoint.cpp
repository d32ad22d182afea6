// Checkpoints: safetensors with a mark, a checksum and a predecessor. See checkpoint.h.
#include <tandem/core/io/checkpoint.h>

#include <unistd.h>
#include <zlib.h>

#include <charconv>
#include <cstdio>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/core/io/file.h>
#include <tandem/core/io/keep_previous.h>
#include <tandem/core/io/safetensors_write.h>
#include <tandem/core/kernels/elementwise/elementwise.h>

namespace tandem {

namespace {

constexpr const char* kFormatKey = "tandem.format";
constexpr const char* kFormat = "checkpoint 1";
constexpr const char* kChecksumKey = "tandem.crc32";

/// CRC-32 over names, shapes, dtypes and values of all entries and over the metadata, in their order.
std::string checksum_of(const NamedArrays& arrays, const Metadata& metadata) {
  uLong crc = crc32_z(0, nullptr, 0);
  const auto add = [&crc](const void* bytes, std::size_t count) {
    crc = crc32_z(crc, static_cast<const Bytef*>(bytes), count);
  };
  for (const auto& [key, value] : metadata) {
    const std::string line = key + '\0' + value + '\0';
    add(line.data(), line.size());
  }
  for (const NamedArray& entry : arrays) {
    const std::string line =
        fmt::format("{} {} {}", entry.name, name(entry.array.dtype()), entry.array.shape().to_string());
    add(line.data(), line.size());
    const Array plain = entry.array.contiguous();
    add(plain.bytes(), static_cast<std::size_t>(plain.size()) * size_of(plain.dtype()));
  }
  return fmt::format("{:08x}", crc);
}

}  // namespace

const std::string& Checkpoint::text(const std::string& key) const {
  const auto found = metadata.find(key);
  if (found == metadata.end()) fail("checkpoint", "the metadata have no entry", key);
  return found->second;
}

std::int64_t Checkpoint::number(const std::string& key) const {
  const std::string& value = text(key);
  std::int64_t n = 0;
  const auto [end, status] = std::from_chars(value.data(), value.data() + value.size(), n);
  if (status != std::errc{} || end != value.data() + value.size()) {
    fail("checkpoint", fmt::format("{} is not a whole number", key), value);
  }
  return n;
}

std::filesystem::path previous_checkpoint(const std::filesystem::path& path) {
  return path.parent_path() / (path.stem().string() + ".previous" + path.extension().string());
}

void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  for (const NamedArray& entry : checkpoint.arrays) {
    if (!kernels::all_finite(entry.array)) {
      fail("save_checkpoint: " + path.string(), fmt::format("\"{}\" is not finite", entry.name), {},
           "nothing was written; the checkpoint before stays");
    }
  }
  Metadata metadata = checkpoint.metadata;
  metadata[kFormatKey] = kFormat;
  metadata[kChecksumKey] = checksum_of(checkpoint.arrays, metadata);
  const std::filesystem::path target = follow_links(path);
  const std::filesystem::file_status before = std::filesystem::status(target);
  if (std::filesystem::exists(before) && !std::filesystem::is_regular_file(before)) {
    fail("save_checkpoint: " + path.string(), "not a regular file", {}, "a checkpoint replaces the one before it");
  }
  AtomicFile file(path);
  write_safetensors(file, "save_checkpoint: " + path.string(), checkpoint.arrays, metadata);
  const std::filesystem::path previous = previous_checkpoint(target);
  bool is_renamed = false;
  try {
    file.commit([&] { is_renamed = keep_previous(target, previous, ::link); });  // `file` is whole by then
  } catch (...) {
    if (is_renamed && !std::filesystem::exists(target)) ::rename(previous.c_str(), target.c_str());
    throw;
  }
}

Checkpoint load_checkpoint(const std::filesystem::path& path) {
  Safetensors file = load_safetensors(path);
  const std::string where = "load_checkpoint: " + path.string();
  const auto format = file.metadata.find(kFormatKey);
  if (format == file.metadata.end()) {
    fail(where, "not a checkpoint", "a safetensors file without the mark of one",
         "a run's weights are model.safetensors");
  }
  if (format->second != kFormat) fail(where, "a checkpoint of another version", format->second);
  const auto checksum = file.metadata.find(kChecksumKey);
  if (checksum == file.metadata.end()) fail(where, "damaged", "the checksum is missing");
  const std::string expected = checksum->second;
  file.metadata.erase(checksum);
  const std::string found = checksum_of(file.arrays, file.metadata);
  if (found != expected) {
    fail(where, "damaged", fmt::format("checksum is {}, must be {}", found, expected),
         "the one before is " + previous_checkpoint(path).filename().string());
  }
  file.metadata.erase(kFormatKey);
  return {std::move(file.arrays), std::move(file.metadata)};
}

LoadedCheckpoint load_checkpoint_or_previous(const std::filesystem::path& path) {
  std::string reason;
  try {
    return {load_checkpoint(path), ""};
  } catch (const Error& error) {
    reason = error.what();
  }
  const std::filesystem::path previous = previous_checkpoint(follow_links(path));
  try {
    return {load_checkpoint(previous), fmt::format("{}; {} was read instead", reason, previous.string())};
  } catch (const Error& error) {
    fail("load_checkpoint", "neither the checkpoint nor the one before it can be read",
         fmt::format("{} | {}", reason, error.what()));
  }
}

}  // namespace tandem
