// TensorBoard events: checksums against RFC 3720, messages against bytes by hand and against what TensorFlow writes.
#include <tandem/train/event_file.h>

#include <doctest/doctest.h>

#include <vector>

#include "core/temporary_folder.h"

using namespace tandem::train;

namespace {

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text.push_back(static_cast<char>(value));
  return text;
}

}  // namespace

TEST_CASE("crc32c: the test vectors of RFC 3720, appendix B.4") {
  CHECK(crc32c("") == 0);
  CHECK(crc32c("123456789") == 0xe3069283U);
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aaU);
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43U);
  std::string rising;
  for (int i = 0; i < 32; ++i) rising.push_back(static_cast<char>(i));
  CHECK(crc32c(rising) == 0x46dd794eU);
}

TEST_CASE("the version event begins as every file of TensorFlow does") {
  const std::string record = event_record(version_event(1.0));
  CHECK(record.size() == 8 + 4 + 24 + 4);
  CHECK(record.substr(0, 12) == bytes({0x18, 0, 0, 0, 0, 0, 0, 0, 0xa3, 0x7f, 0x4b, 0x22}));
  CHECK(record.substr(12, 24) == bytes({0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x1a, 0x0d}) + "brain.Event:2");
}

TEST_CASE("a scalar event, byte by byte") {
  // wall_time 1.0; step 300 = 0xac 0x02; summary of 12 bytes { value of 10 bytes { tag "loss"; simple_value 0.5 } }.
  CHECK(scalars_event(1.0, 300, scalar_value("loss", 0.5F)) ==
        bytes({0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x10, 0xac, 0x02, 0x2a, 13, 0x0a, 11, 0x0a, 4}) + "loss" +
            bytes({0x15, 0, 0, 0, 0x3f}));
}

TEST_CASE("a file is its version and its events, each framed; what comes behind a position is cut off") {
  const tandem::test::TemporaryFolder folder;
  const auto path = folder / "events.out.tfevents.tandem";
  std::int64_t position = 0;
  {
    EventFile file(path);
    file.begin(5);
    file.add("test_accuracy", 0.25);
    file.add("test_loss", 2);
    file.end();
    position = file.sync();
    file.begin(6);
    file.add("lost", 1);
    file.end();
  }
  {
    EventFile file(path, position);
    file.begin(-1);
    file.add("x", 1);
    file.end();
  }
  const std::string content = tandem::read_file(path);
  std::size_t at = 0;
  std::vector<std::string> messages;
  while (at < content.size()) {
    const auto length = static_cast<std::size_t>(static_cast<unsigned char>(content[at]));
    messages.push_back(content.substr(at + 12, length));
    CHECK(content.substr(at, length + 16) == event_record(messages.back()));
    at += length + 16;
  }
  REQUIRE(messages.size() == 3);
  CHECK(messages[1].find("test_accuracy") != std::string::npos);
  CHECK(messages[1].find("test_loss") != std::string::npos);
  CHECK(messages[2].size() == 9 + 11 + 2 + 2 + 3 + 5);  // a negative step is a varint of ten bytes
}
