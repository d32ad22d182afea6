// EventFile: scalars for TensorBoard, without TensorFlow. A file of records; a record is an Event message of protocol
// buffers, encoded by hand (tensorflow/core/util/event.proto, summary.proto), in the framing of TFRecord:
//
//   | u64 length | u32 masked crc32c of the length | bytes of the message | u32 masked crc32c of the bytes |
//
// Not here: which scalars are written when (run_folder.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include <tandem/core/file.h>

namespace tandem::examples {

/// CRC-32C (Castagnoli), as in RFC 3720: crc32c("123456789") = 0xe3069283.
std::uint32_t crc32c(std::string_view bytes);

/// The framing above round `message`.
std::string event_record(std::string_view message);
/// The first message of a file: its format. `time` in seconds since 1970.
std::string version_event(double time);
/// The message "`tag` is `value` at `step`".
std::string scalar_event(double time, std::int64_t step, std::string_view tag, float value);

class EventFile {
 public:
  /// Makes "events.out.tfevents.SECONDS.HOST" in `folder`. Throws Error when it cannot be written.
  explicit EventFile(const std::filesystem::path& folder);
  /// Goes on with a file that exists, cut back to its first `keep` bytes. Throws Error when it is shorter.
  EventFile(const std::filesystem::path& path, std::int64_t keep) : file_(path, keep) {}

  /// Appends one scalar; the record reaches the system at once.
  void scalar(std::int64_t step, std::string_view tag, double value);
  const std::filesystem::path& path() const { return file_.path(); }
  std::int64_t size() const { return file_.size(); }

 private:
  LogFile file_;
};

}  // namespace tandem::examples
