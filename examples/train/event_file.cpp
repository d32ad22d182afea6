// Events for TensorBoard: crc32c by table, protocol buffers by hand. Field numbers stand beside each field.
#include "event_file.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <chrono>

#include <tandem/core/error.h>

namespace tandem::train {
namespace {

static_assert(std::endian::native == std::endian::little, "records are little-endian");

constexpr std::size_t kBuffer = std::size_t{1} << 16;

constexpr std::array<std::uint32_t, 256> kCrcTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0x82f63b78U : 0U);
    table[byte] = crc;
  }
  return table;
}();

/// TFRecord masks its checksums: records of records would otherwise be awkward to check.
std::uint32_t masked_crc(std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return std::rotr(crc, 15) + 0xa282ead8U;
}

template <class T>
std::string raw(T value) {
  std::string bytes;
  for (const char c : std::bit_cast<std::array<char, sizeof(T)>>(value)) bytes.push_back(c);
  return bytes;
}

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>((value & 0x7fU) | 0x80U));
  bytes.push_back(static_cast<char>(value));
  return bytes;
}

enum class Wire : unsigned { varint = 0, fixed64 = 1, length = 2, fixed32 = 5 };

std::string key(unsigned field, Wire wire) { return varint((field << 3) | static_cast<unsigned>(wire)); }
std::string double_field(unsigned field, double value) { return key(field, Wire::fixed64) + raw(value); }
std::string float_field(unsigned field, float value) { return key(field, Wire::fixed32) + raw(value); }
std::string int_field(unsigned field, std::int64_t value) {
  return key(field, Wire::varint) + varint(static_cast<std::uint64_t>(value));
}
std::string bytes_field(unsigned field, std::string_view bytes) {
  return (key(field, Wire::length) + varint(bytes.size())).append(bytes);
}

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = ~0U;
  for (const char c : bytes) crc = kCrcTable[(crc ^ static_cast<unsigned char>(c)) & 0xffU] ^ (crc >> 8);
  return ~crc;
}

std::string event_record(std::string_view message) {
  const std::string length = raw(std::uint64_t{message.size()});
  return (length + raw(masked_crc(length))).append(message) + raw(masked_crc(message));
}

std::string version_event(double time) {
  return double_field(1, time) + bytes_field(3, "brain.Event:2");  // Event: wall_time 1, file_version 3
}

std::string scalar_value(std::string_view tag, float value) {
  // Summary: value 1; Summary.Value: tag 1, simple_value 2
  return bytes_field(1, bytes_field(1, tag) + float_field(2, value));
}

std::string scalars_event(double time, std::int64_t step, std::string_view values) {
  return double_field(1, time) + int_field(2, step) + bytes_field(5, values);  // Event: wall_time 1, step 2, summary 5
}

EventFile::EventFile(const std::filesystem::path& path) : file_(path) {
  buffer_ = event_record(version_event(seconds_since_1970()));
}

EventFile::~EventFile() {
  try {
    flush();
  } catch (const Error& error) {
    warn(error.what());
  }
}

void EventFile::begin(std::int64_t step) {
  step_ = step;
  values_.clear();
}

void EventFile::add(std::string_view tag, double value) { values_ += scalar_value(tag, static_cast<float>(value)); }

void EventFile::end() {
  buffer_ += event_record(scalars_event(seconds_since_1970(), step_, values_));
  if (buffer_.size() >= kBuffer) flush();
}

void EventFile::flush() {
  file_.append(buffer_);
  buffer_.clear();
}

std::int64_t EventFile::sync() {
  flush();
  file_.sync();
  return file_.size();
}

}  // namespace tandem::train
