// .npy and .npz: bytes as NumPy writes them, round trips, and files that must be refused.
#include <doctest/doctest.h>

#include <string>

#include <tandem/core/error.h>
#include <tandem/core/file.h>
#include <tandem/core/generator.h>
#include <tandem/core/npy.h>

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
