// .npy and .npz: bytes as NumPy writes them, round trips, and files that must be refused.
#include <doctest/doctest.h>

#include <string>

#include <tandem/core/error.h>
#include <tandem/core/generator.h>
#include <tandem/core/io/file.h>
#include <tandem/core/io/npy.h>

#include "core/temporary_folder.h"

using namespace tandem;

namespace {

std::string error_of(auto&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("an .npy file has the bytes that numpy.save writes") {
  const test::TemporaryFolder folder;
  const auto path = folder / "x.npy";
  save_npy(path, Array::from({1, 2, 3, 4, 5, 6}, {2, 3}));
  const std::string bytes = read_file(path);
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  CHECK(bytes.size() == 128 + 24);
  CHECK(bytes.substr(0, 10) == std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  CHECK(bytes.substr(10, header.size()) == header);
  CHECK(bytes[127] == '\n');
  save_npy(path, Array::arange(3));
  CHECK(read_file(path).find("'shape': (3,), }") != std::string::npos);
  save_npy(path, Array::scalar(3));
  CHECK(read_file(path).find("'shape': (), }") != std::string::npos);
}

TEST_CASE("round trips keep every bit, from any layout") {
  const test::TemporaryFolder folder;
  Generator g(1);
  Array images = Array::empty({2, 3, 4, 5}, DType::f32, Layout::channels_last);
  g.fill_normal(images);
  const NamedArrays all = {{"images", images},
                           {"doubles", images.to(DType::f64).transpose(0, 2)},
                           {"labels", Array::arange(7)},
                           {"bytes", Array::arange(5, DType::u8)},
                           {"halves", images.to(DType::f16)},
                           {"whole", Array::arange(6, DType::i32)},
                           {"small", Array::arange(4, DType::i8)},
                           {"flags", Array::from({1, 0}, {2}, DType::boolean)},
                           {"scalar", Array::scalar(2.5)},
                           {"nothing", Array::zeros({0, 3})}};
  for (const NamedArray& a : all) {
    save_npy(folder / "one.npy", a.array);
    CHECK(identical(load_npy(folder / "one.npy"), a.array));
  }
  save_npz(folder / "all.npz", all);
  const NamedArrays back = load_npz(folder / "all.npz");
  REQUIRE(back.size() == all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(back[i].name == all[i].name);
    CHECK(identical(back[i].array, all[i].array));
  }
}

TEST_CASE("column-major files are read in the logical order") {
  const test::TemporaryFolder folder;
  const auto path = folder / "x.npy";
  save_npy(path, Array::from({1, 4, 2, 5, 3, 6}, {2, 3}));
  std::string bytes = read_file(path);
  bytes.replace(bytes.find("False"), 5, "True ");
  write_file(path, bytes);
  CHECK(load_npy(path).to_vector<double>() == std::vector<double>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("bad files are refused with file and reason") {
  const test::TemporaryFolder folder;
  const auto path = folder / "x.npy";
  const std::string where = "load_npy: " + path.string();
  save_npy(path, Array::from({1, 2, 3}, {3}));
  const std::string good = read_file(path);
  write_file(path, "hello");
  CHECK(error_of([&] { load_npy(path); }) == where + ": not an .npy file: wrong magic");
  write_file(path, good.substr(0, good.size() - 1));
  CHECK(error_of([&] { load_npy(path); }) == where + ": wrong size: shape [3] of f32 does not make the 11 bytes found");
  write_file(path, good.substr(0, 60));
  CHECK(error_of([&] { load_npy(path); }) == where + ": truncated: the header has 118 bytes, the file 60");
  std::string changed = good;
  changed.replace(good.find("(3,)"), 4, "(9999999999999999999,)");
  write_file(path, changed);
  CHECK(error_of([&] { load_npy(path); }).find("a size is too large") != std::string::npos);
  changed = good;
  changed.replace(good.find("<f4"), 3, "<c8");
  write_file(path, changed);
  CHECK(error_of([&] { load_npy(path); }) ==
        where + ": dtype not known here: <c8; f2, f4, f8, i1, i4, i8, u1 and b1, little-endian, are read");
  CHECK(error_of([&] { save_npy(path, Array::zeros({2}, DType::bf16)); }) ==
        "save_npy: " + path.string() + ": NumPy has no bf16; convert with to(DType::f32)");
}

TEST_CASE("every flipped bit and every truncation of an .npz is refused or harmless, never wrong") {
  const test::TemporaryFolder folder;
  const auto path = folder / "x.npz";
  const Array a = Array::from({1, 2, 3}, {3});
  save_npz(path, {{"a", a}, {"b", Array::arange(2)}});
  const std::string good = read_file(path);
  for (std::size_t length = 0; length < good.size(); length += 7) {
    write_file(path, good.substr(0, length));
    CHECK_THROWS_AS(load_npz(path), Error);
  }
  int refused = 0;
  for (std::size_t bit = 0; bit < good.size() * 8; bit += 5) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    write_file(path, bad);
    try {
      const NamedArrays back = load_npz(path);  // names, dates and local sizes may change unnoticed: data may not
      for (const NamedArray& entry : back) {
        CHECK((identical(entry.array, a) || identical(entry.array, Array::arange(2))));
      }
    } catch (const Error&) {
      ++refused;
    }
  }
  CHECK(refused > 100);
}

namespace {

/// An .npy file of this header, with `data`.
std::string npy_of(const std::string& shape, const std::string& data) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }";
  header.resize(118, ' ');
  return std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + data;
}

std::string little(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>((value >> (8 * i)) & 0xff);
  return text;
}

}  // namespace

TEST_CASE("Arrays without elements come back, wherever the 0 stands") {
  const test::TemporaryFolder folder;
  for (const Shape& shape : {Shape{5, 0}, Shape{2, 3, 0}, Shape{0, 5}, Shape{0}, Shape{3, 0, 2}}) {
    const Array x = Array::zeros(shape);
    save_npy(folder / "x.npy", x);
    CHECK(identical(load_npy(folder / "x.npy"), x));
    save_npz(folder / "x.npz", {{"x", x}});
    CHECK(identical(load_npz(folder / "x.npz").at(0).array, x));
  }
}

TEST_CASE("shapes that overflow are refused before memory is asked for, those of Python 2 are read") {
  const test::TemporaryFolder folder;
  const auto path = folder / "x.npy";
  for (const std::string shape : {"(0, 1152921504606846976, 1152921504606846976)", "(576460752303423488, 1024, 0)",
                                  "(576460752303423487, 2, 0, 16)"}) {
    write_file(path, npy_of(shape, ""));
    CHECK(error_of([&] { load_npy(path); }).find(": the shape overflows: [") != std::string::npos);
  }
  write_file(path, npy_of("(1152921504606846976,)", "1234"));
  CHECK(error_of([&] { load_npy(path); }).find("wrong size: shape [1152921504606846976] of f32") != std::string::npos);
  write_file(path, npy_of("(2305843009213693952, 2)", "1234"));
  CHECK(error_of([&] { load_npy(path); }).find("the shape overflows") != std::string::npos);
  write_file(path, npy_of("(1L, 2L)", std::string(8, '\0')));
  CHECK(load_npy(path).shape() == Shape{1, 2});
}

TEST_CASE("names of an .npz are UTF-8 and say so") {
  const test::TemporaryFolder folder;
  const auto path = folder / "x.npz";
  save_npz(path, {{"größe", Array::arange(3)}});
  CHECK(load_npz(path).at(0).name == "größe");
  std::string bytes = read_file(path);
  CHECK(bytes.substr(6, 2) == std::string("\x00\x08", 2));  // the flag, without which Python reads code page 437
  CHECK(error_of([&] {
          save_npz(path, {{"gr\xf6\xdf\x65", Array::arange(3)}});
        }).find("is not UTF-8") != std::string::npos);
  CHECK(read_file(path) == bytes);
  for (std::size_t at = bytes.find("\xc3"); at != std::string::npos; at = bytes.find("\xc3", at + 1)) bytes[at] = 'g';
  write_file(path, bytes);
  CHECK(error_of([&] { load_npz(path); }).find("the name of an array is not UTF-8") != std::string::npos);
}

TEST_CASE("an .npz of too many arrays is refused, one with a zip64 directory is read") {
  const test::TemporaryFolder folder;
  const auto path = folder / "x.npz";
  NamedArrays many;
  const Array one = Array::scalar(1);
  for (int i = 0; i < 65536; ++i) many.push_back({std::to_string(i), one});
  CHECK(error_of([&] { save_npz(path, many); }).find("too many arrays for .npz: 65536, at most 65535; use") !=
        std::string::npos);
  CHECK_FALSE(std::filesystem::exists(path));

  save_npz(path, {{"a", Array::arange(3)}, {"b", Array::scalar(2)}});
  const std::string bytes = read_file(path);
  const std::size_t end = bytes.size() - 22;
  std::uint64_t directory = 0;
  for (int i = 0; i < 4; ++i)
    directory |= std::uint64_t{static_cast<unsigned char>(bytes[end + 16 + static_cast<std::size_t>(i)])} << (8 * i);
  // The record, its locator, and an end whose own numbers are cut.
  const std::string record = little(0x06064b50, 4) + little(44, 8) + little(45, 2) + little(45, 2) + little(0, 8) +
                             little(2, 8) + little(2, 8) + little(end - directory, 8) + little(directory, 8);
  const std::string locator = little(0x07064b50, 4) + little(0, 4) + little(end, 8) + little(1, 4);
  std::string last = bytes.substr(end);
  last.replace(8, 12, std::string(4, '\xff') + last.substr(12, 4) + std::string(4, '\xff'));
  write_file(path, bytes.substr(0, end) + record + locator + last);
  const NamedArrays read = load_npz(path);
  REQUIRE(read.size() == 2);
  CHECK(read[0].name == "a");
  CHECK(read[1].array.item() == 2);
}
