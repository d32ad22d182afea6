// safetensors: bytes by hand, round trips, and files that lie.
#include "tandem/core/io/safetensors.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <tandem/core/error.h>
#include <tandem/core/generator.h>
#include <tandem/core/io/file.h>
#include <tandem/core/utf8.h>
#include "core/temporary_folder.h"

using namespace tandem;
using tandem::test::TemporaryFolder;

namespace {

std::string with_length(const std::string& header) {
  const std::uint64_t length = header.size();
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes + header;
}

/// The part of the error behind the path, for a file of these bytes.
std::string refusal(const std::string& bytes) {
  const TemporaryFolder folder;
  const std::string path = (folder / "f.safetensors").string();
  write_file(path, bytes);
  try {
    load_safetensors(path);
  } catch (const Error& error) {
    const std::string line = error.what();
    CHECK(line.rfind(path + ": ", 0) == 0);
    CHECK(line.find('\n') == std::string::npos);
    return line.substr(path.size() + 2);
  }
  return "accepted";
}

/// A header of one entry "w" and `data_bytes` zero bytes of data.
std::string one_entry(const std::string& entry, std::size_t data_bytes) {
  return with_length("{\"w\":" + entry + "}") + std::string(data_bytes, '\0');
}

}  // namespace

TEST_CASE("the bytes of a small file, by hand") {
  const TemporaryFolder folder;
  save_safetensors(folder / "a", {{"w", Array::from({1, -2}, {1, 2})}, {"n", Array::from({7}, {}, DType::u8)}},
                   {{"k", "v"}});
  std::string header = R"({"__metadata__":{"k":"v"},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
                       R"("n":{"dtype":"U8","shape":[],"data_offsets":[8,9]}})";
  header.append((8 - header.size() % 8) % 8, ' ');
  const std::string data("\x00\x00\x80\x3f\x00\x00\x00\xc0\x07", 9);
  CHECK(read_file(folder / "a") == with_length(header) + data);
  CHECK(folder.count() == 1);
}

TEST_CASE("every dtype comes back bit for bit, in order, with names and metadata") {
  const TemporaryFolder folder;
  const NamedArrays arrays = {
      {"u8", Array::from(std::vector<std::uint8_t>{0, 1, 255}, {3})},
      {"bf16", Array::from({1.5, -3, 0.1}, {3, 1}, DType::bf16)},
      {"f16", Array::from({1.5, -3, 0.1}, {1, 3}, DType::f16)},
      {"bool", Array::from({1, 0, 1}, {3}, DType::boolean)},
      {"i8", Array::from({-128, 127}, {2}, DType::i8)},
      {"i32", Array::from({-2147483648.0, 5}, {2}, DType::i32)},
      {"f32",
       Array::from(std::vector<float>{std::nanf(""), std::numeric_limits<float>::infinity(), -0.0F, 1e-45F}, {4})},
      {"i64", Array::from(std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::min(), 5}, {2})},
      {"f64", Array::from({0.1, 0.2}, {2, 1, 1}, DType::f64)},
      {"scalar", Array::scalar(3, DType::f64)},
      {"empty", Array::empty({0, 4}, DType::f32)},
      {"naïve \"name\"\n", Array::from({1}, {1})}};
  const Metadata metadata = {{"format", "pt"}, {"optimizer", "lookahead(sgd(lr=0.1), k=5, alpha=0.5)"}};
  save_safetensors(folder / "a", arrays, metadata);
  const Safetensors read = load_safetensors(folder / "a");
  CHECK(read.metadata == metadata);
  REQUIRE(read.arrays.size() == arrays.size());
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    CHECK(read.arrays[i].name == arrays[i].name);
    CHECK(read.arrays[i].array.dtype() == arrays[i].array.dtype());
    CHECK(identical(read.arrays[i].array, arrays[i].array));
  }
  CHECK(read.find("i64") == &read.arrays[7].array);
  CHECK(read.find("none") == nullptr);
}

TEST_CASE("views and channels-last weights are stored in logical order") {
  const TemporaryFolder folder;
  const Array plain = Array::arange(2 * 3 * 4 * 5, DType::f32).reshape({2, 3, 4, 5});
  save_safetensors(folder / "plain", {{"w", plain}, {"t", plain.transpose(1, 2).contiguous()}});
  save_safetensors(folder / "views", {{"w", plain.to_layout(Layout::channels_last)}, {"t", plain.transpose(1, 2)}});
  CHECK(read_file(folder / "plain") == read_file(folder / "views"));
}

TEST_CASE("data begin at multiples of the element size, and equal input gives equal bytes") {
  const TemporaryFolder folder;
  const NamedArrays arrays = {{"a", Array::zeros({3}, DType::u8)},
                              {"b", Array::zeros({1}, DType::f64)},
                              {"c", Array::zeros({1}, DType::bf16)},
                              {"d", Array::zeros({1})}};
  save_safetensors(folder / "1", arrays);
  save_safetensors(folder / "2", arrays);
  const std::string bytes = read_file(folder / "1");
  CHECK(bytes == read_file(folder / "2"));
  CHECK(static_cast<unsigned char>(bytes[0]) % 8 == 0);
  CHECK(bytes.find(R"("a":{"dtype":"U8","shape":[3],"data_offsets":[14,17]})") != std::string::npos);
  CHECK(bytes.find(R"("b":{"dtype":"F64","shape":[1],"data_offsets":[0,8]})") != std::string::npos);
}

TEST_CASE("what cannot be written is refused before a file appears") {
  const TemporaryFolder folder;
  const Array x = Array::zeros({1});
  CHECK_THROWS_WITH_AS(save_safetensors("f", {{"w", x}, {"w", x}}), "f: two arrays have the name \"w\"", Error);
  CHECK_THROWS_WITH_AS(save_safetensors("f", {{"__metadata__", x}}),
                       "f: an array has the reserved name \"__metadata__\"", Error);
  CHECK_THROWS_WITH_AS(save_safetensors("f", {{"w", Array()}}), "f: the array \"w\" is not defined", Error);
  CHECK_THROWS_WITH_AS(save_safetensors("f", {{"\xff", x}}), "f: the name of an array is not UTF-8: \xff", Error);
  CHECK_THROWS_WITH_AS(save_safetensors("f", {{"w", x}}, {{"source", "t\xe9.de"}}),
                       "f: the metadata value of \"source\" is not UTF-8: t\xe9.de", Error);
  CHECK_THROWS_WITH_AS(save_safetensors("f", {{"w", x}}, {{"\xe9", "v"}}),
                       "f: a key of the metadata is not UTF-8: \xe9", Error);
  CHECK(is_utf8("t\xc3\xa9.de"));
  CHECK(is_utf8(""));
  for (const char* bad : {"t\xe9.de", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80"})
    CHECK_FALSE(is_utf8(bad));
  CHECK_THROWS_AS(save_safetensors(folder / "no/f", {{"w", x}}), Error);
  CHECK(folder.count() == 0);
  CHECK_FALSE(std::filesystem::exists("f"));
}

TEST_CASE("files that lie are refused, with the reason") {
  const std::string good = R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  CHECK(refusal(one_entry(good, 8)) == "accepted");
  CHECK(refusal(with_length("{}")) == "accepted");
  CHECK(refusal("") == "not a safetensors file: 0 bytes, at least 8 are needed");
  CHECK(refusal(std::string(8, '\xff')) ==
        "not a safetensors file: a header of 18446744073709551615 bytes, at most 100000000");
  CHECK(refusal(with_length("{}").substr(0, 9)) == "the file is truncated: 2 bytes of header expected, 1 found");
  CHECK(refusal(one_entry(good, 7)) == "entry \"w\": data_offsets lie outside the file: [0, 8], the data have 7 bytes");
  CHECK(refusal(one_entry(good, 9)) ==
        "the size of the file does not fit its header: 8 bytes of data expected, 9 found");
  CHECK(refusal(with_length("[]")) == "not a safetensors file: the header is not a JSON object");
  CHECK(refusal(with_length("{\"w\":")) == "not a safetensors file: the header is not JSON");
  CHECK(refusal(with_length(std::string(100000, '['))) == "not a safetensors file: the header is nested too deeply");
  CHECK(refusal(with_length("{\"w\":" + good + ",\"w\":" + good + "}") + std::string(8, '\0')) ==
        "the header is damaged: the name \"w\" stands twice");
  CHECK(refusal(one_entry(R"({"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]})", 8)) ==
        "the header is damaged: the name \"dtype\" stands twice");
  CHECK(refusal(one_entry(R"({"dtype":"I16","shape":[4],"data_offsets":[0,8]})", 8)) ==
        "entry \"w\": dtype \"I16\" is not known: known are F32, F64, F16, BF16, I64, I32, I8, U8, BOOL");
  CHECK(refusal(one_entry(R"({"dtype":3,"shape":[4],"data_offsets":[0,8]})", 8)) ==
        "entry \"w\": dtype 3 is not known: known are F32, F64, F16, BF16, I64, I32, I8, U8, BOOL");
  CHECK(refusal(one_entry(R"({"dtype":"F32","shape":[2]})", 8)) == "entry \"w\": needs dtype, shape and data_offsets");
  CHECK(refusal(one_entry(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})", 8)) ==
        "entry \"w\": data_offsets do not fit the shape: shape [3] of F32 takes 12 bytes, data_offsets hold 8");
  CHECK(refusal(one_entry(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})", 8)) ==
        "entry \"w\": the shape is not a list of whole numbers");
  CHECK(refusal(one_entry(R"({"dtype":"F32","shape":[2.0],"data_offsets":[0,8]})", 8)) ==
        "entry \"w\": the shape is not a list of whole numbers");
  CHECK(refusal(one_entry(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})", 8)) ==
        "entry \"w\": data_offsets lie outside the file: [8, 0], the data have 8 bytes");
  CHECK(refusal(one_entry(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8,8]})", 8)) ==
        "entry \"w\": data_offsets are not two whole numbers");
  CHECK(refusal(one_entry(R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]})", 8)) ==
        "entry \"w\": the shape overflows");
  CHECK(refusal(one_entry(R"({"dtype":"F32","shape":[4611686018427387904,4,0],"data_offsets":[0,0]})", 0)) ==
        "entry \"w\": the shape overflows");
  CHECK(refusal(one_entry(R"({"dtype":"F32","shape":[1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]})", 8)) ==
        "entry \"w\": the shape has too many dims: 9, at most 8");
  CHECK(refusal(with_length(R"({"__metadata__":{"a":1}})")) == "the header is damaged: metadata \"a\" is not a string");
  const std::string overlap = R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                              R"("b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})";
  CHECK(refusal(with_length(overlap) + "123456") ==
        "entry \"b\" overlaps the one before it: it begins at byte 2 of the data, the one before ends at 4");
  const std::string hole = R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                           R"("b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}})";
  CHECK(refusal(with_length(hole) + "123456") ==
        "entry \"b\" leaves a hole before it: it begins at byte 4 of the data, the one before ends at 2");
}

TEST_CASE("every truncation and two thousand corruptions of a good file: read or refused, never worse") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "f";
  save_safetensors(path, {{"a", Array::zeros({3, 2})}, {"b", Array::zeros({5}, DType::i64)}}, {{"k", "v"}});
  const std::string good = read_file(path);
  for (std::size_t length = 0; length < good.size(); ++length) {
    LogFile(path).append(good.substr(0, length));
    CHECK_THROWS_AS(load_safetensors(path), Error);
  }
  Generator random(7);
  for (int trial = 0; trial < 2000; ++trial) {
    std::string bad = good;
    for (std::int64_t flips = 1 + random.below(3); flips > 0; --flips)
      bad[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(bad.size())))] =
          static_cast<char>(random.below(256));
    LogFile(path).append(bad);
    try {
      load_safetensors(path);
    } catch (const Error&) {}
  }
}

TEST_CASE("metadata that are null are none") {
  const test::TemporaryFolder folder;
  const std::string header = R"({"__metadata__":null,"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(header.size());
  write_file(folder / "x", bytes + header + "\x05");
  const Safetensors file = load_safetensors(folder / "x");
  CHECK(file.metadata.empty());
  CHECK(file.arrays.at(0).array.item() == 5);
}
