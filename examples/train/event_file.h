// EventFile: scalars for TensorBoard, without TensorFlow. A file of records; a record is an Event message of protocol
// buffers, encoded by hand (tensorflow/core/util/event.proto, summary.proto), in the framing of TFRecord:
//
//   | u64 length | u32 masked crc32c of the length | bytes of the message | u32 masked crc32c of the bytes |
//
// Not here: which scalars are written when (record.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include <tandem/core/io/file.h>

namespace tandem::train {

/// CRC-32C (Castagnoli), as in RFC 3720: crc32c("123456789") = 0xe3069283.
std::uint32_t crc32c(std::string_view bytes);

/// The framing above round `message`.
std::string event_record(std::string_view message);
/// The first message of a file: its format. `time` in seconds since 1970.
std::string version_event(double time);
/// One value of an event, `tag` is `value`; and the message that these are those of `step`.
std::string scalar_value(std::string_view tag, float value);
std::string scalars_event(double time, std::int64_t step, std::string_view values);

/// Records are kept back and written together; sync() has all on the disk.
class EventFile {
 public:
  /// Makes the file, or empties it. Throws Error when it cannot be written.
  explicit EventFile(const std::filesystem::path& path);
  /// Goes on with a file that exists, cut back to its first `keep` bytes. Throws Error when it is shorter.
  EventFile(const std::filesystem::path& path, std::int64_t keep) : file_(path, keep) {}
  ~EventFile();

  /// An event of several scalars: begin, add, add, end.
  void begin(std::int64_t step);
  void add(std::string_view tag, double value);
  void end();
  std::int64_t sync();

 private:
  void flush();

  LogFile file_;
  std::int64_t step_ = 0;
  std::string values_, buffer_;
};

}  // namespace tandem::train
